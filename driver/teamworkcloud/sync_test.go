package teamworkcloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// declared loads a sync from a to b; server and sync are added to the declarations of a and of the sync.
func declared(t *testing.T, server, sync string) *survey.Sync {
	t.Helper()
	text := fmt.Sprintf(`
server "teamwork_cloud" "a" {
  url      = "https://a.example:8111"
  user     = "reader"
  password = env("A")
  %s
}
server "teamwork_cloud" "b" {
  url      = "https://b.example:8111"
  user     = "manager"
  password = env("B")
}
sync "teamwork_cloud" "s" {
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.b
  target_category = "From A"
  %s
}
`, server, sync)
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := New(driver.Env{Fs: fsys, Log: hclog.NewNullLogger(), Now: time.Now})
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Catalog: d.Types(),
		Env: func(string) (string, bool) { return "geheim", true }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return survey.Declared(cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: product, Name: "s"}))
}

// TestSourceAddress checks the address for the wizard, for old and new servers.
func TestSourceAddress(t *testing.T) {
	old, recent := osmc.Release{Year: 2022, Refresh: 2}, osmc.Release{Year: 2024, Refresh: 3}
	for _, c := range []struct {
		address, tls      string
		release           osmc.Release
		plain, secure     int // of the source; the target has 3579 and 10002
		want              string
		encrypted         bool
		findings, summary string
	}{
		{"", "", recent, 3579, 10002, "a.example", false, "", ""},
		{"", "", old, 3579, 10002, "a.example:3579", false, "", ""},
		{"", "", osmc.Release{}, 3579, 10002, "a.example", false, "", ""},
		{"", "", old, 0, 0, "a.example:3579", false, "", ""}, // the server does not say
		{"", "", recent, 4000, 10002, "a.example:4000", false, "", ""},
		{"twc.example", "tls = true", recent, 4000, 10002, "twc.example", true, "tls-unproven", ""},
		{"twc.example", "tls = true", recent, 3579, 10443, "twc.example", true, "login-port tls-unproven",
			"the ports for encrypted clients differ"},
		{"twc.example:10443", "", recent, 3579, 10443, "twc.example:10443", true, "tls-unproven", ""},
		{"twc.example:10443", "tls = true", recent, 3579, 10443, "twc.example:10443", true, "tls-unproven", ""},
		{"twc.example:10443", "tls = false", recent, 3579, 10443, "twc.example:10443", false, "login-port",
			"is not encrypted"},
		{"twc.example:7000", "", recent, 3579, 10443, "twc.example:7000", false, "login-port",
			"names no port that the server has"},
		{"[2001:db8::1]:3579", "", recent, 3579, 10002, "[2001:db8::1]:3579", false, "", ""},
		{"[2001:db8::1]", "", old, 3579, 10002, "[2001:db8::1]:3579", false, "", ""},
		{"twc.example:10002", "", old, 3579, 10002, "twc.example:10002", true, "tls-version", "port for encrypted clients"},
	} {
		server := ""
		if c.address != "" {
			server = fmt.Sprintf("sync_address = %q", c.address)
		}
		sync := declared(t, server, "categories = [\"Cars\"]\n  "+c.tls)
		f := &survey.Facts{
			Source: survey.Server{Addr: "server.teamwork_cloud.a", Release: c.release, Major: "2024x", PlainPort: c.plain,
				TLSPort: c.secure, Ports: c.plain != 0, User: "reader"},
			Target: survey.Server{Addr: "server.teamwork_cloud.b", Release: c.release, Major: "2024x", PlainPort: 3579,
				TLSPort: 10002, Ports: true, User: "manager"},
		}
		p := share.New("x", sync, f, nil, nil, nil)
		if got, encrypted := p.SourceAddress(); got != c.want || encrypted != c.encrypted {
			t.Errorf("%q %s %s: %s, encrypted %v; want %s, %v", c.address, c.tls, c.release, got, encrypted, c.want,
				c.encrypted)
		}
		var found []string
		for _, x := range p.Findings(&planner.Sequence{}) {
			if rule := strings.TrimPrefix(x.Rule, "teamwork_cloud/"); rule != "version-unreadable" {
				found = append(found, rule)
			}
			if c.summary != "" && x.Severity != planner.Note && !strings.Contains(x.Summary, c.summary) {
				t.Errorf("%q: %s", c.address, x.Summary)
			}
		}
		if got := strings.Join(slices.Compact(found), " "); got != c.findings {
			t.Errorf("%q %s %s: findings %s, want %s", c.address, c.tls, c.release, got, c.findings)
		}
	}
}

