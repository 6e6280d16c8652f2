package cli

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// TestImportBlocks: what is named is taken with what it refers to and what is said of its server. What could not be
// read is said too where an id is not found. One name in two Unicode forms is one name.
func TestImportBlocks(t *testing.T) {
	north := schema.Addr{Kind: schema.Server, Type: "x", Name: "north"}
	other := schema.Addr{Kind: schema.Server, Type: "x", Name: "the other end"}
	of := func(name string) schema.Addr { return schema.Addr{Kind: schema.Sync, Type: "x", Name: name} }
	said := schema.Draft{Addr: north, Comments: []string{"south could not be compared."}}
	found := []schema.Draft{said,
		{Addr: other, Value: cty.EmptyObjectVal},
		{Addr: of("wish"), ID: "Cafe\u0301", Value: cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal(other.String())})},
		{Addr: of("again"), ID: "2", Value: cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal(other.String())})},
	}
	found[3].With = []string{"3"}
	take := func(found []schema.Draft) (names []string, why string) {
		s := selection{had: map[string]bool{}}
		here := []wish{{&schema.Import{To: of("cafe")}, "Caf\u00e9"}, {&schema.Import{To: of("two")}, "2"}}
		s.take(offerOf(found, north), here,
			func(_ *schema.Import, w string) { why = w })
		for i := range s.drafts {
			names = append(names, s.drafts[i].Addr.Name)
		}
		return names, why
	}
	if got, why := take(found); strings.Join(got, ", ") != "the other end, cafe, two, north" || why != "" {
		t.Errorf("%q, %q", got, why)
	}
	for _, found := range [][]schema.Draft{{said}, found[:3], {found[0], found[3]}} {
		if _, why := take(found); !strings.Contains(why, said.Comments[0]) {
			t.Errorf("%q", why)
		}
	}
	if d, why := offerOf(found, north).pick("3", of("three")); d != nil || !strings.Contains(why, `"2"`) ||
		strings.Contains(why, said.Comments[0]) {
		t.Errorf("%v, %q", d, why)
	}
}

// TestImportedFrom: an id belongs to the server with the longest address that it begins with.
func TestImportedFrom(t *testing.T) {
	short, long := &schema.Resource{}, &schema.Resource{}
	servers := map[string]*schema.Resource{"server.x.a": short, `server.x.b["k/l"]`: long}
	for id, want := range map[string]struct {
		server *schema.Resource
		rest   string
	}{
		"server.x.a/1/2": {short, "1/2"}, `server.x.b["k/l"]/3`: {long, "3"}, "server.x.a": {}, "server.x.c/1": {}, "": {},
		`server.x.a/server.x.a/1`: {short, "server.x.a/1"},
	} {
		if r, rest := importedFrom(servers, id); r != want.server || rest != want.rest {
			t.Errorf("%q: %p, %q", id, r, rest)
		}
	}
}
