package schema

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// BenchmarkWrongReferences loads as many declarations as wrong references to them: its time must grow with their
// number.
func BenchmarkWrongReferences(b *testing.B) {
	for _, n := range []int{300, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var text strings.Builder
			for i := range n {
				fmt.Fprintf(&text, "server \"depot\" \"jira%d\" {\n  url = server.depot.jria%d.url\n}\n", i, i)
			}
			loadOften(b, text.String(), true)
		})
	}
}

// BenchmarkSecrets loads declarations beside sensitive variables, whose values are taken out of the sources.
func BenchmarkSecrets(b *testing.B) {
	for _, secrets := range []int{10, 1000} {
		b.Run(fmt.Sprint(secrets), func(b *testing.B) {
			var text strings.Builder
			for i := range secrets {
				fmt.Fprintf(&text, "variable \"v%d\" {\n  sensitive = true\n  default = \"s3cr3t-%d-%x\"\n}\n", i, i, i*7919)
			}
			for i := range 2000 {
				fmt.Fprintf(&text, "server \"depot\" \"jira%d\" {\n  url = \"https://jira%d.example\"\n}\n", i, i)
			}
			loadOften(b, text.String(), false)
		})
	}
}

// TestLackingCost: which elements of a for_each lack an attribute is found once, not once for each of them.
func TestLackingCost(t *testing.T) {
	const n = 1000
	var keys strings.Builder
	for i := range n {
		fmt.Fprintf(&keys, "  k%04d = { %s = \"v\" }\n", i, []string{"x", "y"}[i%2])
	}
	for kind, use := range map[string]string{
		"declarations": "server \"depot\" \"a\" {\n  for_each = local.all\n  url = each.value.x\n}\n",
		"blocks": "sync \"depot\" \"a\" {\n  transport = \"road\"\n  dynamic \"stop\" {\n    for_each = local.all\n" +
			"    content {\n      place = stop.value.x\n    }\n  }\n}\n",
	} {
		fs := withFile(t, "locals {\n all = {\n"+keys.String()+"  }\n}\n"+use)
		got := testing.AllocsPerRun(1, func() {
			_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Catalog: depots()})
			if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
				return strings.Contains(d.Detail, `500 keys, such as "k0001"`)
			}) {
				t.Errorf("%s: %v", kind, diags[:min(3, len(diags))])
			}
		})
		const most = 300
		if got/n > most {
			t.Errorf("%s: %.0f allocations an element, at most %d", kind, got/n, most)
		}
	}
}

func loadOften(b *testing.B, text string, wrong bool) {
	b.Helper()
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_, diags := Load(b.Context(), Options{Fs: fsys, Dir: "d", Catalog: depots()})
		if diags.HasErrors() != wrong {
			b.Fatal(diags)
		}
	}
}

// TestNearestIsTheClosest: the suggestion is the first of the closest candidates that may be a slip, and close enough.
func TestNearestIsTheClosest(t *testing.T) {
	word := rapid.StringMatching(`[ab-]{1,4}(\.[abc]{0,6}){0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		given, candidates := word.Draw(t, "given"), rapid.SliceOfN(word, 0, 8).Draw(t, "candidates")
		fold := func(s string) string { return strings.ReplaceAll(s, "-", "_") }
		want, least := "", min(max(2, len(given)/4), 5)+1
		for _, c := range slices.Sorted(slices.Values(candidates)) {
			if d := levenshtein.Distance(fold(given), fold(c), nil); d < least && c != given && aSlip(fold(given), fold(c)) {
				want, least = c, d
			}
		}
		if got := Nearest(given, candidates); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

// TestWrongNamesCost: what is said of a wrong name is found as often as it is shown, unless there are very many to
// compare it with, and a cycle is followed once.
func TestWrongNamesCost(t *testing.T) {
	var names, cycle, variables, values, attributes, uses strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&variables, "variable \"right%05d\" {\n  default = 1\n}\n", i)
		fmt.Fprintf(&values, "rihgt%05d = 1\n", i)
		fmt.Fprintf(&attributes, "    right%05d = 1\n", i)
		fmt.Fprintf(&uses, "  use%d = local.all.rihgt%05d\n", i, i)
	}
	for i := range 1500 {
		fmt.Fprintf(&names, "  right%04d = 1\n", i)
	}
	for i := range 5000 {
		fmt.Fprintf(&names, "  use%04d = local.rihgt%04d\n", i, i)
	}
	const round = 10_000
	for i := range round {
		fmt.Fprintf(&cycle, "  a%d = local.a%d\n", i, (i+1)%round)
	}
	for name, text := range map[string]string{"names": "locals {\n" + names.String() + "}\n",
		"cycle": "locals {\n" + cycle.String() + "}\n", "values": variables.String(),
		"attributes": "locals {\n  all = {\n" + attributes.String() + "  }\n" + uses.String() + "}\n"} {
		fs := withFile(t, text)
		if name == "values" {
			if err := afero.WriteFile(fs, "conf/x.auto.syncvars.hcl", []byte(values.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
		runtime.ReadMemStats(&after)
		if made := (after.TotalAlloc - before.TotalAlloc) >> 20; diags.HasErrors() == (name == "values") || made > 1500 {
			t.Errorf("%s: %d MiB were made", name, made)
		}
	}
}
