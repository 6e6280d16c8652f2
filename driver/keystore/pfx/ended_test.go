package pfx

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha512"
	"errors"
	"hash"
	"testing"
)

// TestStretch checks that stretch is PBKDF2.
func TestStretch(t *testing.T) {
	for _, h := range []func() hash.Hash{sha1.New, sha512.New} {
		for _, size := range []int{8, 20, 24, 64, 65, 512} {
			for _, iterations := range []int{1, 2, 1000} {
				want, err := pbkdf2.Key(h, password, []byte("salt of it"), iterations, size)
				if err != nil {
					t.Fatal(err)
				}
				got, err := (&budget{}).stretch(h, password, []byte("salt of it"), iterations, size)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %d rounds: %x, %v", size, iterations, got, err)
				}
			}
		}
	}
}

// TestNobodyWaits checks that opening a file ends when ctx does, in each of the derivations of a key.
func TestNobodyWaits(t *testing.T) {
	errGone := errors.New("nobody waits")
	for _, level := range []Level{Legacy, Modern} {
		src, err := Write([]Bag{{Kind: Secret, Type: oidData, DER: mustDER([]byte("secret"))}}, password,
			Options{Level: level, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		looks := 0
		if _, err := parse(src, password, &budget{left: maxWork, ended: func() error { looks++; return nil }}); err != nil {
			t.Fatal(err)
		}
		for last := range looks {
			n := 0
			_, err := parse(src, password, &budget{left: maxWork, ended: func() error {
				if n++; n > last {
					return errGone
				}
				return nil
			}})
			if !errors.Is(err, errGone) || n != last+1 {
				t.Errorf("level %d, at look %d: %v", level, last, err)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errGone)
		if _, err := Parse(ctx, src, password); !errors.Is(err, errGone) {
			t.Error(err)
		}
		if looks < 3 {
			t.Errorf("only %d looks", looks)
		}
	}
}
