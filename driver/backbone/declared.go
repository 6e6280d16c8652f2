package backbone

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/schema"
)

// endNames are the names of a sync's two end blocks: the one that configures stands first.
func endNames(sync *schema.Resource) [2]string {
	if sync.Text("transport") == direct {
		return [2]string{first, second}
	}
	return [2]string{master, slave}
}

// field is one declared field mapping, or one that was read.
type field struct {
	First   string `json:"first"`
	Second  string `json:"second"`
	Mapping string `json:"mapping"`
}

func (f field) String() string {
	name := f.First
	if f.Second != f.First {
		name += " -> " + f.Second
	}
	return name + " (" + f.Mapping + ")"
}

// declaredFields are the field mappings of a sync, sorted by the first end's name.
func declaredFields(sync *schema.Resource) []field {
	v := sync.Get("field")
	if !known(v) {
		return nil
	}
	var out []field
	for name, f := range v.AsValueMap() {
		to := schema.Text(schema.Get(f, "to"))
		if to == "" {
			to = name
		}
		out = append(out, field{First: name, Second: to, Mapping: schema.Text(schema.Get(f, "mapping"))})
	}
	slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.First, b.First) })
	return out
}

// syncName is the name in Backbone's overview.
func syncName(sync *schema.Resource) string {
	if n := sync.Text("name"); n != "" {
		return n
	}
	ends := endNames(sync)
	return sync.Text(ends[0], "project") + " <> " + sync.Text(ends[1], "project")
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no duration: write one like \"30s\" or \"10m\"", s)
	}
	return d, nil
}

// number returns the whole number at path, or def where there is none.
func number(r *schema.Resource, def int, path ...string) int {
	v := r.Get(path...)
	if !known(v) {
		return def
	}
	n, _ := v.AsBigFloat().Int64()
	return int(n)
}

func flag(r *schema.Resource, path ...string) bool {
	v := r.Get(path...)
	return known(v) && v.True()
}
