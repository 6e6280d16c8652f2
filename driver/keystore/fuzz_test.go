package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzOpen checks that any bytes are a keystore, or are refused with a reason and help. What is read can be written
// and read again.
func FuzzOpen(f *testing.F) {
	for _, pattern := range []string{"*.p12", "*.jks", "*.jceks"} {
		files, err := filepath.Glob(filepath.Join("pfx", "testdata", pattern))
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src, "changeit")
		}
	}
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\xff\xff\xff\xff"), "")
	f.Fuzz(func(t *testing.T, src []byte, password string) {
		if len(src) > 1<<16 {
			return
		}
		s, err := Open(context.Background(), src, password)
		if err != nil {
			var unusable *Error
			if !errors.As(err, &unusable) || unusable.Rule == "" || unusable.Help == "" {
				t.Errorf("%v", err)
			}
			return
		}
		back := throughJSON(t, s)
		if diff := cmp.Diff(content(s), content(back)); diff != "" {
			t.Error(diff)
		}
		s.Pool()
		checked(s.Entries, "a")
		if len(s.Unknown) > 0 || len(s.Doubles) > 0 || len(s.Entries)+len(s.Trusted) > 20 {
			return
		}
		if s.Format == JKS {
			// What is written again is what was read.
			written, err := s.encodeJKS(password, rand.Reader, today)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Open(context.Background(), written, password)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(content(s), content(again)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func throughJSON(t *testing.T, s *Store) *Store {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Entries {
		if len(e.key) > 20 && bytes.Contains(b, e.key) {
			t.Error("a key is written down")
		}
	}
	var back Store
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

// FuzzPEM checks text that should hold certificates or a key.
func FuzzPEM(f *testing.F) {
	family := newFamily(f)
	f.Add(family.server.pem() + family.inter.pem())
	f.Add(family.server.keyPEM(f))
	f.Add("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if all, err := ParseCertificates(text); err == nil {
			for _, c := range all { // Java takes some that Go cannot read: they have a name all the same
				if c.Name() == "" || c.Fingerprint() == "" {
					t.Errorf("%x has no name", c.DER)
				}
			}
		}
		if key, err := parseKey(text); err == nil {
			var e Entry
			if e.setKey(key); e.Public == "" {
				t.Error("a key without a public half")
			}
		}
	})
}

// FuzzJKS fuzzes what the digest protects, which FuzzOpen cannot get past.
func FuzzJKS(f *testing.F) {
	src, err := os.ReadFile(filepath.Join("pfx", "testdata", "keytool17.jks"))
	if err != nil {
		f.Fatal(err)
	}
	src = src[:len(src)-jksDigest]
	f.Add(src)
	far := bytes.Clone(src)
	copy(far[18+int(src[17]):], "\x7f\xff\xff\xff") // the first entry was made in a year that no calendar has
	f.Add(far)
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01" + // one entry
		"\x00\x00\x00\x01\x00\x01k\x00\x00\x00\x00\x00\x00\x00\x00" + // a key k, made at no time
		"\x00\x00\x00\x15\x30\x13\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x2a\x02\x11\x01\x01\x04\x03abc\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<14 {
			return
		}
		h := sha1.New()
		for _, c := range "changeit" {
			h.Write([]byte{0, byte(c)})
		}
		h.Write([]byte("Mighty Aphrodite"))
		h.Write(src)
		s, err := Open(context.Background(), h.Sum(bytes.Clone(src)), "changeit")
		var unusable *Error
		if err != nil && !errors.As(err, &unusable) {
			t.Errorf("%v", err)
		}
		if err == nil {
			throughJSON(t, s)
		}
	})
}
