package functions

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// jqlQuote writes a text as a string of JQL. According to Atlassian's grammar of JQL (JQLLexer.g4, QUOTE_STRING), a
// string in double quotes may contain everything except quotes, backslashes and control characters literally, and has
// the escapes \" \\ \n \r \t and \uXXXX.
func jqlQuote(args ...string) (string, error) {
	var b strings.Builder
	b.WriteByte('"')
	letter := false // what was written last is a letter or digit of an escape, with which an accent would become one
	for _, r := range args[0] {
		accent := letter && !norm.NFC.PropertiesString(string(r)).BoundaryBefore()
		letter = accent
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
			letter = true
		case r == '\r':
			b.WriteString(`\r`)
			letter = true
		case r == '\t':
			b.WriteString(`\t`)
			letter = true
		case jqlControl(r) || accent && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
			letter = true
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// jqlControl reports whether the grammar forbids a character in a string (CONTROLCHARS).
func jqlControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0xfdd0 && r <= 0xfdef || r == 0xfffe || r == 0xffff
}

// quoted returns the cost of jql_quote, in which each character may become six, and is made twice.
func quoted(args []cty.Value) int64 { return units(12 * int64(len(text(args, 0)))) }
