package printable

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
)

// Foreign text in a language for documents or pictures: what it would mean there, it does not mean. Each function is
// for one place in one language, and makes unsafe characters visible as Line does.

// HTML is text between tags, or in an attribute with quotes, of HTML and SVG.
func HTML(s string) string { return html.EscapeString(Line(s)) }

// apart stands between two characters of Markdown that would mean something together. It is not shown.
const apart = "<!-- -->"

// Markdown is text on a line of Markdown, after something else on the line: no emphasis, link, image, HTML, code,
// formula, list, heading, mention, reference to an issue, or emoji comes of it.
func Markdown(s string) string {
	var b strings.Builder
	line := []rune(Line(s))
	at := func(i int) rune {
		if i < 0 || i >= len(line) {
			return ' '
		}
		return line[i]
	}
	for i, r := range line {
		if strings.ContainsRune("\\`*{}[]<>#|~$&!", r) || i == 0 && strings.ContainsRune("-+=:", r) ||
			r == '_' && !(isWord(at(i-1)) && isWord(at(i+1))) ||
			strings.ContainsRune(".)", r) && (isNumber(line[:i]) || at(i-1)|' ' == 'w') {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if means(line, i) {
			b.WriteString(apart)
		}
	}
	return b.String()
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// isNumber tells whether a line would begin a list if . or ) followed.
func isNumber(line []rune) bool {
	return len(line) < 10 && !slices.ContainsFunc(line, func(r rune) bool { return !unicode.IsDigit(r) })
}

// means tells whether a character makes something of what follows, where comments are shown: a mention, a reference, an
// address, an emoji.
func means(line []rune, i int) bool {
	r, rest := line[i], line[i+1:]
	if len(rest) == 0 || rest[0] == ' ' {
		return false
	}
	if r == '-' { // GH-1 is an issue, too
		return i >= 2 && strings.EqualFold(string(line[i-2:i]), "GH") && unicode.IsDigit(rest[0])
	}
	if r != ':' {
		return strings.ContainsRune("@#!$~%&", r)
	}
	for i, next := range rest {
		if next == '/' && i == 0 || next == ':' {
			return true
		}
		if next != '_' && next != '-' && next != '+' && (next < '0' || next > '9') && (next < 'a' || next > 'z') {
			return false
		}
	}
	return false
}

// MarkdownHTML is text between tags in Markdown, such as in <summary>, where Markdown is not read, but mentions are.
func MarkdownHTML(s string) string {
	var b strings.Builder
	line := []rune(Line(s))
	for i, r := range line {
		b.WriteString(html.EscapeString(string(r)))
		if means(line, i) {
			b.WriteString(apart)
		}
	}
	return b.String()
}

// MarkdownCode is a span of code on a line of Markdown, with its fences.
func MarkdownCode(s string) string {
	s = Line(s)
	if strings.TrimSpace(s) == "" {
		return "` `"
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' && s[len(s)-1] == ' ' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// MarkdownBlock is a block of code on lines of its own, with its fences. language says what it is, such as "sh".
func MarkdownBlock(language, s string) string {
	s = strings.TrimSuffix(Text(s), "\n")
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + s + "\n" + fence + "\n"
}

func longestRun(s string, of byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// Mermaid is text in quotes in a Mermaid diagram, with the quotes. What could mean something is written as Mermaid
// writes characters: #NUMBER;
func Mermaid(s string) string { return `"` + MermaidLine(s) + `"` }

// MermaidLine is Mermaid without the quotes, for a label of several lines.
func MermaidLine(s string) string {
	var b strings.Builder
	for i, r := range []rune(Line(s)) {
		plain := r > 0x7f || unicode.IsLetter(r) || unicode.IsDigit(r) || i > 0 && strings.ContainsRune(" ,/_-", r)
		switch {
		case plain:
			b.WriteRune(r)
		case r == '\\':
			b.WriteString("#92;#8288;") // with what joins words: \n would break the line
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// DOT is text in quotes in Graphviz's language, with the quotes.
func DOT(s string) string { return `"` + DOTLine(s) + `"` }

// DOTLine is DOT without the quotes, for a label of several lines.
func DOTLine(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace(Line(s))
}
