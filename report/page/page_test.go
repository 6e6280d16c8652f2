package page_test

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/page"
	"github.com/syncctl/syncctl/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func made(t fataler, p *planner.Plan, run *report.Run) *report.Report {
	t.Helper()
	r, err := report.New(p, run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return r
}

func markdown(t fataler, r *report.Report, most int) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Markdown(&b, r, most); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

func htmlOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }

func TestMarkdown(t *testing.T) {
	small := reporttest.Small()
	golden(t, "small.md", markdown(t, made(t, small, nil), page.MostOfComment))
	golden(t, "waiting.md", markdown(t, made(t, small, reporttest.Run(small, 1, "waiting", "ask <the> keeper")),
		page.MostOfComment))
	golden(t, "sites.md", markdown(t, made(t, reporttest.Sites(), reporttest.Run(reporttest.Sites(), 1, "failed", "off")),
		page.MostOfComment))
	golden(t, "empty.md", markdown(t, made(t, &planner.Plan{}, nil), page.MostOfComment))
}

// TestMarkdownFits: a comment is never longer than it may be, begins with the decision, has every fold closed, and says
// what was left out of it.
func TestMarkdownFits(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  *planner.Plan
		whole bool
	}{
		{"small", reporttest.Small(), true}, {"fleet", reporttest.Fleet(12, 60), true},
		{"huge", reporttest.Fleet(40, 5000), false}, {"malign", reporttest.Malign(), true},
	} {
		for _, most := range []int{page.MostOfComment, 8000, 4000} {
			text := markdown(t, made(t, c.plan, nil), most)
			plainMarkdown(t, text)
			if length(text) > most || !strings.HasPrefix(text, page.CommentMark) ||
				c.name != "malign" && strings.Count(text, "<details>") != strings.Count(text, "\n</details>\n") {
				t.Errorf("%s: %d of %d characters, %d folds, %d closed", c.name, length(text), most,
					strings.Count(text, "<details>"), strings.Count(text, "\n</details>\n"))
			}
			if whole := !strings.Contains(text, "Left out"); most == page.MostOfComment && whole != c.whole {
				t.Errorf("%s: whole: %v", c.name, whole)
			}
		}
	}
	if text := markdown(t, made(t, reporttest.Fleet(40, 5000), nil), page.MostOfComment); length(text) < 60000 ||
		!regexp.MustCompile(`Left out.* \d+ steps, .*details of 5000 steps, the picture`).MatchString(text) {
		t.Errorf("%d characters, …%s", length(text), text[len(text)-300:])
	}
}

// TestWarnings: however many steps there are, warnings that belong to none of them are in a comment, and those that are
// left out are counted.
func TestWarnings(t *testing.T) {
	p := reporttest.Fleet(40, 5000)
	last := p.Steps[len(p.Steps)-1]
	p.Findings = []planner.Finding{{Rule: "depot/full", Severity: planner.Warn, Summary: "the disk is full"},
		{Rule: "depot/full", Severity: planner.Warn, Addr: "server.depot.x", Summary: "the shelf is full"},
		{Rule: "depot/full", Severity: planner.Warn, Addr: last.Addr, Op: last.Op, Summary: "the box is full"}}
	p.Changes = append(p.Changes, planner.ResourceChange{Addr: "server.depot.x", Action: planner.NoChange,
		Diff: []planner.Difference{{Path: "a", Declared: "1", Actual: "2"}}})
	text := markdown(t, made(t, p, nil), page.MostOfComment)
	for _, want := range []string{"the disk is full", "the shelf is full", "- **Warnings:** 3\n", " steps, 2 findings, ",
		"details of 5001 steps"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing: %s … %s", want, text[:900], text[len(text)-300:])
		}
	}
}

