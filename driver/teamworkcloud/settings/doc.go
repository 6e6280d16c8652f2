// Package settings edits the settings files of a server in place: Java properties (Properties) and HOCON (HOCON).
//
// An edit changes the lines it is meant for and no other byte: comments, order, blank lines, line endings,
// indentation, the way other values are spelled and a byte order mark are kept. An edited text is read again before
// it counts, and has to say what was said before, except for the one setting. An edit that cannot be done that way
// is refused, and nothing is changed.
//
// No error of this package contains a value: settings hold passwords.
package settings

import (
	"bytes"
	"fmt"
	"strings"
)

// SyntaxError is a file that its reader on the server would refuse, and where. It shows nothing of the file but
// single characters of punctuation.
type SyntaxError struct {
	Line   int // 1-based
	Column int // 1-based, in characters; in bytes where the file is read as ISO 8859-1
	Msg    string
}

// Error gives line, column, and what is wrong there.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// IsEncrypted tells whether a value was made by the vendor's encryptor: ENC(...). It cannot be compared with a clear
// value.
func IsEncrypted(value string) bool {
	value = strings.TrimSpace(value)
	return strings.HasPrefix(value, "ENC(") && strings.HasSuffix(value, ")")
}

// Truth reads a value as HOCON does where a program asks for a boolean: true, yes, on; false, no, off. Whether
// a setting has to change depends on this, not on the text: on means the same as true.
func Truth(value string) (truth, ok bool) {
	switch value {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// refuseUTF16 refuses a file that was saved as UTF-16: neither reader takes it, and inserted bytes would corrupt it.
func refuseUTF16(src []byte) error {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return &SyntaxError{1, 1, "the file is saved as UTF-16, which the server does not read; save it as UTF-8"}
	}
	return nil
}

// splice is src with the bytes from start to end replaced.
func splice(src []byte, start, end int, with string) []byte {
	out := make([]byte, 0, len(src)+len(with)-(end-start))
	out = append(out, src[:start]...)
	out = append(out, with...)
	return append(out, src[end:]...)
}