// TestStanding checks that the servers take precedence over the journal, and the journal over nothing.
func TestStanding(t *testing.T) {
	sync := declared(t, "", `resources = ["Engine"]`)
	there := survey.Resource{ID: "1", Name: "Engine", Readable: true, Target: survey.Copy{Exists: true},
		Diff: revision.Comparison{State: revision.Equal}}
	absent := survey.Resource{ID: "1", Name: "Engine", Readable: true}
	item := func(r survey.Resource) survey.Item {
		return survey.Item{Kind: survey.KindResource, Declared: "Engine", ID: "1", Name: "Engine", Path: "Cars/Engine",
			Resources: []survey.Resource{r}}
	}
	key := survey.ConfigurationKey(survey.KindResource, "1", "")
	mine := share.New("x", sync, &survey.Facts{Items: []survey.Item{item(absent)}}, nil, nil, nil).Items[0].Op
	at := func(n int) planner.Confirmation { return planner.Confirmation{Run: fmt.Sprintf("run%d", n), Seq: 1} }
	ever := declared(t, "", "resources = [\"Engine\"]\n  trigger = \"manual\"")
	byHand := share.New("x", ever, &survey.Facts{Items: []survey.Item{item(absent)}}, nil, nil, nil).Items[0].Op
	for name, c := range map[string]struct {
		sync       *survey.Sync
		r          survey.Resource
		confirmed  map[string]planner.Confirmation
		configured bool
		replace    bool
		removed    bool
	}{
		"nothing known, a copy there":  {sync, there, nil, true, false, false},
		"nothing known, nothing there": {sync, absent, nil, false, false, false},
		"made, and there": {sync, there, map[string]planner.Confirmation{mine: at(1)}, true, false,
			false},
		"made, and nothing came": {sync, absent, map[string]planner.Confirmation{mine: at(1)}, false, false,
			false},
		"made by hand, and nothing came": {ever, absent, map[string]planner.Confirmation{byHand: at(1)}, true,
			false, false},
		"made otherwise": {sync, there, map[string]planner.Confirmation{byHand: at(1)}, false, true,
			false},
		"made otherwise, then as declared": {sync, there, map[string]planner.Confirmation{byHand: at(1), mine: at(2)},
			true, false, false},
		"as declared, then otherwise": {sync, there, map[string]planner.Confirmation{byHand: at(2), mine: at(1)},
			false, true, false},
		"made, then removed": {sync, there, map[string]planner.Confirmation{mine: at(1),
			"remove_configuration_" + key: at(2)}, false, false, true},
		"removed by a migration": {sync, there, map[string]planner.Confirmation{mine: at(1),
			"remove_configuration": at(2)}, false, false, true},
		"removed, then made": {sync, there, map[string]planner.Confirmation{mine: at(3),
			"remove_configuration": at(2)}, true, false, false},
		"another resource, formerly": {sync, there,
			map[string]planner.Confirmation{"configure_00000000_000000": at(1)}, true, false, false},
		"its category, formerly": {sync, there, map[string]planner.Confirmation{"configure_" +
			survey.ConfigurationKey(survey.KindCategory, "", "Cars") + "_000000": at(1)}, false, false, false},
		"its category, formerly, and removed": {sync, there, map[string]planner.Confirmation{"configure_" +
			survey.ConfigurationKey(survey.KindCategory, "", "Cars") + "_000000": at(1), "remove_configuration_" +
			survey.ConfigurationKey(survey.KindCategory, "", "Cars"): at(2)}, false, false, false},
	} {
		p := share.New("x", c.sync, &survey.Facts{Items: []survey.Item{item(c.r)}}, nil, nil, c.confirmed)
		if s := p.Items[0]; s.Configured != c.configured || s.Replaces != c.replace || s.Unconfigured != c.removed {
			t.Errorf("%s: configured %v, replace %v, removed %v", name, s.Configured, s.Replaces, s.Unconfigured)
		}
	}
}