// TestNotes: a note on many declarations is one, and of many notes of one rule a comment has the first ones; the page
// has all.
func TestNotes(t *testing.T) {
	p := reporttest.Small()
	for i := range 40 {
		addr := fmt.Sprintf("sync.depot.s%d", i)
		p.Findings = append(p.Findings,
			planner.Finding{Rule: "depot/dry", Severity: planner.Note, Addr: addr, Summary: "dry"},
			planner.Finding{Rule: "depot/age", Severity: planner.Note, Addr: addr, Summary: fmt.Sprintf("%d years", i)})
	}
	r := made(t, p, nil)
	text := markdown(t, r, page.MostOfComment)
	if strings.Count(text, "depot/dry") != 1 || strings.Count(text, "depot/age") != report.MostAlike+1 ||
		!strings.Contains(text, "- `sync.depot.s0`, `sync.depot.s1`, `sync.depot.s2` and 37 more: **note** dry `depot/dry`\n") ||
		!strings.Contains(text, "- and 35 more like it `depot/age`\n") {
		t.Error(text)
	}
	if text := htmlOf(t, r); strings.Count(text, "depot/dry") != 1 || strings.Count(text, "depot/age") != 40 ||
		!strings.Contains(text, "<code>sync.depot.s39</code>") {
		t.Error(text)
	}
}

// TestLongDifference: two long values that end differently do not look the same.
func TestLongDifference(t *testing.T) {
	p := reporttest.Small()
	long := strings.Repeat("x", 700)
	p.Changes[0].Diff[0] = planner.Difference{Path: "color", Declared: long + "-red", Actual: long + "-blue"}
	r := made(t, p, nil)
	for _, text := range []string{markdown(t, r, page.MostOfComment), htmlOf(t, r)} {
		if !strings.Contains(text, "-red") || !strings.Contains(text, "-blue") || strings.Contains(text, long) {
			t.Error("it is not seen what differs, or nothing is cut")
		}
	}
}

// FuzzMarkdown: nothing that plans are made of is more than text in a comment.
func FuzzMarkdown(f *testing.F) {
	for _, name := range reporttest.Hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { plainMarkdown(t, markdown(t, hostile(t, name), page.MostOfComment)) })
}

// hostile is a report in which everything is called so.
func hostile(t fataler, name string) *report.Report {
	p := reporttest.Malign()
	text := strings.ReplaceAll(name, "\n", " ")
	for i := range p.Steps {
		p.Steps[i].Summary, p.Steps[i].Because, p.Steps[i].Undo = name, text, name
		p.Steps[i].Commands = []string{name}
	}
	for i := range p.Findings {
		p.Findings[i].Summary, p.Findings[i].Detail = name, name
	}
	return made(t, p, nil)
}

var (
	spans    = regexp.MustCompile("`+")
	entities = regexp.MustCompile(`&(#\d+|\w+);`)
	allowed  = regexp.MustCompile(`<!-- -->|</?details>|</?summary>|</?code>`)
)

// plainMarkdown reads a comment as GitHub does, as far as it has to: fences, spans of code, escapes. What is left has
// no tag but ours, and no link, picture, mention or formula.
func plainMarkdown(t *testing.T, text string) {
	t.Helper()
	text = strings.TrimPrefix(text, page.CommentMark+"\n")
	fence := ""
	for _, line := range strings.Split(text, "\n") {
		run := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(run) >= 3 && !strings.Contains(line[len(run):], "`"):
			fence = run
			continue
		case fence != "" && line == run && len(run) >= len(fence):
			fence = ""
			continue
		case fence != "":
			continue
		}
		left := strings.TrimPrefix(allowed.ReplaceAllString(readLine(line), "\x00"), ">")
		left = strings.ReplaceAll(left, "**", "")
		if strings.HasPrefix(line, "<details>") { // HTML up to the next empty line
			left = strings.NewReplacer("[", "", "]", "", "`", "", "$", "", "|", "").Replace(entities.ReplaceAllString(left, ""))
		}
		if strings.ContainsAny(left, "<>[]`$|") || regexp.MustCompile(`[@#]\w|://`).MatchString(strings.TrimPrefix(left, "###")) {
			t.Fatalf("%q is left of %q", left, line)
		}
	}
	if fence != "" {
		t.Fatalf("a block of code is not closed")
	}
}

