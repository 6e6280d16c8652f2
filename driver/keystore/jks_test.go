package keystore

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"testing"
)

// entriesJKS is a JKS keystore of entries as they stand in a file, in their order.
func entriesJKS(t *testing.T, entries ...jksEntry) []byte {
	t.Helper()
	secret, err := jksPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	const version = 2
	out := binary.BigEndian.AppendUint32([]byte(jksMagic), version)
	out = binary.BigEndian.AppendUint32(out, uint32(len(entries)))
	for i := range entries {
		if out, err = entries[i].appendTo(out, version); err != nil {
			t.Fatal(err)
		}
	}
	return append(out, digestJKS(secret, out)...)
}

// TestJKSDoubles: of several entries with one alias Java keeps the last one, whatever it is.
func TestJKSDoubles(t *testing.T) {
	f := newFamily(t)
	secret, err := jksPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealJKS(rand.Reader, f.server.entry(t, "x").key, secret)
	if err != nil {
		t.Fatal(err)
	}
	key := jksEntry{tag: jksKey, alias: "server", created: today, sealed: sealed, chain: [][]byte{f.server.DER}}
	trusted := jksEntry{tag: jksTrusted, alias: "Server", created: today, chain: [][]byte{f.root.DER}}
	for name, row := range map[string]struct {
		file          []byte
		keys, trusted int
	}{
		"a certificate, then a key": {entriesJKS(t, trusted, key), 1, 0},
		"a key, then a certificate": {entriesJKS(t, key, trusted), 0, 1},
		"a key in between":          {entriesJKS(t, trusted, key, trusted), 0, 1},
	} {
		s, err := Open(t.Context(), row.file, password)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(s.Entries) != row.keys || len(s.Trusted) != row.trusted || !slices.Equal(s.Doubles, []string{"server"}) {
			t.Errorf("%s: %q, twice %q", name, content(s), s.Doubles)
		}
	}
}
