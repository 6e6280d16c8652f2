// Package printable makes text from servers, files, people and other programs safe to show. In the result, no
// character moves a cursor, reorders or hides the text around it, or is invisible. Such characters are written as
// escapes.
//
// Unsafe are control characters (C0, DEL, C1), line and paragraph separators, everything that Unicode calls a format
// character or ignorable (zero-width characters, direction marks, tags, fillers, variation selectors), private use,
// unassigned characters, and bytes that are not UTF-8. Letters of every script are kept, including right-to-left ones:
// only the direction marks are escaped. Joiners and selectors are kept where emoji use them. Flags of regions are
// spelled with tags, which are escaped.
package printable

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text replaces unsafe characters by escapes as in Go: \x1b, \u202e, \U000e0041, and \xff for a byte that is not
// UTF-8. Line feeds and tabs are kept.
func Text(s string) string { return escape(s, true, goEscape) }

// Line is like Text but returns a single line: line feeds and tabs are escaped too.
func Line(s string) string { return escape(s, false, goEscape) }

// JSON replaces unsafe characters in one or more JSON documents by JSON escapes, so that the values stay the same. A
// byte that is not UTF-8 becomes U+FFFD, as decoders read it.
func JSON(doc []byte) []byte {
	if !slices.ContainsFunc(doc, func(c byte) bool { return (c < ' ' || c >= 0x7f) && c != '\n' && c != '\t' }) {
		return doc // the usual case, in which nothing is copied
	}
	s := string(doc)
	if clean := escape(s, true, jsonEscape); clean != s {
		return []byte(clean)
	}
	return doc
}

// Safe reports whether Text leaves the text unchanged.
func Safe(s string) bool { return Text(s) == s }

func escape(s string, layout bool, write func(b *strings.Builder, r rune, invalid bool)) string {
	if isPlain(s, layout) {
		return s // the usual case, which takes no memory
	}
	var b strings.Builder
	kept := 0 // s[:kept] is already in b
	before := rune(0)
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7f || layout && (c == '\n' || c == '\t') {
			before = rune(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		invalid := r == utf8.RuneError && n == 1
		if invalid {
			r = rune(s[i])
		}
		if invalid || unsafe(r) && !partOfEmoji(before, r, s[i+n:]) {
			b.WriteString(s[kept:i])
			write(&b, r, invalid)
			kept = i + n
			r = 0
		}
		before = r
		i += n
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[kept:])
	return b.String()
}

// isPlain reports whether a text has only characters of ASCII that are safe.
func isPlain(s string, layout bool) bool {
	for _, c := range []byte(s) {
		if (c < ' ' || c >= 0x7f) && !(layout && (c == '\n' || c == '\t')) {
			return false
		}
	}
	return true
}

func goEscape(b *strings.Builder, r rune, invalid bool) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case invalid || r < 0x80:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

func jsonEscape(b *strings.Builder, r rune, invalid bool) {
	switch {
	case invalid:
		b.WriteString(`\ufffd`)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		high, low := utf16.EncodeRune(r)
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
	}
}

// unsafe reports whether a character is unsafe, regardless of its place.
func unsafe(r rune) bool {
	switch {
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // visible, although they are format characters
		return false
	case isEmoji(r): // newer ones are unassigned in older tables
		return false
	case !unicode.IsGraphic(r):
		return true
	}
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const (
	joiner     = '\u200d'
	textLook   = '\ufe0e'
	emojiLook  = '\ufe0f'
	keycap     = '\u20e3'
	keycapKeys = "0123456789#*"
)

// partOfEmoji reports whether an unsafe character is where emoji use it: a selector after an emoji, or between a key
// and its cap, or a joiner between two emoji.
func partOfEmoji(before, r rune, rest string) bool {
	after, _ := utf8.DecodeRuneInString(rest)
	switch r {
	case textLook, emojiLook:
		return isEmoji(before) || after == keycap && before > 0 && strings.ContainsRune(keycapKeys, before)
	case joiner:
		return (isEmoji(before) || before == emojiLook) && isEmoji(after)
	}
	return false
}

// isEmoji reports whether a character may begin an emoji. It is also true for other symbols, which does no harm.
func isEmoji(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2190 && r <= 0x2bff || strings.ContainsRune("©®‼⁉™ℹ〰〽㊗㊙", r)
}
