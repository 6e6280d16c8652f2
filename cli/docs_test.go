package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/reference"
)

// asked matches environment variables by the ways in which the code asks for them.
var asked = regexp.MustCompile(
	`"(SYNCCTL_[A-Z_]+)"|\b(?:[Ee]nv|LookupEnv|is|set|variable)\((?:env, )?"([A-Z][A-Z_]+)"`)

// TestEnvironmentIsDescribed: each environment variable that the program asks for is in the reference, and each that is
// there is asked for.
func TestEnvironmentIsDescribed(t *testing.T) {
	code := map[string]bool{}
	for _, room := range []string{".", "../driver", "../schema", "../sandbox", "../policy"} {
		err := filepath.WalkDir(room, func(path string, _ fs.DirEntry, err error) error {
			ours := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
			if err != nil || !ours || strings.Contains(path, "clitest") || strings.Contains(path, "drivertest") ||
				strings.Contains(path, "functions/") || path == "outside.go" {
				return err
			}
			src, err := os.ReadFile(path)
			for _, line := range strings.Split(string(src), "\n") {
				line, _, _ = strings.Cut(line, "// ")
				for _, m := range asked.FindAllStringSubmatch(line, -1) {
					code[m[1]+m[2]] = true
				}
				for _, name := range []string{"HOME", "APPDATA"} {
					if strings.Contains(line, `variable, below`) && strings.Contains(line, name) {
						code[name] = true
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	described := map[string]bool{}
	for _, v := range environment {
		name := v.Name
		for _, prefix := range []string{"SYNCCTL_VAR_", "SYNCCTL_CLI_ARGS_"} {
			if strings.HasPrefix(name, prefix) {
				name = prefix
			}
		}
		described[name] = true
		if help := (&command{app: &app{}}).root().Long; strings.HasPrefix(name, "SYNCCTL_") &&
			!strings.HasPrefix(name, "SYNCCTL_SANDBOX_") && name != quotesVariable && !strings.Contains(help, name) {
			t.Errorf("%s is not in the help of the program", name)
		}
		if !code[name] {
			t.Errorf("%s is described, and nothing asks for it", name)
		}
	}
	for name := range code {
		if !described[name] {
			t.Errorf("%s is asked for, and in no page: add it to outside.go", name)
		}
	}
}

// TestEveryCommandIsDescribed: each command says what it does, and each flag what it is for.
func TestEveryCommandIsDescribed(t *testing.T) {
	p := programOf((&command{app: &app{}}).root())
	var names []string
	for i := range p.Commands {
		c := &p.Commands[i]
		names = append(names, c.Name)
		if c.Summary == "" || strings.HasSuffix(c.Summary, ".") {
			t.Errorf("%s: its summary is %q", c.Name, c.Summary)
		}
		for _, f := range c.Flags {
			if f.Doc == "" {
				t.Errorf("%s -%s has no words", c.Name, f.Name)
			}
		}
	}
	for name := range exitsBy {
		if !slices.Contains(names, name) {
			t.Errorf("exit codes of %s, which is not a command", name)
		}
	}
	if !slices.ContainsFunc(p.Global, func(f reference.Flag) bool { return f.Name == "chdir" }) {
		t.Error("flags of all commands are missing")
	}
}

// TestFlagValues: what stands for a flag's value is one word in capitals, or several of them.
func TestFlagValues(t *testing.T) {
	word := regexp.MustCompile(`^[A-Z][A-Z=|,._-]*\.{0,3}$`)
	program := programOf((&command{app: &app{}}).root())
	for _, c := range program.Commands {
		for _, f := range slices.Concat(program.Global, c.Flags) {
			if f.Value != "" && !word.MatchString(f.Value) && !slices.Contains([]string{"int", "string", "duration"}, f.Value) {
				t.Errorf("%s -%s=%s", c.Name, f.Name, f.Value)
			}
		}
	}
}

// TestLongWords: a very long word of the command line is repeated only in part, whatever is wrong with it.
func TestLongWords(t *testing.T) {
	for _, before := range []string{"", "docs ", "explain ", "plan ", "show ", "fmt ", "rehearse ", "completion ", "ci ",
		"bundle verify ", "plan -", "plan -chdir=", "plan -json-into=", "plan -policy=", "plan -color=", "apply -parallelism=",
		"plan -out=", "plan -var-file=", "validate -json -var-file=", "apply -json -var-file=", "lsp -json "} {
		for _, long := range []string{strings.Repeat("a", 100_000), strings.Repeat("a\n\"", 30_000)} {
			fs := afero.NewMemMapFs()
			if err := afero.WriteFile(fs, "/main.sync.hcl", []byte("variable \"x\" {}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			a, stdout, stderr := appFor(fs)
			line := strings.Fields(before + "WORD")
			line[len(line)-1] = strings.Replace(line[len(line)-1], "WORD", long, 1)
			code := a.run(t.Context(), line)
			said := stdout.Len() + stderr.Len()
			if code != exitError || said == 0 || said > 2500 {
				t.Errorf("%s: %d, %d bytes: %.200s", before, code, said, stderr)
			}
		}
	}
}
