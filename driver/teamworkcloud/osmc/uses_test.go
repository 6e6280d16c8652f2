package osmc

import (
	"slices"
	"testing"
)

// TestUses checks that what a model uses is read as in the OpenAPI files' example. Anything else is unknown, not
// empty.
func TestUses(t *testing.T) {
	const used = `{"models:project":{"models:name":"Lib","@type":"models:UsedProject","@id":"../../elements/e2"},"models:uses":[]}`
	for body, want := range map[string][]string{
		`{"@type":"models:Decomposition","models:usages":[{"models:project":{"models:name":"P","@type":` +
			`"models:PrimaryProject","models:uri":"twcloud:/p1/b1"},"models:uses":[{"models:uri":"twcloud:/p2/b2",` +
			`"models:isAutomatic":"false"},{"models:uri":"file:/x.mdzip"},{"models:uri":"twcloud:/p2/b2"}]},` + used + `],"@id":""}`: {
			"file:/x.mdzip", "twcloud:/p2/b2"},
		`{"models:usages":[]}`:   {},
		`{}`:                     nil,
		`{"models:usages":null}`: nil,
		`{"models:usages":[{}]}`: nil,
		`{"models:usages":[{"models:uses":[{"models:name":"Lib"}]}]}`: nil,
		`403`: nil, `404`: nil, `500`: nil, `<html>`: nil,
	} {
		got, why, err := answers{"/osmc/resources/p1/models/decomposition": body}.reader(t).Uses(t.Context(), "p1")
		list, known := got.Get()
		if err != nil || known != (want != nil) || known == (why != "") || !slices.Equal(list, want) {
			t.Errorf("%s: %v, %t, %q, %v", body, list, known, why, err)
		}
	}
	isUse := func(uri string, r *Resource) bool {
		keys := KeysOfUse(uri)
		return slices.ContainsFunc(UseKeys(r), func(key string) bool { return slices.Contains(keys, key) })
	}
	r := &Resource{ID: "P2", ProjectID: "PROJECT-2"}
	for uri, want := range map[string]bool{"twcloud:/p2/b2": true, "twcloud:/b2/p2": true, "twcloud:/PROJECT-2/b2": true,
		"twcloud:/p22/b2": false, "file:/p2/b2": false, "twcloud:/": false} {
		if isUse(uri, r) != want {
			t.Errorf("%s: %t", uri, !want)
		}
	}
	if isUse("twcloud:/x/", &Resource{ID: "p2"}) {
		t.Error("an unknown project id is that of everything")
	}
}

func FuzzUses(f *testing.F) {
	fuzzed(f, parseUses, func(*testing.T, []string) {},
		`{"models:usages":[{"models:uses":[{"models:uri":"twcloud:/p2/b2"}]}]}`, `{"models:usages":[]}`)
}
