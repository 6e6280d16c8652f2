package cli

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
)

// The longest word of a command line that errors repeat whole, in bytes, and how much they repeat of a longer one, in
// characters.
const (
	mostRepeated = 1000
	partRepeated = 100
)

// longWords holds the words of a command line, and the values of flags, that are too long to be repeated.
type longWords []string

// longOf returns the long words of a command line, the longest first.
func longOf(args []string) longWords {
	var out longWords
	for _, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		for _, word := range []string{strings.TrimLeft(arg, "-"), value} {
			if len(word) > mostRepeated {
				out = append(out, word, strings.Trim(strconv.Quote(word), `"`))
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return out
}

// cut returns a text with a part of each long word in its place.
func (l longWords) cut(text string) string {
	for _, word := range l {
		text = strings.ReplaceAll(text, word, wording.Message(word, partRepeated))
	}
	return text
}
