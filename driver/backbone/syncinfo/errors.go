package syncinfo

import (
	"fmt"
	"unicode/utf8"

	"github.com/syncctl/syncctl/schema"
)

const cutShort = "the file ends too early: it is cut short; download it again"

// SyntaxError says that a file is not what Backbone exports. No option allows that.
type SyntaxError struct {
	File   string
	Line   int   // 1-based
	Column int   // 1-based, in bytes
	Offset int64 // in bytes from the start of the file
	Msg    string
}

// Error returns file:line:column: what is wrong and what to do.
func (e *SyntaxError) Error() string {
	return where(e.File, e.Line, e.Column) + ": " + e.Msg
}

// Warning is something unusual but harmless in a file.
type Warning struct {
	Where string // file:line:column
	Msg   string
}

// String returns file:line:column: message.
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

// clip prepares a name from a file for a message: short, on one line, and without control characters.
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

// onOneLine puts the text of an error on one line. The text contains names of files, which may have any characters.
type onOneLine struct{ err error }

func (e onOneLine) Error() string { return schema.SanitizeLine(e.err.Error()) }
func (e onOneLine) Unwrap() error { return e.err }
