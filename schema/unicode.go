package schema

import (
	"path/filepath"

	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// spellings are the texts from outside the configuration's own text (environment, files, variables) that cty changes:
// it brings every string into one Unicode form (NFC), and a password in another form is another password.
type spellings map[string]string // by the form that cty gives it; twoSpellings: several texts have that form

const twoSpellings = "\x00"

// value makes a string of a text from outside, and remembers how it is spelled.
func (s spellings) value(text string) cty.Value {
	form := norm.NFC.String(text)
	switch was, seen := s[form]; {
	case !seen:
		s[form] = text
	case was != text:
		s[form] = twoSpellings
	}
	return cty.StringVal(form)
}

// Spelling is a text of the declaration as it was before it came into the configuration's Unicode form, byte for
// byte. ok is false where several texts from outside have that form, so that it is unknown which one is meant.
func (r *Resource) Spelling(text string) (exact string, ok bool) {
	exact, known := r.spellings[text]
	switch {
	case !known:
		return text, true
	case exact == twoSpellings:
		return text, false
	}
	return exact, true
}

// Locate finds the file that a path means in the file system's own spelling: some systems keep names in another
// Unicode form than the configuration's. A path that is there as it is written, or not at all, comes back unchanged.
func Locate(fs afero.Fs, path string) string {
	if _, err := fs.Stat(path); err == nil || path == "" {
		return path
	}
	dir, name := filepath.Split(path)
	if name == "" || dir == path {
		return path
	}
	if dir != "" {
		dir = Locate(fs, filepath.Clean(dir))
	}
	entries, err := afero.ReadDir(fs, filepath.Clean(dir))
	if err != nil {
		return path
	}
	for _, e := range entries {
		if norm.NFC.String(e.Name()) == norm.NFC.String(name) {
			return filepath.Join(dir, e.Name())
		}
	}
	return path
}

// SameName tells whether two names are the same in one Unicode form.
func SameName(a, b string) bool { return a == b || norm.NFC.String(a) == norm.NFC.String(b) }

// NameForm is the Unicode form in which names are compared, for keys of maps.
func NameForm(name string) string { return norm.NFC.String(name) }
