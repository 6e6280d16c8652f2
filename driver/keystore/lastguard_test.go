package keystore

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/syncctl/syncctl/executor"
)

// TestNothingIsLostByWriting checks that Execute reads what its encoder has made, and does not replace the file if
// something is missing. The encoders of this test are faulty.
func TestNothingIsLostByWriting(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	theirs := issue(t, "theirs.test.example", issue(t, "Their Root", nil, authority))
	other := issue(t, "other.test.example", nil)
	for name, fault := range map[string]func(s *Store){
		"an entry that is kept": func(s *Store) {
			s.Entries = without(s.Entries, "theirs",
				func(e Entry) string { return e.Alias })
		},
		"an entry that is declared": func(s *Store) {
			s.Entries = without(s.Entries, "server",
				func(e Entry) string { return e.Alias })
		},
		"a certificate that is kept": func(s *Store) {
			s.Trusted = without(s.Trusted, "old",
				func(e Trusted) string { return e.Alias })
		},
		"a certificate declared": func(s *Store) {
			s.Trusted = without(s.Trusted, "ca",
				func(e Trusted) string { return e.Alias })
		},
		"another key": func(s *Store) {
			s.Entries = without(s.Entries, "theirs", func(e Entry) string { return e.Alias })
			s.Entries = append(s.Entries, other.entry(t, "theirs"))
		},
		"another certificate that is trusted": func(s *Store) {
			s.Trusted = without(s.Trusted, "old", func(e Trusted) string { return e.Alias })
			s.Trusted = append(s.Trusted, Trusted{Alias: "old", Certificate: other.Certificate})
		},
		"the chain of an entry": func(s *Store) {
			at := slices.IndexFunc(s.Entries, func(e Entry) bool { return e.Alias == "theirs" })
			s.Entries = slices.Clone(s.Entries)
			s.Entries[at].Chain = s.Entries[at].Chain[:1]
		},
		"nothing": nil,
	} {
		for _, format := range []Format{PKCS12, JKS} {
			t.Run(name+" "+string(format), func(t *testing.T) {
				t.Parallel()
				body, files := f.full(t)
				b := newBench(t).declare(format, body, files)
				before := b.written(&Store{
					Format: format, Entries: []Entry{theirs.entry(t, "theirs")}, Trusted: []Trusted{{Alias: "old",
						Certificate: f.inter.Certificate}},
				}, password)
				p := b.plan()
				if len(p.Steps) != 1 || len(p.Refusals()) > 0 {
					t.Fatalf("%d steps, refused: %+v", len(p.Steps), p.Refusals())
				}
				cfg, d := b.config()
				d.encode = func(s *standing, random io.Reader) ([]byte, *Store, error) {
					_, target, err := s.encode(random)
					if err != nil || fault == nil {
						return encodeOnly(s, target, err, random)
					}
					less := *target
					fault(&less)
					content, _, err := encodeOnly(s, &less, nil, random)
					return content, target, err
				}
				_, err := d.Execute(t.Context(), &executor.Task{Step: p.Steps[0], Resource: cfg.Resources[0]})
				kept := bytes.Equal(b.read(file), before)
				switch {
				case fault == nil && (err != nil || kept):
					t.Errorf("without a fault: error %v, the file is unchanged: %v", err, kept)
				case fault != nil && (err == nil || !executor.WasNotSent(err) || !kept):
					t.Errorf("error %v, the file is unchanged: %v; want an error that says nothing was written", err, kept)
				}
			})
		}
	}
}

// encodeOnly writes a store as a declaration would, with nothing left to make.
func encodeOnly(s *standing, target *Store, err error, random io.Reader) ([]byte, *Store, error) {
	if err != nil {
		return nil, nil, err
	}
	as := *s
	as.target, as.made = target, map[string]bool{}
	content, _, err := as.encode(random)
	return content, target, err
}

func without[E any](all []E, alias string, aliasOf func(E) string) []E {
	return slices.DeleteFunc(slices.Clone(all), func(e E) bool { return aliasOf(e) == alias })
}
