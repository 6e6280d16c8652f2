package schema

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// mostPlain is how many texts are remembered, no more: it saves time, and takes memory.
const mostPlain = 1 << 16

// mayTell reports whether secretParts may find anything in a part of a text: if it may not, that is certain. To read
// the tokens takes much longer.
func mayTell(src []byte) bool {
	if login.Match(src) {
		return true
	}
	plain := plainTexts{} // the names seen so far
	for word := range bytes.FieldsFuncSeq(src, notInName) {
		if !plain[string(word)] {
			if maskedName(string(word)) {
				return true
			}
			if len(plain) < mostPlain {
				plain[string(word)] = true
			}
		}
	}
	return false
}

// feeding are the words one of which stands in every piece that has expressions for masker.named or default values,
// unless a function is called there.
var feeding = []string{"locals", "module", "output", "default", "for_each"}

// plainTexts remembers in which texts there is nothing to mask: the same ones come again and again.
type plainTexts map[string]bool

// mayMask reports whether masker may find anything in a piece of a file, or take anything from it: if it may not, that
// is certain. To parse the piece takes longer. Names may be keys in quotes, so what is between quotes is looked at as a
// whole, too; where they may be computed, nothing is certain.
func (plain plainTexts) mayMask(piece []byte) bool {
	if bytes.ContainsFunc(piece, func(c rune) bool { return c >= utf8.RuneSelf || strings.ContainsRune(`\$%(?`, c) }) {
		return true
	}
	for text := range bytes.SplitSeq(piece, []byte(`"`)) {
		if plain[string(text)] {
			continue
		}
		if maskedName(string(text)) {
			return true
		}
		for word := range bytes.FieldsFuncSeq(text, notInName) {
			if name := string(word); slices.Contains(feeding, name) || maskedName(name) {
				return true
			}
		}
		if len(plain) < mostPlain {
			plain[string(text)] = true
		}
	}
	return false
}

// notInName reports whether a character belongs to no name that assigned matches.
func notInName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
}
