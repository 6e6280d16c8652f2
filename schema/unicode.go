package schema

import (
	"path/filepath"

	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// spellings holds the texts from outside of the configuration (environment, files, variables) that cty changes: it
// converts every string to one Unicode form (NFC), and a password in another form is another password.
type spellings map[string]string // by their NFC form; twoSpellings: several texts have that form

const twoSpellings = "\x00"

// value makes a string value from a text from outside, and remembers its spelling.
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

// Spelling returns a text of the declaration byte for byte as it was before its conversion to NFC. ok is false if
// several texts from outside have that form, so that it is unknown which one is meant.
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

// Locate returns a path as the file system spells it: some systems store names in another Unicode form than the
// configuration's. A path that exists as written, or does not exist at all, is returned unchanged.
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

// SameName reports whether two names are equal in one Unicode form.
func SameName(a, b string) bool { return a == b || norm.NFC.String(a) == norm.NFC.String(b) }

// NameForm returns a name in the Unicode form in which names are compared, for keys of maps.
func NameForm(name string) string { return norm.NFC.String(name) }