// readLine is what is left of a line without escapes and spans of code.
func readLine(line string) string {
	var left strings.Builder
	for i := 0; i < len(line); {
		switch line[i] {
		case '\\':
			i += 2
		case '`':
			run := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
			end := -1
			for _, m := range spans.FindAllStringIndex(line[i+run:], -1) {
				if m[1]-m[0] == run {
					end = i + run + m[1]
					break
				}
			}
			if end < 0 {
				left.WriteString(line[i : i+run])
				end = i + run
			}
			i = end
		default:
			left.WriteByte(line[i])
			i++
		}
	}
	return left.String()
}

var (
	tags = regexp.MustCompile(`<(/?[a-zA-Z!][a-zA-Z0-9]*)`)
	ours = regexp.MustCompile(`^/?(html|head|meta|title|style|body|a|header|h1|h2|h3|p|dl|div|dt|dd|br|strong|code|nav|ul|ol|li|` +
		`main|section|figure|details|summary|svg|defs|marker|path|rect|text|g|span|b|table|thead|tbody|tr|th|td|pre|footer|` +
		`title)$|^!doctype$`)
	loads = regexp.MustCompile(`(?i)<[^>]+ (src|on\w+|style|srcset|data|action)=|url\(\s*["']?[^#"')]|@import|<[^>]+href="[^#]`)
)

// TestHTML: the page loads nothing, has no tag that a name has made, has all text of the plan as text, and headings in
// order.
func TestHTML(t *testing.T) {
	small := reporttest.Small()
	for name, r := range map[string]*report.Report{
		"small":   made(t, small, nil),
		"waiting": made(t, small, reporttest.Run(small, 1, "waiting", "ask <the> keeper")),
		"fleet":   made(t, reporttest.Fleet(12, 60), nil),
		"malign":  made(t, reporttest.Malign(), nil),
		"sites":   made(t, reporttest.Sites(), nil),
		"empty":   made(t, &planner.Plan{}, nil),
	} {
		text := htmlOf(t, r)
		for _, word := range []string{"ann@acme", "2027-02-04T13:00:00Z", "36h", "1h30m"} { // who, and until when
			if name == "sites" && !strings.Contains(text, word) {
				t.Errorf("of the sites %q is missing", word)
			}
		}
		for _, m := range tags.FindAllStringSubmatch(text, -1) {
			if !ours.MatchString(m[1]) {
				t.Errorf("%s: <%s>", name, m[1])
			}
		}
		policy := strings.Contains(text, "default-src &#39;none&#39;")
		if m := loads.FindString(text); m != "" || !printable.Safe(text) || !policy {
			t.Errorf("%s: loads something, or is unsafe: %q", name, m)
		}
		for _, s := range r.Steps {
			if !strings.Contains(text, printable.HTML(s.Summary)) &&
				!strings.Contains(html.UnescapeString(text), printable.Text(s.Summary)) {
				t.Errorf("%s: step %d is missing: %q", name, s.Number, s.Summary)
			}
		}
		level := 0
		for _, m := range regexp.MustCompile(`<h([1-6])`).FindAllStringSubmatch(text, -1) {
			if n := int(m[1][0] - '0'); n > level+1 {
				t.Errorf("%s: a heading of level %d follows one of level %d", name, n, level)
			} else {
				level = n
			}
		}
		if ids := regexp.MustCompile(` id="([^"]*)"`).FindAllString(text, -1); len(ids) != len(unique(ids)) {
			t.Errorf("%s: an id is taken twice: %q", name, ids)
		}
	}
}

