package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The tokens of HOCON are those of Lightbend's library (HOCON.md of github.com/lightbend/config, and its Tokenizer for
// what that leaves open). White space is not a token: between two texts it is the bytes between them. Numbers, true,
// false and null are words, because whoever asks for a text gets them as text.

type tokenKind int

const (
	tokEnd          tokenKind = iota
	tokNewline                // \n alone: \r is white space
	tokComment                // # or // up to the end of the line
	tokComma                  // ,
	tokSeparator              // = or :
	tokAppend                 // +=
	tokOpenBrace              // {
	tokCloseBrace             // }
	tokOpenBracket            // [
	tokCloseBracket           // ]
	tokWord                   // unquoted text
	tokString                 // quoted, once or three times
	tokSubstitution           // ${path} or ${?path}
)

var tokenNames = map[tokenKind]string{
	tokEnd: "the end of the file", tokNewline: "the end of the line", tokComment: "a comment", tokComma: "','",
	tokSeparator: "'=' or ':'", tokAppend: "'+='", tokOpenBrace: "'{'", tokCloseBrace: "'}'", tokOpenBracket: "'['",
	tokCloseBracket: "']'", tokWord: "text", tokString: "a quoted text", tokSubstitution: "'${...}'",
}

var punctuation = map[byte]tokenKind{
	'\n': tokNewline, ',': tokComma, '=': tokSeparator, ':': tokSeparator,
	'{': tokOpenBrace, '}': tokCloseBrace, '[': tokOpenBracket, ']': tokCloseBracket,
}

type token struct {
	kind       tokenKind
	start, end int
	text       string // for words and strings: the text they stand for
}

// named reports whether the token may be part of a path.
func (t token) named() bool { return t.kind == tokWord || t.kind == tokString }

// lexer returns tokens one by one. After its first error, which it keeps, it only returns the end of the file.
type lexer struct {
	src    []byte
	at     int
	inside bool // inside ${...}
	err    error
}

func (l *lexer) fail(at int, msg string) token {
	if l.err == nil {
		start := bytes.LastIndexByte(l.src[:at], '\n') + 1
		l.err = &SyntaxError{lineAt(l.src, at), utf8.RuneCount(l.src[start:at]) + 1, msg}
	}
	l.at = len(l.src)
	return token{kind: tokEnd, start: l.at, end: l.at}
}

// lineAt returns the line (1-based) of an offset. In HOCON only \n ends a line.
func lineAt(src []byte, at int) int { return bytes.Count(src[:at], []byte{'\n'}) + 1 }

// isSpace is Java's isWhitespace plus the no-break spaces and the byte order mark.
func isSpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == '\ufeff':
		return true
	case r < 0x80:
		return false
	}
	return unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
}

// reserved lists the characters that are allowed only in quotes.
const reserved = "$\"{}[]:=,+#`^?!@*&\\"

// token reads the next token.
func (l *lexer) token() token {
	for l.at < len(l.src) {
		r, size := utf8.DecodeRune(l.src[l.at:])
		if r == '\n' || !isSpace(r) {
			break
		}
		l.at += size
	}
	start, rest := l.at, l.src[l.at:]
	if len(rest) == 0 {
		return token{kind: tokEnd, start: start, end: start}
	}
	kind, punctuates := punctuation[rest[0]]
	switch c := rest[0]; {
	case punctuates:
		l.at++
	case c == '#' || bytes.HasPrefix(rest, []byte("//")):
		kind, l.at = tokComment, len(l.src)
		if n := bytes.IndexByte(rest, '\n'); n >= 0 {
			l.at = start + n
		}
	case bytes.HasPrefix(rest, []byte("+=")):
		kind, l.at = tokAppend, start+2
	case c == '"':
		return l.quoted()
	case c == '$':
		return l.substitution()
	case strings.IndexByte(reserved, c) >= 0:
		return l.fail(start, "'"+string(c)+"' is allowed in quotes only")
	default:
		return l.word()
	}
	return token{kind: kind, start: start, end: l.at}
}

