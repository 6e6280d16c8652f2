package schema

import (
	"maps"
	"slices"

	"github.com/syncctl/syncctl/redact"
	"github.com/zclconf/go-cty/cty"
)

// secretSet holds the secret texts of one configuration.
type secretSet struct {
	texts     map[string]bool
	spellings spellings
}

func newSecretSet(s spellings) *secretSet { return &secretSet{texts: map[string]bool{}, spellings: s} }

// add records every string and number inside the value as a secret.
func (s *secretSet) add(v cty.Value) {
	if v == cty.NilVal {
		return
	}
	_ = cty.Walk(Reveal(v), func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		if v.IsKnown() && !v.IsNull() && (v.Type() == cty.String || v.Type() == cty.Number) {
			s.addText(Text(v))
		}
		return true, nil
	})
}

// addText records a secret, also in its original spelling.
func (s *secretSet) addText(text string) {
	s.texts[text] = true
	if exact, ok := s.spellings[text]; ok && exact != twoSpellings {
		s.texts[exact] = true
	}
}

// collect records everything inside the value that carries the sensitive mark.
func (s *secretSet) collect(v cty.Value) {
	if !IsSensitive(v) {
		return
	}
	if v.IsMarked() {
		s.add(v)
		return
	}
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return
	}
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		s.collect(elem)
	}
}

func (s *secretSet) redactor() *redact.Set {
	return redact.New(sensitiveText, slices.Sorted(maps.Keys(s.texts))...)
}
