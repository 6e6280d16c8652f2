package printable

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"plain text, as it is (really)": "plain text, as it is (really)",
		"server.depot.north is at 1.2":  "server.depot.north is at 1.2",
		"teamwork_cloud _x_":            `teamwork_cloud \_x\_`,
		"1. one":                        `1\. one`,
		"1) one":                        `1\) one`,
		"- a":                           `\- a`,
		"# a":                           `\# a`,
		"see GH-12, gh-3, XGH-4":        `see GH-<!-- -->12, gh-<!-- -->3, XGH-<!-- -->4`,
		"GH-x 1-2":                      `GH-x 1-2`,
		"see #12":                       `see \#<!-- -->12`,
		"@all a@b.example":              `@<!-- -->all a@<!-- -->b.example`,
		"https://x.example":             `https:<!-- -->//x.example`,
		"www.x.example":                 `www\.x.example`,
		":tada: 13:BC:8B 12:30":         `\:<!-- -->tada: 13:BC:8B 12:30`,
		"[a](b) ![c] <d> &lt; `e` |":    "\\[a\\](b) \\!<!-- -->\\[c\\] \\<d\\> \\&<!-- -->lt; \\`e\\` \\|",
		"a\nb\x1b\u202e":                `a\\nb\\x1b\\u202e`,
		`\`:                             `\\`,
	} {
		if got := Markdown(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"a":       "`a`",
		"a`b``c":  "```a`b``c```",
		"`a":      "`` `a ``",
		"":        "` `",
		"  ":      "` `",
		" a ":     "`  a  `",
		"a\n|b\\": "`a\\n|b\\`",
	} {
		if got := MarkdownCode(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got, want := MarkdownBlock("sh", "a\n```\n</details>\x1b"), "````sh\na\n```\n</details>\\x1b\n````\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := MarkdownHTML("<a> & @b"), "&lt;a&gt; &amp; @<!-- -->b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// plainMermaid is what a label may have of its own; numbered is a character by its number.
var (
	plainMermaid = regexp.MustCompile(`^"(?:[\p{L}\p{Nd} ,/_-]|[^\x00-\x7f]|#[0-9]+;)*"$`)
	numbered     = regexp.MustCompile(`#([0-9]+);`)
	escapedMark  = regexp.MustCompile("\\\\([!-/:-@\\[-`{-~])")
)

// FuzzMarkup: foreign text stays within its place in each language, and reads there as Line writes it.
func FuzzMarkup(f *testing.F) {
	for _, s := range []string{
		"", "<script>", "`a``", "\"]-->x[\"", `\"`, "@a #1 :b: https://", "\x1b[0m\u202e\xff", "1. a", "&#39;", "a\nb", "%%{", "שלום",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		if got := HTML(s); strings.ContainsAny(got, `<>"'`) || html.UnescapeString(got) != line {
			t.Errorf("HTML: %q", got)
		}
		if got := strings.ReplaceAll(MarkdownHTML(s), apart, ""); strings.ContainsAny(got, `<>"'`) ||
			html.UnescapeString(got) != line {
			t.Errorf("MarkdownHTML: %q", got)
		}
		md := Markdown(s)
		if got := escapedMark.ReplaceAllString(strings.ReplaceAll(md, apart, ""), "$1"); got != line {
			t.Errorf("Markdown: %q reads %q", md, got)
		}
		if left := escapedMark.ReplaceAllString(strings.ReplaceAll(md, apart, ""), ""); strings.ContainsAny(left, "`*<>[]{}|#&!$~\\") {
			t.Errorf("Markdown: %q is left of %q", left, md)
		}
		code := MarkdownCode(s)
		fence := code[:len(code)-len(strings.TrimLeft(code, "`"))]
		inside := strings.TrimSuffix(strings.TrimPrefix(code, fence), fence)
		if len(inside)+2*len(fence) != len(code) || longestRun(inside, '`') >= len(fence) ||
			strings.TrimSpace(inside) != strings.TrimSpace(line) || strings.Contains(code, "\n") {
			t.Errorf("MarkdownCode: %q", code)
		}
		block := MarkdownBlock("sh", s)
		rows := strings.Split(strings.TrimSuffix(block, "\n"), "\n")
		fence = strings.TrimSuffix(rows[0], "sh")
		for _, row := range rows[1 : len(rows)-1] {
			if strings.Contains(row, fence) {
				t.Errorf("MarkdownBlock: %q", block)
			}
		}
		mermaid := Mermaid(s)
		read := numbered.ReplaceAllStringFunc(mermaid[1:len(mermaid)-1], func(n string) string {
			r, _ := strconv.Atoi(n[1 : len(n)-1])
			return string(rune(r))
		})
		if !plainMermaid.MatchString(mermaid) || strings.ReplaceAll(read, "\u2060", "") != line {
			t.Errorf("Mermaid: %q", mermaid)
		}
		dot := DOT(s)
		if closes := regexp.MustCompile(`^"(?:[^"\\]|\\["\\])*"$`); !closes.MatchString(dot) || !utf8.ValidString(dot) {
			t.Errorf("DOT: %q", dot)
		}
	})
}