// word reads unquoted text. A number may have + in its exponent, which is not allowed elsewhere in a word.
func (l *lexer) word() token {
	start := l.at
	if c := l.src[start]; c == '-' || c >= '0' && c <= '9' {
		rest := l.src[start:]
		number := string(rest[:len(rest)-len(bytes.TrimLeft(rest, "0123456789eE+-."))])
		if plus := strings.IndexByte(number, '+'); plus >= 0 {
			if _, err := strconv.ParseFloat(number, 64); err != nil && !errors.Is(err, strconv.ErrRange) {
				return l.fail(start+plus, "'+' is allowed in quotes only, or before '='")
			}
			l.at += len(number)
			return token{tokWord, start, l.at, number}
		}
	}
	for l.at < len(l.src) {
		r, size := utf8.DecodeRune(l.src[l.at:])
		if isSpace(r) || strings.ContainsRune(reserved, r) || bytes.HasPrefix(l.src[l.at:], []byte("//")) {
			break
		}
		l.at += size
	}
	return token{tokWord, start, l.at, valid(l.src[start:l.at])}
}

// valid reads UTF-8; each invalid byte becomes U+FFFD, as in Java.
func valid(text []byte) string { return string(bytes.Runes(text)) }

// quoted reads a JSON string, or one in three quotes.
func (l *lexer) quoted() token {
	start, end := l.at, l.at+1
	if bytes.HasPrefix(l.src[start:], []byte(`"""`)) {
		return l.tripleQuoted()
	}
	for ; end < len(l.src) && l.src[end] != '"' && l.src[end] != '\n'; end++ {
		if l.src[end] == '\\' && end+1 < len(l.src) && l.src[end+1] != '\n' {
			end++
		}
	}
	if end >= len(l.src) || l.src[end] == '\n' {
		return l.fail(start, "the text in quotes does not end on its line")
	}
	l.at = end + 1
	var text string
	if json.Unmarshal(l.src[start:l.at], &text) != nil {
		return l.fail(start, `the text in quotes has a control character, or a backslash without one of " \ / b f n r t `+
			`or u and four hexadecimal digits after it; a backslash is written \\`)
	}
	return token{tokString, start, l.at, text}
}

// tripleQuoted reads a string up to the last three of at least three quotes.
func (l *lexer) tripleQuoted() token {
	start := l.at
	n := bytes.Index(l.src[start+3:], []byte(`"""`))
	if n < 0 {
		return l.fail(start, `the text in """ does not end`)
	}
	l.at = start + 3 + n + 3
	for l.at < len(l.src) && l.src[l.at] == '"' {
		l.at++
	}
	return token{tokString, start, l.at, valid(l.src[start+3 : l.at-3])}
}

// substitution reads ${path} or ${?path}.
func (l *lexer) substitution() token {
	start := l.at
	switch {
	case !bytes.HasPrefix(l.src[l.at:], []byte("${")):
		return l.fail(start, "'$' is allowed in quotes only, or before '{'")
	case l.inside:
		return l.fail(start, "'${...}' is not allowed in a path")
	}
	l.inside = true
	defer func() { l.inside = false }()
	if l.at += 2; l.at < len(l.src) && l.src[l.at] == '?' {
		l.at++
	}
	var parts []token
	for {
		t := l.token()
		switch {
		case t.kind == tokCloseBrace && len(parts) == 0:
			return l.fail(start, "'${...}' names nothing")
		case t.kind == tokCloseBrace:
			l.path(parts)
			return token{kind: tokSubstitution, start: start, end: l.at}
		case t.kind == tokEnd:
			return l.fail(start, "'${' is not closed by '}'")
		case !t.named():
			return l.fail(t.start, tokenNames[t.kind]+" is not allowed in a path")
		}
		parts = append(parts, t)
	}
}

// path reads names separated by dots. Dots in quotes and white space between texts belong to the name.
func (l *lexer) path(parts []token) []string {
	var path []string
	var name strings.Builder
	empty := false // "" in quotes is a name
	for i, t := range parts {
		if i > 0 {
			name.Write(l.src[parts[i-1].end:t.start])
		}
		if t.kind == tokString {
			name.WriteString(t.text)
			empty = empty || t.text == ""
			continue
		}
		for j, text := range strings.Split(t.text, ".") {
			if j > 0 {
				if name.Len() == 0 && !empty {
					l.fail(t.start, "a path does not begin with a dot or have two in a row")
				}
				path = append(path, name.String())
				name.Reset()
				empty = false
			}
			name.WriteString(text)
		}
	}
	if name.Len() == 0 && !empty {
		l.fail(parts[len(parts)-1].start, "a path does not end in a dot")
	}
	return append(path, name.String())
}