// TestUnknownParts checks that parts of a history which a server does not show are reported, and keep a migration from
// removing anything.
func TestUnknownParts(t *testing.T) {
	everything := declared(t, "", `resources = ["Engine"]`)
	author := declared(t, "", "resources = [\"Engine\"]\n  verify { compare = [\"author\"] }")
	onTarget := survey.Resource{
		ID: "1", Name: "Engine", Readable: true, Target: survey.Copy{Exists: true},
		Diff: revision.Comparison{State: revision.Unknown, Unknown: "neither server gives the description of 1 revision"},
	}
	toCome := survey.Resource{ID: "1", Name: "Engine", Readable: true,
		Source: revision.Summary{Unknown: []revision.Part{revision.Description}}}
	for name, c := range map[string]struct {
		owner string
		sync  *survey.Sync
		r     survey.Resource
		want  planner.Severity
	}{
		"a copy of a sync":             {everything.Address(), everything, onTarget, planner.Warn},
		"a copy that is offloaded":     {"migration.x.y", everything, onTarget, planner.Refuse},
		"to come, of a sync":           {everything.Address(), everything, toCome, planner.Warn},
		"to come, and to be offloaded": {"migration.x.y", everything, toCome, planner.Refuse},
		"left out of what is compared": {"migration.x.y", author, toCome, ""},
		"everything is given": {"migration.x.y", everything, survey.Resource{ID: "1", Name: "Engine",
			Readable: true}, ""},
	} {
		items := []survey.Item{{Kind: survey.KindResource, Declared: "Engine", ID: "1", Name: "Engine",
			Path: "Cars/Engine", Resources: []survey.Resource{c.r}}}
		facts := &survey.Facts{Items: items, Source: survey.Server{User: "reader"}}
		var got planner.Severity
		for _, found := range share.New(c.owner, c.sync, facts, nil, nil, nil).Findings(&planner.Sequence{}) {
			if found.Rule == product+"/unknown-history" {
				got = found.Severity
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestTakenWithin checks two selected resources that the product takes for the same project.
func TestTakenWithin(t *testing.T) {
	sync := declared(t, "", `categories = ["Cars"]`)
	f := &survey.Facts{Items: []survey.Item{{Kind: survey.KindCategory, Declared: "Cars", Path: "Cars",
		Resources: []survey.Resource{
			{ID: "1", Name: "Engine", ProjectID: "P", Readable: true},
			{ID: "2", Name: "Motor", ProjectID: "P", Readable: true, Taken: []survey.Collision{{By: "project id", ID: "1",
				Name: "Engine", Within: true}}},
		}}}}
	f.Source.User = "reader"
	p := share.New("x", sync, f, nil, nil, nil)
	if !slices.ContainsFunc(p.Findings(&planner.Sequence{}), func(x planner.Finding) bool {
		return x.Rule == "teamwork_cloud/taken" && x.Severity == planner.Refuse &&
			x.Summary == `resource "Motor" (2) and "Engine" (1), which is selected too, have the same project id "P"`
	}) {
		t.Errorf("%+v", p.Findings(&planner.Sequence{}))
	}
}
