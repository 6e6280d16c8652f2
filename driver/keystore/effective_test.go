package keystore

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEffective checks that Effective returns what the file has after the declaration was carried out, except for
// what must still be generated.
func TestEffective(t *testing.T) {
	f := newFamily(t)
	other := issue(t, "other.test.example", f.root)
	body, files := f.full(t)
	for _, format := range []Format{PKCS12, JKS} {
		b := newBench(t).declare(format, body+ownEntry, files)
		cfg, d := b.config()
		r := cfg.Resources[0]
		s, pending, err := Effective(r, nil, b.now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"ca trusts CN=Test Root", serverChain}, content(s)); diff != "" || s.Format != format {
			t.Error(diff)
		}
		want := []string{`entry "own" is added`, `entry "server" is added`, `trusted certificate "ca" is added`}
		if diff := cmp.Diff(want, pending); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Entry("server").Signer(); err != nil {
			t.Error(err)
		}
		// In addition to what is there, which stays.
		b.written(&Store{Format: format, Entries: []Entry{other.entry(t, "other")}}, password)
		have, _, err := ReadFile(t.Context(), d.env, r)
		if err != nil {
			t.Fatal(err)
		}
		before, _, err := Effective(r, have, b.now)
		if err != nil {
			t.Fatal(err)
		}
		_, live := b.apply()
		own := slices.DeleteFunc(content(live), func(line string) bool { return strings.HasPrefix(line, "own: ") })
		if diff := cmp.Diff(own, content(before)); diff != "" {
			t.Error(diff)
		}
		if before.Level != live.Level || before.Format != live.Format || before.Unprotected || before.Unencrypted {
			t.Errorf("%+v, and it is %+v", before, live)
		}
		// Once it is carried out nothing is pending, until a generated certificate expires.
		after, pending, err := Effective(r, live, b.now)
		if err != nil || len(pending) > 0 || after != live {
			t.Errorf("%v %v", pending, err)
		}
		after, pending, err = Effective(r, live, b.now.AddDate(0, 0, 390))
		if err != nil || !slices.Contains(pending,
			`entry "own" changes`) || after.Entry("own") != nil || after.Entry("other") == nil {
			t.Errorf("%v %v", pending, err)
		}
	}
}

// TestLocation checks which file on which machine a declaration means.
func TestLocation(t *testing.T) {
	b := newBench(t)
	b.put("/conf/main.sync.hcl", `
keystore "pkcs12" "here" {
  path     = "keys/../keys/a.p12"
  password = env("PASSWORD")
}
keystore "jks" "there" {
  path     = "/keys//b.jks"
  password = env("PREVIOUS_PASSWORD")
  host { ssh = "anna@twc.example:2222" }
}
`)
	cfg, _ := b.config()
	got := map[string][3]string{}
	for _, r := range cfg.Resources {
		name, machine := Location(r)
		got[r.Addr.Name] = [3]string{name, machine, Password(r).Reveal()}
	}
	if diff := cmp.Diff(map[string][3]string{"here": {"keys/a.p12", "", password},
		"there": {"/keys/b.jks", "anna@twc.example:2222", previous}}, got); diff != "" {
		t.Error(diff)
	}
	if PKCS12.Java() != "PKCS12" || JKS.Java() != "JKS" {
		t.Error(PKCS12.Java(), JKS.Java())
	}
}

// TestReadFile: a keystore with its keys, and the bytes of the file, for other drivers.
func TestReadFile(t *testing.T) {
	f := newFamily(t)
	body, files := f.full(t)
	b := newBench(t).declare(PKCS12, body+ownEntry, files)
	cfg, d := b.config()
	r := cfg.Resources[0]
	if _, _, err := ReadFile(t.Context(), d.env, r); !errors.Is(err, ErrNoFile) {
		t.Errorf("before: %v", err)
	}
	declared, made, err := Declared(r)
	if err != nil || made != 1 {
		t.Fatal(made, err)
	}
	if diff := cmp.Diff([]string{"ca trusts CN=Test Root", serverChain}, content(declared)); diff != "" {
		t.Error(diff)
	}
	b.apply()
	live, src, err := ReadFile(t.Context(), d.env, r)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ca trusts CN=Test Root", "own: CN=own.test.example", serverChain}
	if diff := cmp.Diff(want, content(live)); diff != "" || !bytes.Equal(src, b.read(file)) {
		t.Error(diff)
	}
	for _, shown := range []string{live.String(), live.Entries[0].String(), live.Entries[0].GoString()} {
		if strings.Contains(shown, "PRIVATE") || len(shown) > 80 {
			t.Errorf("%s", shown)
		}
	}
	b.put(file, "text")
	var unusable *Error
	if _, _, err := ReadFile(t.Context(), d.env, r); !errors.As(err, &unusable) || unusable.Rule != RuleNotAKeystore {
		t.Errorf("after: %v", err)
	}
}
