package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTwoDashes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plan -out=x -detailed-exitcode", "plan --out=x --detailed-exitcode"},
		{"plan --out x", "plan --out x"},
		{"backbone merge -o - -h", "backbone merge -o - -h"},
		{"sandbox d -dump=f -- sh -ec true", "sandbox d --dump=f -- sh -ec true"},
		{"x -1 -a.b", "x -1 -a.b"},
	} {
		if got := strings.Join(twoDashes(strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

// TestTwoDashesTwice: a command line that is as it should be stays so.
func TestTwoDashesTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOf(rapid.StringMatching(`-{0,3}[a-z]{0,3}(=.{0,3})?`)).Draw(t, "args")
		once := twoDashes(args)
		if d := cmp.Diff(once, twoDashes(once)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestSplitWords(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"  -a   b ", []string{"-a", "b"}},
		{`-var 'name=two words' "x\"y" ''`, []string{"-var", "name=two words", `x"y`, ""}},
		{`a\ b 'c\d'`, []string{"a b", `c\d`}},
	} {
		got, err := splitWords(c.in)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.in, err, d)
		}
	}
	for _, bad := range []string{`"a`, `a'`, `a\`} {
		if got, err := splitWords(bad); err == nil {
			t.Errorf("%s: %q without an error", bad, got)
		}
	}
}

// TestQuoteWord: what is printed to be copied means the same again.
func TestQuoteWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "words")
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, quoteWord(w))
		}
		got, err := splitWords(strings.Join(quoted, " "))
		if d := cmp.Diff(words, got); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

func TestNearest(t *testing.T) {
	names := []string{"plan", "apply", "sync.backbone.support/stop_master"}
	for word, want := range map[string]string{
		"plna": "plan", "aply": "apply", "zzz": "", "x": "", "Plan": "plan",
		"stop_master": "sync.backbone.support/stop_master",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
