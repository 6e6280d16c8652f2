package settings

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The tokens of HOCON as Lightbend's library makes them (HOCON.md of github.com/lightbend/config, and its Tokenizer for
// what that leaves open). White space is no token: between two simple values it is the bytes between them.

type tokenKind int

const (
	tokEnd          tokenKind = iota
	tokNewline                // \n alone: \r is white space
	tokComment                // # or // up to the newline
	tokComma                  // ,
	tokSeparator              // = or :
	tokAppend                 // +=
	tokOpenBrace              // {
	tokCloseBrace             // }
	tokOpenBracket            // [
	tokCloseBracket           // ]
	tokWord                   // unquoted text
	tokTyped                  // a number, true, false, null
	tokString                 // quoted, once or thrice
	tokSubstitution           // ${path} or ${?path}
)

var tokenNames = map[tokenKind]string{
	tokEnd: "the end of the file", tokNewline: "the end of the line", tokComment: "a comment", tokComma: "','",
	tokSeparator: "'=' or ':'", tokAppend: "'+='", tokOpenBrace: "'{'", tokCloseBrace: "'}'", tokOpenBracket: "'['",
	tokCloseBracket: "']'", tokWord: "text", tokTyped: "text", tokString: "a quoted text", tokSubstitution: "'${...}'",
}

type token struct {
	kind       tokenKind
	start, end int
	text       string // of words, numbers and strings: what they stand for
}

// simple: a value that is neither object nor array.
func (t token) simple() bool {
	return t.kind == tokWord || t.kind == tokTyped || t.kind == tokString || t.kind == tokSubstitution
}

// named: may be a part of a path.
func (t token) named() bool { return t.simple() && t.kind != tokSubstitution }

// lexer makes tokens one by one.
type lexer struct {
	src    []byte
	at     int
	inside bool // of ${...}
}

func (l *lexer) fail(at int, msg string) error { return hoconError(l.src, at, msg) }

func hoconError(src []byte, at int, msg string) error {
	before := src[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{lineAt(src, at), utf8.RuneCount(before[start:]) + 1, msg}
}

// lineAt is the line (1-based) of an offset. For HOCON only \n ends one.
func lineAt(src []byte, at int) int { return bytes.Count(src[:at], []byte{'\n'}) + 1 }

// isSpace is Java's isWhitespace, with the no-break spaces and the byte order mark that it leaves out.
func isSpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == '\ufeff':
		return true
	case r < 0x80:
		return false
	}
	return unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
}

// reserved may stand in quotes only, but for the marks of HOCON's own.
const reserved = "$\"{}[]:=,+#`^?!@*&\\"

// next is the next token.
func (l *lexer) next() (token, error) {
	for l.at < len(l.src) {
		r, size := utf8.DecodeRune(l.src[l.at:])
		if r == '\n' || !isSpace(r) {
			break
		}
		l.at += size
	}
	if l.at == len(l.src) {
		return token{kind: tokEnd, start: l.at, end: l.at}, nil
	}
	start, c := l.at, l.src[l.at]
	switch {
	case c == '#' || bytes.HasPrefix(l.src[l.at:], []byte("//")):
		l.at = len(l.src)
		if n := bytes.IndexByte(l.src[start:], '\n'); n >= 0 {
			l.at = start + n
		}
		return token{kind: tokComment, start: start, end: l.at}, nil
	case c == '"':
		text, err := l.quoted()
		return token{tokString, start, l.at, text}, err
	case c == '$':
		return l.substitution()
	case c == '+':
		if !bytes.HasPrefix(l.src[l.at:], []byte("+=")) {
			return token{}, l.fail(start, "'+' may stand in quotes only, or before '='")
		}
		l.at += 2
		return token{kind: tokAppend, start: start, end: l.at}, nil
	case c == '-' || c >= '0' && c <= '9':
		return l.number()
	}
	kind, ok := map[byte]tokenKind{
		'\n': tokNewline, ',': tokComma, '=': tokSeparator, ':': tokSeparator,
		'{': tokOpenBrace, '}': tokCloseBrace, '[': tokOpenBracket, ']': tokCloseBracket,
	}[c]
	if ok {
		l.at++
		return token{kind: kind, start: start, end: l.at}, nil
	}
	if strings.IndexByte(reserved, c) >= 0 {
		return token{}, l.fail(start, "'"+string(c)+"' may stand in quotes only")
	}
	return l.word(), nil
}

// word reads unquoted text. true, false and null at its start are tokens of their own.
func (l *lexer) word() token {
	start := l.at
	for l.at < len(l.src) {
		r, size := utf8.DecodeRune(l.src[l.at:])
		if isSpace(r) || strings.ContainsRune(reserved, r) || bytes.HasPrefix(l.src[l.at:], []byte("//")) {
			break
		}
		l.at += size
		switch string(l.src[start:min(l.at, start+5)]) {
		case "true", "false", "null":
			return token{tokTyped, start, l.at, string(l.src[start:l.at])}
		}
	}
	return token{tokWord, start, l.at, valid(l.src[start:l.at])}
}

