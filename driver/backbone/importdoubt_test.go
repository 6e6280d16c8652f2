package backbone

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestImportedStates: what has a state that cannot be declared is doubtful, since without one it would be started.
func TestImportedStates(t *testing.T) {
	for status, doubtful := range map[string]bool{"RUNNING": false, "STOPPED": false, "RESTART REQUIRED": true, "": true} {
		s := &drafted{values: map[string]cty.Value{}, notes: map[string]string{}}
		if s.state("", status); s.restless != doubtful {
			t.Errorf("%q: doubtful %v, want %v", status, s.restless, doubtful)
		}
	}
}

// TestImportedAddress: an address with a user is not written, nor is the user's password.
func TestImportedAddress(t *testing.T) {
	x := &importer{here: &jira{serverBlock: &serverBlock{}}, servers: map[string]cty.Value{}}
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

// TestImportedPartner: a half is the other one only if nothing else, on any Jira, could be.
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