// TestSpell: only what is at its end took some time.
func TestSpell(t *testing.T) {
	p := reporttest.Small()
	live := reporttest.Run(p, 1, "started", "")
	live.Live = true
	givenUp := reporttest.Run(p, 1, "waiting", "ask")
	givenUp.Entries = append(givenUp.Entries, journal.Entry{Seq: len(givenUp.Entries) + 1, Key: executor.RunKey,
		Event: executor.EventAbandoned})
	for name, run := range map[string]*report.Run{
		"Took": reporttest.Run(p, 3, "", ""), "Waiting since": reporttest.Run(p, 1, "waiting", "ask"),
		"Stopped": reporttest.Run(p, 1, "failed", "busy"), "Began": live,
		"Stopped, given up": givenUp,
	} {
		name, _, _ := strings.Cut(name, ",")
		text := htmlOf(t, made(t, p, run))
		for _, other := range []string{"Took", "Waiting since", "Stopped", "Began"} {
			if has := strings.Contains(text, "<dt>"+other+"</dt>"); has != (other == name) {
				t.Errorf("%s: %s stands there: %v", name, other, has)
			}
		}
		before := strings.Count(text, report.Before+"tls valid until")
		if header := strings.Contains(text, ">Before</th>"); before == 0 || !header || strings.Contains(text, ">Now</th>") {
			t.Errorf("%s: what is from before the run is not said to be", name)
		}
	}
}

// TestTone: a run is good only when all is done, and a plan never has the legend of runs.
func TestTone(t *testing.T) {
	small, refused := reporttest.Small(), reporttest.Small()
	refused.Findings[0].Severity = planner.Refuse
	for name, c := range map[string]struct {
		r            *report.Report
		tone, legend string
	}{
		"a plan":       {made(t, small, nil), "good", "adds"},
		"refused":      {made(t, refused, nil), "bad", "adds"},
		"not all done": {made(t, small, reporttest.Run(small, 1, "reopened", "")), "warn", "done"},
		"none begun":   {made(t, small, &report.Run{State: "given up"}), "warn", "done"},
		"failed":       {made(t, small, reporttest.Run(small, 1, "failed", "busy")), "bad", "done"},
		"done":         {made(t, small, reporttest.Run(small, 3, "", "")), "good", "done"},
	} {
		text := htmlOf(t, c.r)
		_, legend, _ := strings.Cut(text, `<p class="legend">`)
		if !strings.Contains(text, `<p class="verdict `+c.tone+`">`) || !strings.Contains(legend[:60], ">"+c.legend+"<") {
			t.Errorf("%s: not %s, or legend %q", name, c.tone, legend[:60])
		}
	}
}

func unique(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}

// TestDeterministic: the same report gives the same documents.
func TestDeterministic(t *testing.T) {
	p := reporttest.Fleet(9, 40)
	one, two := made(t, p, nil), made(t, p, nil)
	if markdown(t, one, 9000) != markdown(t, two, 9000) || htmlOf(t, one) != htmlOf(t, two) {
		t.Error("two documents of one plan differ")
	}
}

// BenchmarkHTML makes the page of a plan of 5,000 steps.
func BenchmarkHTML(b *testing.B) {
	p := reporttest.Fleet(40, 5000)
	for b.Loop() {
		r, err := report.New(p, nil)
		if err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		if err := page.HTML(&out, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMarkdown makes the comment of a plan of 20,000 declarations, most of which have no room in it.
func BenchmarkMarkdown(b *testing.B) {
	p := &planner.Plan{}
	for i := range 20000 {
		addr := fmt.Sprintf("sync.depot.tools-with-a-long-name-%05d", i)
		p.Changes = append(p.Changes, planner.ResourceChange{Addr: addr, Action: planner.Create})
		p.Steps = append(p.Steps, planner.Step{ID: addr + "/x", Addr: addr, Op: "x", Undo: "undo it"})
	}
	r := made(b, p, nil)
	for b.Loop() {
		markdown(b, r, page.MostOfComment)
	}
}
