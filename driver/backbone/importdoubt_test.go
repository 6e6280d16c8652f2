package backbone

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// TestImportedStates checks that a state that cannot be declared is marked as doubtful, because without a state the
// synchronization would be started.
func TestImportedStates(t *testing.T) {
	for status, doubtful := range map[string]bool{"RUNNING": false, "STOPPED": false, "RESTART REQUIRED": true, "": true} {
		s := &drafted{values: map[string]cty.Value{}, notes: map[string]string{}}
		if s.state("", status); s.restless != doubtful {
			t.Errorf("%q: doubtful %v, want %v", status, s.restless, doubtful)
		}
	}
}

// TestImportedAddress checks that an address with a user is not written, nor the user's password.
func TestImportedAddress(t *testing.T) {
	x := &importer{here: jiraNamed(t, "a"), servers: map[string]cty.Value{}}
	s := &drafted{integration: &integration{Key: "INT-4", Second: &connector{
		URL: "https://svc:s3cret99@b.example", Project: "SP2"}}}
	if _, known := x.secondServer(s); known || len(x.drafts) != 1 {
		t.Fatalf("known %v, %d drafts", known, len(x.drafts))
	}
	d := x.drafts[0]
	if text := strings.Join(d.Comments, " "); strings.Contains(text, "s3cret") || !strings.Contains(text, "b.example") ||
		d.Value.GetAttr("url").IsKnown() {
		t.Errorf("%s, %#v", text, d.Value)
	}
}

func jiraNamed(t *testing.T, name string) *jira {
	t.Helper()
	b, diags := declare.Decode[serverBlock](&schema.Resource{Value: cty.EmptyObjectVal,
		Addr: schema.Addr{Kind: schema.Server, Type: "backbone", Name: name}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &jira{serverBlock: b}
}

// TestImportedServers checks that a Jira is drafted once, by its complete address. If the address is not known, it is
// drafted once for each Jira that has a synchronization with it.
func TestImportedServers(t *testing.T) {
	drafts := func(name string, addresses ...string) []string {
		x := &importer{here: jiraNamed(t, name), servers: map[string]cty.Value{}}
		for _, address := range addresses {
			x.secondServer(&drafted{integration: &integration{Key: "INT-1", Second: &connector{URL: address, Project: "SP"}}})
		}
		var out []string
		for i := range x.drafts {
			out = append(out, x.drafts[i].Addr.Name)
		}
		return out
	}
	got := drafts("a", "https://jira.example:8443", "https://jira.example:9443/x", "https://Jira.example:8443/",
		"https://jira")
	want := []string{"jira.example:8443/", "jira.example:9443/x", "jira/"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if a, c := drafts("a", ""), drafts("c", ""); len(a) != 1 || len(c) != 1 || a[0] == c[0] {
		t.Errorf("of a %q, of c %q", a, c)
	}
}

// TestImportedPartner checks that a half is only taken for the other one if nothing else on any Jira could be.
func TestImportedPartner(t *testing.T) {
	half := func(role, project, partner string) integration {
		return integration{Key: role, Role: role, Channel: "FILE", Partner: partner, First: connector{Project: project}}
	}
	master, slave := half("MASTER", "P1", "P2"), half("SLAVE", "P2", "P1")
	at := func(list ...integration) *jira { return &jira{list: list} }
	for name, c := range map[string]struct {
		here   *jira
		others []*jira
		found  bool
	}{
		"one of each":            {at(master), []*jira{at(slave)}, true},
		"two masters, elsewhere": {at(master), []*jira{at(slave), at(master)}, false},
		"two slaves":             {at(master), []*jira{at(slave), at(slave)}, false},
		"both in this one":       {at(master, slave), []*jira{at(slave)}, false},
		"none":                   {at(master), nil, false},
	} {
		x := &importer{here: c.here, others: c.others}
		if _, got, doubt := x.partner(&c.here.list[0]); (got != nil) != c.found || (doubt == "") != c.found {
			t.Errorf("%s: found %v, %q", name, got, doubt)
		}
	}
}
