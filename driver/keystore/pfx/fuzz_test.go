package pfx

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzParse checks that any bytes are parsed or refused, quickly, and that what is parsed is the same after it is
// written.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.p12")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		src := file(f, filepath.Base(name))
		f.Add(src, password)
		f.Add(inBER(f, src), password)
	}
	f.Add(foreign(oidPBKDF2), "")
	f.Fuzz(func(t *testing.T, src []byte, password string) {
		got, err := parse(src, password, &budget{left: 100_000})
		if err != nil {
			known := slices.ContainsFunc([]error{ErrFormat, ErrTruncated, ErrPassword, ErrUnsupported, ErrCostly},
				func(e error) bool { return errors.Is(err, e) })
			if !known {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		got.Bags = slices.DeleteFunc(got.Bags, func(b Bag) bool { return b.Kind == Other })
		if len(got.Bags) > 3 {
			got.Bags = got.Bags[:3]
		}
		again, err := Write(got.Bags, password, Options{Level: Modern, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(context.Background(), again, password)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if len(back.Bags) != len(got.Bags) {
			t.Errorf("%d bags were written, %d read", len(got.Bags), len(back.Bags))
		}
	})
}

func FuzzToDER(f *testing.F) {
	f.Add([]byte{0x30, 0x80, 0x24, 0x80, 4, 1, 'a', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, src []byte) {
		der, _, err := new(budget).toDER(src)
		if err != nil {
			return
		}
		again, rest, err := new(budget).toDER(der)
		if err != nil || len(rest) > 0 || !bytes.Equal(again, der) {
			t.Errorf("%x becomes %x, and that %x: %v", src, der, again, err)
		}
	})
}

// FuzzBags fuzzes what MAC and encryption protect, which FuzzParse cannot get past.
func FuzzBags(f *testing.F) {
	all, _, _ := bags(f)
	all[0].Attributes = [][]byte{attribute(oid(1, 2, 3), octets([]byte("x")))}
	w := &writer{o: Options{Random: rand.Reader}, password: newSecret(password), budget: &budget{left: maxWork}}
	var seed []byte
	for i := range all {
		content, id, err := w.content(&all[i])
		if err != nil {
			f.Fatal(err)
		}
		seed = append(seed, sequence(mustDER(id), explicit(content), all[i].attributes())...)
	}
	f.Add(sequence(seed))
	f.Add(inBER(f, sequence(seed)))
	f.Fuzz(func(t *testing.T, src []byte) {
		safe := sequence(sequence(mustDER(oidData), explicit(octets(src))))
		file := sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe))))
		got, err := parse(file, password, &budget{left: 100_000})
		if err != nil {
			return
		}
		for _, b := range got.Bags {
			if b.Kind == Other {
				return
			}
		}
		again, err := Write(got.Bags, password, Options{Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parse(again, password, &budget{left: maxWork}); err != nil || len(back.Bags) != len(got.Bags) {
			t.Errorf("what was written is not read: %v", err)
		}
	})
}
