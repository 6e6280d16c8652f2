// Package settings edits the settings files of a server in place: Java properties (Properties) and HOCON (HOCON).
//
// An edit changes only the lines it is meant for. Every other byte stays: comments, order, blank lines, line endings,
// indentation, the way other values are written, and a byte order mark. An edited text is read again before it counts:
// except for the one setting, it must say what it said before. An edit for which that is impossible is refused, and
// nothing is changed.
//
// No error of this package contains a value, because settings hold passwords.
package settings

import (
	"bytes"
	"fmt"
	"strings"
)

// SyntaxError says where a file is invalid for its reader on the server, and why. It shows nothing of the file but
// single punctuation characters.
type SyntaxError struct {
	Line   int // 1-based
	Column int // 1-based, in characters; in bytes if the file is read as ISO 8859-1
	Msg    string
}

// Error returns line, column, and what is wrong there.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// IsEncrypted reports whether a value was made by the vendor's encryptor: ENC(...). It cannot be compared with a plain
// value.
func IsEncrypted(value string) bool {
	value = strings.TrimSpace(value)
	return strings.HasPrefix(value, "ENC(") && strings.HasSuffix(value, ")")
}

// Truth reads a value as HOCON does if a program asks for a boolean: true, yes, on; false, no, off. Whether a setting
// has to change depends on this and not on the text: on means the same as true.
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

// refuseUTF16 returns an error for a file saved as UTF-16: neither reader accepts it, and inserted bytes would corrupt
// it.
func refuseUTF16(src []byte) error {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return &SyntaxError{1, 1, "the file is saved as UTF-16, which the server does not read; save it as UTF-8"}
	}
	return nil
}

// splice returns src with the bytes from start to end replaced.
func splice(src []byte, start, end int, with string) []byte {
	out := make([]byte, 0, len(src)+len(with)-(end-start))
	out = append(out, src[:start]...)
	out = append(out, with...)
	return append(out, src[end:]...)
}
