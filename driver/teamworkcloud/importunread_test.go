package teamworkcloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
)

// TestImportNothingCompared checks that a server that was not compared with another one is not reported as declared.
func TestImportNothingCompared(t *testing.T) {
	t.Parallel()
	s := newWorld("").open(t)
	cfg, d := s.load("")
	defer s.close(d)
	a, b := cfg.Lookup(serverAt(t, "a")), cfg.Lookup(serverAt(t, "b"))
	other := &schema.Resource{Addr: schema.Addr{Kind: schema.Server, Type: "backbone", Name: "a"}}
	for _, from := range []*schema.Resource{b, other} {
		found, err := d.(driver.Importer).Import(t.Context(), driver.ImportRequest{Server: b, Declared: cfg.Resources,
			From: []*schema.Resource{a, from}})
		if err == nil || !strings.Contains(err.Error(), from.Addr.String()+":") {
			t.Errorf("from %s: %v, %v", from.Addr, found, err)
		}
	}
	for name, of := range map[string]driver.ImportRequest{
		"alone":           {Server: b, Declared: []*schema.Resource{b, other}},
		"a misspelled id": {Server: b, Declared: cfg.Resources, IDs: []string{"server.teamwork_cloud.aa/From A"}},
	} {
		found, err := d.(driver.Importer).Import(t.Context(), of)
		if err != nil || len(found) != 1 || found[0].Value != (schema.Draft{}).Value || found[0].Addr != b.Addr {
			t.Errorf("%s: %+v, %v", name, found, err)
			continue
		}
		if len(of.IDs) > 0 && !slices.ContainsFunc(found[0].Comments, func(c string) bool {
			return strings.Contains(c, of.IDs[0])
		}) {
			t.Errorf("%s: %q", name, found[0].Comments)
		}
	}
}

// TestImportUnreadUpstream checks that a group whose upstream could not be read is not declared without one.
func TestImportUnreadUpstream(t *testing.T) {
	t.Parallel()
	w := newWorld("")
	for _, name := range []string{"b", "c"} {
		w.add(name, "categories", j{"path": "From A"}).add(name, "resources", resource("Gearbox", "From A"))
	}
	s := w.open(t)
	s.env["A_URL"] = "https://127.0.0.1:1"
	const hop = `
		sync "teamwork_cloud" "a_to_b" {
		  source          = server.teamwork_cloud.a
		  target          = server.teamwork_cloud.b
		  resources       = ["Cars/Gearbox"]
		  target_category = "From A"
		}`
	if text := s.importing(hop, serverAt(t, "c"), serverAt(t, "b")); blocks(text) != "#b_to_c" ||
		strings.Contains(text, "upstream = ") {
		t.Error(text)
	}
}
