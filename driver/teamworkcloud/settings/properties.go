package settings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Properties is a file of Java properties, read as Properties.load(InputStream) reads it: as ISO 8859-1, with \uXXXX
// for every other character. If a key occurs twice, the last value counts. Blanks at the end of a value belong to it.
// A byte order mark is part of the first line, so a key after one is a different key.
//
// What Set writes is ASCII, so it reads the same if a program loads the file as UTF-8.
type Properties struct {
	src      []byte
	entries  []entry
	comments []comment
}

// ParseProperties reads a file. It returns a *SyntaxError if Java would refuse to load it.
func ParseProperties(src []byte) (*Properties, error) {
	if err := refuseUTF16(src); err != nil {
		return nil, err
	}
	src = bytes.Clone(src)
	entries, comments, err := scanProperties(src)
	if err != nil {
		return nil, err
	}
	return &Properties{src, entries, comments}, nil
}

// Bytes returns the current content of the file.
func (p *Properties) Bytes() []byte { return bytes.Clone(p.src) }

// Get returns the value that Java reads, and the line (1-based) of its key. A key without a value has the value "".
func (p *Properties) Get(key string) (value string, line int, ok bool) {
	if i := p.winner(key); i >= 0 {
		return p.entries[i].value, p.entries[i].line, true
	}
	return "", 0, false
}

// winner returns the index of the entry that counts, or -1 if there is none.
func (p *Properties) winner(key string) int {
	for i := len(p.entries) - 1; i >= 0; i-- {
		if p.entries[i].key == key {
			return i
		}
	}
	return -1
}

// Set sets the value of a key. If the key already has that value, it is left alone, however it is written. If it has
// another value, that is replaced in place, keeping separator and indentation. If the key is commented out, the new
// line follows the comment. Otherwise it is added at the end of the file.
func (p *Properties) Set(key, value string) error {
	if key == "" || !utf8.ValidString(key) {
		return errors.New("set a property: the key is empty or not valid UTF-8")
	}
	if !utf8.ValidString(value) {
		return fmt.Errorf("set %s: the value is not valid UTF-8", key)
	}
	i := p.winner(key)
	if i >= 0 && p.entries[i].value == value {
		return nil
	}
	want := make([]entry, 0, len(p.entries)+1)
	want = append(want, p.entries...)
	if i >= 0 {
		want[i].value = value
		if err := p.change(want, p.replaced(i, value)); err != nil {
			return fmt.Errorf("set %s in line %d: %w", key, p.entries[i].line, err)
		}
		return nil
	}
	want = append(want, entry{key: key, value: value})
	if err := p.change(want, p.added(key, value)...); err != nil {
		return fmt.Errorf("set %s: %w", key, err)
	}
	return nil
}

// beforeEnd returns the offset before the line ending that ends at i.
func beforeEnd(src []byte, i int) int {
	switch {
	case i >= 2 && src[i-2] == '\r' && src[i-1] == '\n':
		return i - 2
	case i >= 1 && isEnd(src[i-1]):
		return i - 1
	}
	return i
}

// change applies the first of several edits after which the file has the wanted keys and values, in any order.
func (p *Properties) change(want []entry, edits ...[]byte) error {
	expected := sorted(want)
	for _, src := range edits {
		entries, comments, err := scanProperties(src)
		if err == nil && slices.Equal(sorted(entries), expected) {
			p.src, p.entries, p.comments = src, entries, comments
			return nil
		}
	}
	return errSpoils
}

type pair struct{ key, value string }

// sorted returns keys and values sorted by key; those of the same key are in the order of the file.
func sorted(entries []entry) []pair {
	all := make([]pair, len(entries))
	for i, e := range entries {
		all[i] = pair{e.key, e.value}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	return all
}