// valid reads UTF-8; each byte that is none becomes U+FFFD, as in Java.
func valid(text []byte) string { return string(bytes.Runes(text)) }

// number reads what begins like a number; if it is none, it is text.
func (l *lexer) number() (token, error) {
	start := l.at
	for l.at < len(l.src) && strings.IndexByte("0123456789eE+-.", l.src[l.at]) >= 0 {
		l.at++
	}
	text := string(l.src[start:l.at])
	if isNumber(text) {
		return token{tokTyped, start, l.at, text}, nil
	}
	if plus := strings.IndexByte(text, '+'); plus >= 0 {
		return token{}, l.fail(start+plus, "'+' may stand in quotes only, or before '='")
	}
	return token{tokWord, start, l.at, text}, nil
}

func isNumber(text string) bool {
	if !strings.ContainsAny(text, ".eE") {
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// quoted reads a string in quotes; l.at is at the first one.
func (l *lexer) quoted() (string, error) {
	start := l.at
	if bytes.HasPrefix(l.src[l.at:], []byte(`"""`)) {
		return l.tripleQuoted()
	}
	var units []uint16
	for l.at++; l.at < len(l.src); {
		r, size := utf8.DecodeRune(l.src[l.at:])
		switch {
		case r == '"':
			l.at++
			return string(utf16.Decode(units)), nil
		case r == '\\':
			unit, err := l.escape()
			if err != nil {
				return "", err
			}
			units = append(units, unit)
			continue
		case r == '\n':
			return "", l.fail(start, "the text in quotes does not end on its line")
		case r < ' ':
			return "", l.fail(l.at, "a control character may not stand in quotes as it is")
		}
		units = utf16.AppendRune(units, r)
		l.at += size
	}
	return "", l.fail(start, "the text in quotes does not end")
}

// tripleQuoted reads up to the last three of at least three quotes.
func (l *lexer) tripleQuoted() (string, error) {
	start := l.at
	n := bytes.Index(l.src[start+3:], []byte(`"""`))
	if n < 0 {
		return "", l.fail(start, `the text in """ does not end`)
	}
	end := start + 3 + n + 3
	for end < len(l.src) && l.src[end] == '"' {
		end++
	}
	l.at = end
	return valid(l.src[start+3 : end-3]), nil
}

// escape reads one of JSON's; l.at is at the backslash.
func (l *lexer) escape() (uint16, error) {
	start := l.at
	if l.at += 2; l.at > len(l.src) {
		l.at = len(l.src)
		return 0, l.fail(start, "the file ends in a backslash")
	}
	c := l.src[l.at-1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return uint16("\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return 0, l.fail(start, `the backslash is not followed by one of " \ / b f n r t u; a backslash is written \\`)
	}
	if l.at += 4; l.at > len(l.src) {
		l.at = len(l.src)
	}
	digits := string(l.src[start+2 : l.at])
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) != 4 {
		return 0, l.fail(start, `\u is not followed by four hexadecimal digits`)
	}
	return uint16(n), nil
}

// substitution reads ${path} or ${?path}.
func (l *lexer) substitution() (token, error) {
	start := l.at
	switch {
	case !bytes.HasPrefix(l.src[l.at:], []byte("${")):
		return token{}, l.fail(start, "'$' may stand in quotes only, or before '{'")
	case l.inside:
		return token{}, l.fail(start, "'${...}' may not stand in a path")
	}
	l.inside = true
	defer func() { l.inside = false }()
	if l.at += 2; l.at < len(l.src) && l.src[l.at] == '?' {
		l.at++
	}
	var parts []token
	for {
		t, err := l.next()
		switch {
		case err != nil:
			return token{}, err
		case t.kind == tokCloseBrace:
			if len(parts) == 0 {
				return token{}, l.fail(start, "'${...}' names nothing")
			}
			_, err = pathOf(l.src, parts)
			return token{kind: tokSubstitution, start: start, end: l.at}, err
		case t.kind == tokEnd:
			return token{}, l.fail(start, "'${' is not closed by '}'")
		case !t.named():
			return token{}, l.fail(t.start, tokenNames[t.kind]+" may not stand in a path")
		}
		parts = append(parts, t)
	}
}

// pathOf reads names with dots between them. Dots in quotes and white space between texts belong to the name.
func pathOf(src []byte, parts []token) ([]string, error) {
	var path []string
	var name strings.Builder
	empty := false // "" in quotes is a name
	for i, t := range parts {
		if i > 0 {
			name.Write(src[parts[i-1].end:t.start])
		}
		if t.kind == tokString {
			name.WriteString(t.text)
			empty = empty || t.text == ""
			continue
		}
		for j, text := range strings.Split(t.text, ".") {
			if j > 0 {
				if name.Len() == 0 && !empty {
					return nil, hoconError(src, t.start, "a path may not begin with a dot or have two in a row")
				}
				path = append(path, name.String())
				name.Reset()
				empty = false
			}
			name.WriteString(text)
		}
	}
	if name.Len() == 0 && !empty {
		return nil, hoconError(src, parts[len(parts)-1].start, "a path may not end in a dot")
	}
	return append(path, name.String()), nil
}
