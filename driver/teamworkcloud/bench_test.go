package teamworkcloud_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/schema"
)

// validation returns a function that reads and checks n synchronizations of one model each between two servers.
func validation(t testing.TB, n int) func() {
	t.Helper()
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(servers+fleet(n, false).hcl), 0o600); err != nil {
		t.Fatal(err)
	}
	types := teamworkcloud.New(driver.Env{Fs: fsys, Log: hclog.NewNullLogger()}).Types()
	return func() {
		_, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Catalog: types, Env: environment})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
	}
}

// BenchmarkValidate shows that time and memory grow with the number of synchronizations.
func BenchmarkValidate(b *testing.B) {
	for _, n := range []int{1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			validate := validation(b, n)
			b.ReportAllocs()
			for b.Loop() {
				validate()
			}
		})
	}
}

// TestValidateGrows checks that twice as many synchronizations take no more than twice the memory.
func TestValidateGrows(t *testing.T) {
	allocated := func(n int) float64 {
		validate := validation(t, n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		validate()
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	allocated(1) // what is allocated only once
	if one, two := allocated(800), allocated(1600); two > 2.3*one {
		t.Errorf("%.0f bytes for 800, %.0f for 1600", one, two)
	}
}

// environment has the variables that the declarations of servers read.
func environment(name string) (string, bool) {
	switch server, what, _ := strings.Cut(strings.ToLower(name), "_"); what {
	case "url":
		return "https://twc." + server + ".example:8111", true
	case "user":
		return "syncctl", true
	}
	return "geheim", true
}
