package printable

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
)

// Functions that put foreign text into documents or pictures without giving it a meaning there. Each function is for
// one place in one language, and makes unsafe characters visible as Line does.

// HTML escapes text for use between tags or in a quoted attribute, in HTML and SVG.
func HTML(s string) string { return html.EscapeString(Line(s)) }

// apart separates two characters of Markdown that would have a meaning together. It is not displayed.
const apart = "<!-- -->"

// Markdown escapes text for use on a line of Markdown, after other text. It cannot become emphasis, a link, an image,
// HTML, code, a formula, a list, a heading, a mention, a reference to an issue, or an emoji.
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

// isNumber reports whether a line would begin a list if . or ) followed.
func isNumber(line []rune) bool {
	return len(line) < 10 && !slices.ContainsFunc(line, func(r rune) bool { return !unicode.IsDigit(r) })
}

// means reports whether the character at i gives a meaning to what follows when a comment is displayed: a mention, a
// reference, an address or an emoji.
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

// MarkdownHTML escapes text between tags in Markdown, such as in <summary>: Markdown has no effect there, but mentions
// do.
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

// MarkdownCode returns a code span on a line of Markdown, with its fences.
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

// MarkdownBlock returns a code block on its own lines, with its fences. language says what it is, such as "sh".
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

// Mermaid returns quoted text for a Mermaid diagram. Characters that could have a meaning are written in Mermaid's
// form #NUMBER;
func Mermaid(s string) string { return `"` + MermaidLine(s) + `"` }

// MermaidLine is like Mermaid without the quotes, for a label of several lines.
func MermaidLine(s string) string {
	var b strings.Builder
	for i, r := range []rune(Line(s)) {
		plain := r > 0x7f || unicode.IsLetter(r) || unicode.IsDigit(r) || i > 0 && strings.ContainsRune(" ,/_-", r)
		switch {
		case plain:
			b.WriteRune(r)
		case r == '\\':
			b.WriteString("#92;#8288;") // with a word joiner: \n would break the line
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// DOT returns quoted text for Graphviz.
func DOT(s string) string { return `"` + DOTLine(s) + `"` }

// DOTLine is like DOT without the quotes, for a label of several lines.
func DOTLine(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace(Line(s))
}
