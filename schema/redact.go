package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// minSecret is the length below which a secret is not looked for in text: it would be found everywhere.
const minSecret = 4

// secretSet is the secret texts of one configuration.
type secretSet struct {
	texts     map[string]bool
	spellings spellings
}

func newSecretSet(s spellings) *secretSet { return &secretSet{texts: map[string]bool{}, spellings: s} }

// add takes every string and number inside the value for a secret.
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

// addText adds a secret and, of one that spans lines, each line that says something by itself: output is redacted
// line by line.
func (s *secretSet) addText(text string) {
	if len(text) >= minSecret && strings.TrimSpace(text) != "" {
		s.texts[text] = true
		if exact, ok := s.spellings[text]; ok && exact != twoSpellings {
			s.texts[exact] = true
		}
	}
	if !strings.Contains(text, "\n") {
		return
	}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if len(line) >= 2*minSecret && !strings.HasPrefix(line, "-----") {
			s.texts[line] = true
		}
	}
}

// collect adds what carries the sensitive mark inside the value, and how a web client would send it: base64 of
// user:secret where an argument "user" stands beside it.
func (s *secretSet) collect(v cty.Value) {
	if v == cty.NilVal || !v.ContainsMarked() {
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
		if v.Type().IsObjectType() && v.Type().HasAttribute("user") {
			s.addBasic(v.GetAttr("user"), elem)
		}
	}
}

func (s *secretSet) addBasic(user, secret cty.Value) {
	if !secret.IsMarked() {
		return
	}
	user, secret = Reveal(user), Reveal(secret)
	if user.Type() != cty.String || secret.Type() != cty.String || !user.IsKnown() || !secret.IsKnown() || user.IsNull() ||
		secret.IsNull() {
		return
	}
	s.addText(base64.StdEncoding.EncodeToString([]byte(user.AsString() + ":" + secret.AsString())))
}

// forms are the ways in which a secret may appear in text.
func forms(secret string) []string {
	out := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	for _, html := range []bool{true, false} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(html)
		if err := enc.Encode(secret); err == nil {
			out = append(out, strings.Trim(strings.TrimSuffix(b.String(), "\n"), `"`))
		}
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding,
		base64.RawURLEncoding} {
		out = append(out, enc.EncodeToString([]byte(secret)))
	}
	return append(out, Sanitize(secret))
}

func (s *secretSet) redactor() *Redactor {
	set := map[string]bool{}
	for text := range s.texts {
		for _, f := range forms(text) {
			if len(f) >= minSecret {
				set[f] = true
			}
		}
	}
	all := make([]string, 0, len(set))
	for f := range set {
		all = append(all, f)
	}
	// The longest first, so that a secret that begins with another one leaves no rest.
	sort.Slice(all, func(i, j int) bool {
		if len(all[i]) != len(all[j]) {
			return len(all[i]) > len(all[j])
		}
		return all[i] < all[j]
	})
	pairs := make([]string, 0, 2*len(all))
	for _, f := range all {
		pairs = append(pairs, f, sensitiveText)
	}
	return &Redactor{replacer: strings.NewReplacer(pairs...), forms: all}
}

// Redactor takes the secrets of a configuration out of text: as they are, and as JSON, URLs and base64 write them.
// The zero value and nil know none.
type Redactor struct {
	replacer *strings.Replacer
	forms    []string
}

// String returns s with "(sensitive value)" for every secret.
func (r *Redactor) String(s string) string {
	if r == nil || r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

// Writer returns a writer that hands on whole lines, redacted, so a secret that is written in pieces is found too.
// What follows the last line feed is kept until Flush.
func (r *Redactor) Writer(w io.Writer) *LineWriter { return &LineWriter{redactor: r, out: w} }

// LineWriter redacts line by line. It is not safe for use by several goroutines at once.
type LineWriter struct {
	redactor *Redactor
	out      io.Writer
	rest     []byte
}

// Write takes all of p, or reports the error of the writer behind it.
func (w *LineWriter) Write(p []byte) (int, error) {
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		w.rest = append(w.rest, p...)
		return len(p), nil
	}
	lines := string(w.rest) + string(p[:end])
	w.rest = append(w.rest[:0], p[end:]...)
	if _, err := io.WriteString(w.out, w.redactor.String(lines)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush hands on a last line that has no line feed.
func (w *LineWriter) Flush() error {
	if len(w.rest) == 0 {
		return nil
	}
	rest := string(w.rest)
	w.rest = w.rest[:0]
	_, err := io.WriteString(w.out, w.redactor.String(rest))
	return err
}
