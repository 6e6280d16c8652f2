package syncinfo

import (
	"fmt"
	"unicode/utf8"

	"github.com/syncctl/syncctl/schema"
)

const cutShort = "the file ends too early: it is cut short; download it again"

// SyntaxError says that a file is not what Backbone exports. No option allows one.
type SyntaxError struct {
	File   string
	Line   int   // 1-based
	Column int   // 1-based, in bytes
	Offset int64 // in bytes from the start of the file
	Msg    string
}

// Error gives file:line:column: what is wrong and what to do.
func (e *SyntaxError) Error() string {
	return where(e.File, e.Line, e.Column) + ": " + e.Msg
}

// Warning is something odd in a file that does no harm.
type Warning struct {
	Where string // file:line:column
	Msg   string
}

// String gives file:line:column: message.
func (w Warning) String() string { return w.Where + ": " + w.Msg }

// found describes a byte for an error message.
func found(c byte) string {
	switch {
	case c == '\'':
		return `"'"`
	case c >= ' ' && c < 0x7f:
		return "'" + string(rune(c)) + "'"
	default:
		return fmt.Sprintf("byte 0x%02x", c)
	}
}

// clip makes a name from a file fit for a message: short, on one line, and without control characters.
func clip(s string) string {
	if len(s) > 60 {
		n := 60
		for n > 56 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "..."
	}
	return schema.SanitizeLine(s)
}

// onOneLine is an error whose text names files that may have any name.
type onOneLine struct{ err error }

func (e onOneLine) Error() string { return schema.SanitizeLine(e.err.Error()) }
func (e onOneLine) Unwrap() error { return e.err }
