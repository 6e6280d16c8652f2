package planner

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// written returns a plan whose texts have all that JSON escapes, and its text, authenticated with a key.
func written(t *testing.T, key string) (*Plan, string) {
	t.Helper()
	p := &Plan{Format: Format, Syncctl: "1.2.3", Digest: "d", Secrets: strings.Repeat("5", hexLen),
		Changes:  []ResourceChange{{Addr: "sync.depot.a", Action: Update}},
		Steps:    []Step{{ID: "sync.depot.a/do", Addr: "sync.depot.a", Op: "do", Manual: &Manual{Where: "here"}}},
		Findings: []Finding{{Rule: "depot/full", Severity: Warn, Summary: "<a> & \n \"é\\\" \ufffd \x01,\n  \"digest\": "}}}
	if err := p.Authenticate([]byte(key)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return p, b.String()
}

// TestWritten: a plan is recognized by its bytes as what a holder of the key has written, and is what is read if it is
// marshalled again to be compared.
func TestWritten(t *testing.T) {
	p, text := written(t, "key")
	got := decodeWritten([]byte(text), []byte("key"))
	if !reflect.DeepEqual(got, p) {
		t.Errorf("%+v, want %+v", got, p)
	}
	for name, other := range map[string]string{"another key": "other", "no key": ""} {
		if decodeWritten([]byte(text), []byte(other)) != nil {
			t.Error(name)
		}
	}
	if decodeWritten([]byte(text), nil) != nil {
		t.Error("without a key, anybody may have written it")
	}
	for _, change := range [][2]string{{"depot/full", "depot/fill"}, {`"1.2.3"`, `"1.2.4"`}, {`"555`, `"556`},
		{`"hash": "sha256:`, `"hash": "sha257:`}, {"here", "her\\u0065"}} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text || decodeWritten([]byte(changed), []byte("key")) != nil {
			t.Errorf("%q for %q", change[1], change[0])
		}
	}
	for i, c := range text[strings.Index(text, `"hash"`):] { // the sums
		at := strings.Index(text, `"hash"`) + i
		changed := text[:at] + string(c^1) + text[at+1:]
		if decodeWritten([]byte(changed), []byte("key")) != nil {
			t.Errorf("byte %d is changed", at)
		}
	}
}

// TestHashOfSites: the hash in the file of a plan over sites is checked too, though it does not cover the age of
// observations, which the MAC covers.
func TestHashOfSites(t *testing.T) {
	p := &Plan{Format: Format, Digest: "d", Changes: []ResourceChange{}, Steps: []Step{},
		Sites: []PlanSite{{Name: "a", Observed: &Age{}}}}
	if err := p.Authenticate([]byte("key")); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	if _, authentic, err := DecodeAuthentic([]byte(b.String()), []byte("key")); err != nil || !authentic {
		t.Fatal(authentic, err)
	}
	own, err := p.Hash()
	if err != nil {
		t.Fatal(err)
	}
	body, _, _ := strings.Cut(b.String(), ",\n  \"hash\": ")
	hash := sumsOf([]byte(body), []byte("key")).hashed() // which everybody can compute
	text := body + strings.Replace(strings.TrimPrefix(b.String(), body), own, hash, 1)
	if text == b.String() {
		t.Fatal("it is the hash of the plan")
	}
	if _, _, err := DecodeAuthentic([]byte(text), []byte("key")); err == nil {
		t.Error("a plan is read with a hash that is not its own")
	}
}

// TestMembersOfANewerProgram: a member that this program does not know may be a guard. So a plan that has one is
// refused, even if a program with the user's key has written it.
func TestMembersOfANewerProgram(t *testing.T) {
	_, text := written(t, "key")
	body, _, _ := strings.Cut(text, ",\n  \"hash\": ")
	again := func(body string) []byte { return append([]byte(body), sumsOf([]byte(body), []byte("key")).ending()...) }
	if string(again(body)) != text {
		t.Fatalf("the sums are not those of the plan:\n%s\n%s", text, again(body))
	}
	for _, of := range []string{`"where": `, `"op": `, `"changes": `, `"severity": `, `"digest": `} {
		newer := again(strings.Replace(body, of, `"more": [], `+of, 1))
		if macOfWritten(newer, []byte("key")) == "" && of != `"digest": ` {
			t.Errorf("%s: it is not authentic", of)
		}
		if p, _, err := DecodeAuthentic(newer, []byte("key")); err == nil {
			t.Errorf("%s: it is read: %+v", of, p)
		}
	}
	if _, _, err := DecodeAuthentic(again(strings.Replace(body, fmt.Sprint(Format), "7", 1)), []byte("key")); err == nil {
		t.Error("another format is read")
	}
}
