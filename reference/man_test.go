package reference

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestMan: a manual page has no request but our own, whatever texts begin with, and groff has nothing to say of it.
func TestMan(t *testing.T) {
	g := &Program{Name: "prog", Commands: []Command{{Name: "do it", Summary: ".Dot 'and' back\\slash",
		Usage: "prog do it [-x]",
		Long:  ".begins with a dot\n\n  .so /etc/passwd\n  'quoted -x \\n\n\nAsks `prog -y` of [this](page.md).\n\n'a",
		JSON:  true,
		Flags: []Flag{{Name: "x", Letter: "y", Value: ".V", Doc: "'d'", Default: `\e`}}, Exits: []ExitCode{{0, ".done"}},
		Example: "  prog do it -x='.'"}}}
	pages := g.pages()
	var b strings.Builder
	if err := g.WriteManIndex(&b, pages); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if g.ManFile(p) == "" {
			continue
		}
		if g.ManFile(p) != "prog-do-it.1" {
			t.Errorf("its file is %s", g.ManFile(p))
		}
		if err := g.WriteMan(&b, p); err != nil {
			t.Fatal(err)
		}
	}
	request := regexp.MustCompile(`^\.(TH|SH|PP|TP|nf|fi|RS|RE)( |$)`)
	for _, line := range strings.Split(b.String(), "\n") {
		if (strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'")) && !request.MatchString(line) {
			t.Errorf("a request: %q", line)
		}
	}
	for _, want := range []string{`\fBprog \-y\fR of this.`, `\&.so /etc/passwd`, `back\eslash`, ".SH FLAGS"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing:\n%s", want, b.String())
		}
	}
	if groff, err := exec.LookPath("groff"); err == nil {
		cmd := exec.CommandContext(t.Context(), groff, "-man", "-ww", "-Tutf8", "-z")
		cmd.Stdin = strings.NewReader(b.String())
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff: %v\n%s", err, out)
		}
	}
}
