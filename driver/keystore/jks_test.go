package keystore

import (
	"crypto/rand"
	"encoding/binary"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
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

// TestJKSDoubles checks which of several entries with one alias is used. As Java does, it is the one in lower case,
// and among equal spellings the last, of whatever kind.
func TestJKSDoubles(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	secret, err := jksPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealJKS(rand.Reader, f.server.entry(t, "x").key, secret)
	if err != nil {
		t.Fatal(err)
	}
	key := func(alias string) jksEntry {
		return jksEntry{tag: jksKey, alias: alias, created: today, sealed: sealed, chain: [][]byte{f.server.DER}}
	}
	trusted := func(alias string) jksEntry {
		return jksEntry{tag: jksTrusted, alias: alias, created: today, chain: [][]byte{f.root.DER}}
	}
	programs := keytools(t)
	const aKey, aTrusted = "PrivateKeyEntry", "trustedCertEntry"
	for name, row := range map[string]struct {
		file        []jksEntry
		found, java string
	}{
		"the same spelling, a key last":  {[]jksEntry{trusted("server"), key("server")}, aKey, aKey},
		"the same spelling, a key first": {[]jksEntry{key("server"), trusted("server")}, aTrusted, aTrusted},
		"lower case last":                {[]jksEntry{trusted("Server"), key("server")}, aKey, aKey},
		"lower case first":               {[]jksEntry{key("server"), trusted("Server")}, aKey, aKey},
		"lower case in between":          {[]jksEntry{trusted("Server"), key("server"), trusted("Server")}, aKey, aKey},
		"lower case twice":               {[]jksEntry{key("server"), key("Server"), trusted("server")}, aTrusted, aTrusted},
		"no lower case":                  {[]jksEntry{trusted("Server"), key("SERVER")}, aKey, ""},
	} {
		file := entriesJKS(t, row.file...)
		s, err := Open(t.Context(), file, password)
		if err != nil {
			t.Fatal(name, err)
		}
		found := ""
		if len(s.Entries) > 0 {
			found += aKey
		}
		if len(s.Trusted) > 0 {
			found += aTrusted
		}
		if found != row.found || len(s.Entries)+len(s.Trusted) != 1 || !slices.Equal(s.Doubles, []string{"server"}) {
			t.Errorf("%s: %q, twice %q", name, content(s), s.Doubles)
		}
		for release, program := range programs {
			args := append(slices.Clone(quickly), "-list", "-alias", "server", "-keystore", on(t, file), "-storepass",
				password)
			out, _ := exec.CommandContext(t.Context(), program, args...).CombinedOutput() // it fails where it finds none
			for _, kind := range []string{aKey, aTrusted} {
				if strings.Contains(string(out), kind) != (kind == row.java) {
					t.Errorf("%s: Java %s: %s", name, release, out)
				}
			}
		}
	}
}

// TestJavaText checks that an alias is encoded as Java does, and that other bytes are kept.
func TestJavaText(t *testing.T) {
	for text, want := range map[string]string{
		"ca": "ca", "\u00fc\u5bc6\uffff\ufffd": "\u00fc\u5bc6\uffff\ufffd", "a\x00": "a\xc0\x80",
		"\U0001f511b": "\xed\xa0\xbd\xed\xb4\x91b", "\U0010ffff": "\xed\xaf\xbf\xed\xbf\xbf",
		"\xff\xed\xa0\xbdx": "\xff\xed\xa0\xbdx", "\xed\xb4\x91": "\xed\xb4\x91", "\xef": "\xef",
	} {
		got := javaText(text)
		if got != want || fromJavaText([]byte(got)) != text {
			t.Errorf("%q: %q, and back %q", text, got, fromJavaText([]byte(got)))
		}
	}
}

// TestKeytoolReadsAnyAlias: Java reads a JKS whose aliases have characters above U+FFFF, and finds them; and syncctl
// those that Java has written.
func TestKeytoolReadsAnyAlias(t *testing.T) {
	t.Parallel()
	const alias = "key \U0001f511"
	f := newFamily(t)
	s := &Store{Format: JKS, Entries: []Entry{f.server.entry(t, alias)},
		Trusted: []Trusted{{Alias: "\u5bc6 \U0001f512", Certificate: f.root.Certificate}}}
	ks, err := s.encodeJKS(password, rand.Reader, today)
	if err != nil {
		t.Fatal(err)
	}
	for release, program := range keytools(t) {
		name := on(t, ks)
		run := func(args ...string) {
			t.Helper()
			args = append(append(slices.Clone(quickly), args...), "-keystore", name, "-storepass", password)
			if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
				t.Errorf("Java %s: %v\n%s", release, err, out)
			}
		}
		run("-list")
		run("-storepasswd", "-new", password) // writes all of it again
		content, err := afero.ReadFile(afero.NewOsFs(), name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Open(t.Context(), content, password)
		if err != nil || again.Entry(alias) == nil || again.Trust(s.Trusted[0].Alias) == nil {
			t.Errorf("Java %s: %v, %v", release, again, err)
		}
	}
}
