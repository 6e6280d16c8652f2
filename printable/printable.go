// Package printable makes text from servers, files, people and other programs safe to show: no character of it moves a
// cursor, reorders or hides what stands around it, or is invisible itself. Such a character is written as an escape.
//
// Unsafe are control characters (C0, DEL, C1), line and paragraph separators, everything that Unicode calls a format
// character or ignorable (zero-width characters, marks of direction, tags, fillers, variation selectors), private use,
// what is assigned to nothing, and bytes that are not UTF-8. Letters of every script are kept, those written from
// right to left too: only the marks of direction are escaped. Within emoji the joiner and the selectors are kept, in
// the places where emoji have them; flags of regions are spelled with tags, which are escaped.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is text with escapes in place of unsafe characters, as Go writes them: \x1b, \u202e, \U000e0041, and \xff for a
// byte that is not UTF-8. Line feeds and tabs are kept.
func Text(s string) string { return escape(s, true, goEscape) }

// Line is Text on one line: line feeds and tabs are escaped too.
func Line(s string) string { return escape(s, false, goEscape) }

// JSON is a JSON document, or several, with JSON's escapes in place of unsafe characters: the values stay what they
// are. A byte that is not UTF-8 becomes U+FFFD, as decoders read it.
func JSON(doc []byte) []byte {
	s := string(doc)
	if clean := escape(s, true, jsonEscape); clean != s {
		return []byte(clean)
	}
	return doc
}

// Safe tells whether Text leaves the text as it is.
func Safe(s string) bool { return Text(s) == s }

func escape(s string, layout bool, write func(b *strings.Builder, r rune, invalid bool)) string {
	var b strings.Builder
	kept := 0 // up to here s is in b
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

// unsafe tells of a character whether it is not one to be seen, wherever it stands.
func unsafe(r rune) bool {
	switch {
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // visible, though called format characters
		return false
	case isEmoji(r): // newer ones are assigned to nothing in older tables
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

// partOfEmoji tells whether an unsafe character stands where emoji have it: a selector after an emoji, or between a key
// and its cap, and a joiner between two.
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

// isEmoji tells whether a character may begin an emoji. It takes in other symbols, to which it does no harm.
func isEmoji(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2190 && r <= 0x2bff || strings.ContainsRune("©®‼⁉™ℹ〰〽㊗㊙", r)
}
