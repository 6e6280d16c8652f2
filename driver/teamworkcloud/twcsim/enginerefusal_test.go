package twcsim

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func TestSynchronizationNeedsTheSameMajorVersion(t *testing.T) {
	for _, source := range releases {
		for _, target := range releases {
			x := newSite(t, two(source, target))
			if target == "2021x" {
				x.fails("no Remote repository management", "create_configuration", x.wizard("Gears", state.EveryCommit)...)
				continue
			}
			x.configure("Gears", state.EveryCommit)
			x.pass(2)
			want := state.Synchronized
			switch {
			case source == "2021x":
				want = state.InError + ": resource synchronization came with 2021x Refresh2"
			case source[:4] != target[:4]:
				want = state.InError + ": both servers must have the same major version"
			}
			if got := x.status("dst"); !strings.HasPrefix(got, want) ||
				(want == state.Synchronized) != (x.Named["dst"].Resource("Gears") != nil) {
				t.Errorf("%s to %s: %s", source, target, got)
			}
		}
	}
}

func TestUniqueness(t *testing.T) {
	gears := func(s fields) fields { return s["src"].(fields)["resources"].([]fields)[1] }
	tests := map[string]struct {
		there  fields // on the target from the start
		mine   fields // members of the source's resource
		reason string // "" if it is copied anyway
	}{
		"resource id": {fields{"name": "x", "id": "00000000-0000-4000-8000-000000000001"},
			fields{"id": "00000000-0000-4000-8000-000000000001"}, "resource id"},
		"project id":          {fields{"name": "x", "project_id": "P"}, fields{"project_id": "P"}, "project id P"},
		"name":                {fields{"name": "Gears"}, nil, "name Gears"},
		"name, removed":       {fields{"name": "Gears", "removed": true}, nil, "marked as deleted"},
		"name of another one": {fields{"name": "gears"}, nil, ""},
		"local id":            {fields{"name": "x", "local_id": "L"}, fields{"local_id": "L"}, "local id L"},
		"read-only, not the same": {fields{"name": "Gears", "id": "00000000-0000-4000-8000-000000000001",
			"read_only": true, "generate": fields{"revisions": 1, "authors": []string{"eve"}}},
			fields{"id": "00000000-0000-4000-8000-000000000001"},
			"version inconsistency: revision 1 of resource Gears is not the source's"},
	}
	for name, tt := range tests {
		for _, version := range releases[1:] {
			servers := two(version, version)
			servers["dst"].(fields)["resources"] = []fields{tt.there}
			for k, v := range tt.mine {
				gears(servers)[k] = v
			}
			x := newSite(t, servers)
			x.configure("Gears", state.EveryCommit)
			before := len(x.Named["dst"].Resources)
			x.pass(2)
			got := x.status("dst")
			refused := tt.reason != "" && (name != "local id" ||
				slices.Index(releases, version) >= slices.Index(releases, "2024xR2 HF1"))
			switch {
			case refused && (!strings.HasPrefix(got, state.InError) || !strings.Contains(got, tt.reason) ||
				len(x.Named["dst"].Resources) != before):
				t.Errorf("%s, %s: %q with %d resources", name, version, got, len(x.Named["dst"].Resources))
			case !refused && got != state.Synchronized:
				t.Errorf("%s, %s: %q", name, version, got)
			}
		}
	}
}

// TestOneCollisionInACategory checks that in a category, what collides is named and the others are copied; once the
// cause is gone, the rest follows by itself.
func TestOneCollisionInACategory(t *testing.T) {
	servers := two("2024xR3", "2024xR3")
	servers["dst"].(fields)["resources"] = []fields{{"name": "Gears"}}
	x := newSite(t, servers)
	x.configure("Shared", state.ByHand)
	x.do("synchronize", "target", "dst", "items", x.idOf("src", "Shared"))
	x.pass(1)
	if got := x.status("dst"); !strings.Contains(got, "name Gears") || x.Named["dst"].Resource("Engine") == nil {
		t.Errorf("%s", got)
	}
	x.do("rename", "server", "dst", "resource", "Gears", "name", "Our Gears")
	x.pass(1)
	if got := x.status("dst"); got != state.Synchronized || x.Named["dst"].Resource("Gears") == nil {
		t.Errorf("after the rename: %s", got)
	}
}

func TestMultiHop(t *testing.T) {
	for _, version := range releases[1:] {
		servers := two(version, version)
		servers["dst"].(fields)["users"].([]fields)[0]["roles"] = []fields{{"role": state.SyncManager},
			{"role": "Resource Reviewer"}}
		servers["end"] = fields{
			"version": version, "sync_address": "end.example", "env": fields{"url": "END"},
			"users":      []fields{{"name": "last", "password": "l", "roles": []fields{{"role": state.SyncManager}}}},
			"categories": []fields{{"path": "Here"}},
		}
		servers["dst"].(fields)["configurations"] = []fields{{"source": "src", "category": "Shared",
			"target_category": "From outside", "trigger": state.EveryCommit, "user": "reader"}}
		servers["end"].(fields)["configurations"] = []fields{{"source": "dst", "category": "From outside",
			"target_category": "Here", "trigger": state.EveryCommit, "user": "keeper"}}
		x := newSite(t, servers)
		x.pass(1)
		if x.Named["dst"].Resource("Engine") == nil || len(x.Named["end"].Resources) != 0 {
			t.Fatalf("%s: not hop by hop: %d and %d", version, len(x.Named["dst"].Resources), len(x.Named["end"].Resources))
		}
		x.pass(1)
		if slices.Index(releases, version) < slices.Index(releases, "2022xR2") {
			if got := x.status("end"); !strings.Contains(got, "several hops came with 2022x Refresh2") ||
				len(x.Named["end"].Resources) != 0 {
				t.Errorf("%s: %s", version, got)
			}
			continue
		}
		x.do("commit", "server", "src", "resource", "Engine", "branch", "hybrid", "tag", "again")
		x.pass(1)
		if n := len(x.Named["end"].Resource("Engine").Revisions); n != 4 {
			t.Errorf("%s: a commit took one Tick over two hops (%d)", version, n)
		}
		x.pass(1)
		if got, want := x.history("end", "Engine", false), x.history("src", "Engine", false); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", version, got, want)
		}
		if origin := x.Named["end"].Resource("Engine").Revisions[2].Origin; origin != 5 {
			t.Errorf("%s: the third revision was committed as %d", version, origin)
		}
	}
}

// TestLoop checks that a resource never comes back to where it was created.
func TestLoop(t *testing.T) {
	servers := two("2026x", "2026x")
	servers["dst"].(fields)["users"].([]fields)[0]["roles"] = []fields{{"role": state.SyncManager},
		{"role": "Resource Reviewer"}}
	x := newSite(t, servers)
	x.configure("Shared", state.EveryCommit)
	x.pass(1)
	x.do("create_configuration", "target", "src", "source_address", "dst.example", "username", "keeper", "kind",
		state.KindResource,
		"item", x.idOf("dst", "Engine"), "target_category", "Other", "trigger", state.EveryCommit, "as", "boss")
	x.Named["src"].User("boss").Grants = append(x.Named["src"].User("boss").Grants,
		state.Grant{Role: x.Named["src"].Role(state.SyncManager).ID, Global: true})
	before := x.history("src", "Engine", true)
	x.pass(3)
	if got := x.status("src"); !strings.Contains(got, "resource id") || x.history("src", "Engine", true) != before {
		t.Errorf("%s\n%s", got, x.history("src", "Engine", true))
	}
}

func TestTLSAndPorts(t *testing.T) {
	type try struct{ address, tls, want string }
	for _, version := range releases[1:] {
		tests := []try{
			{"src.example", "", ""}, {"src.example:3579", "false", ""}, {"src.example:10002", "false", "could not connect"},
			{"src.example:x", "false", "not a number"}, {"elsewhere.example:3579", "", "could not connect"},
			{"dst.example:3579", "", "the same server"},
		}
		if slices.Index(releases, version) < slices.Index(releases, "2024xR1") {
			tests = append(tests, try{"src.example:10443", "true", "no switch Use Secure Connection"})
		} else {
			// Without a port the target's own is used.
			tests = append(tests, try{"src.example", "true", "could not connect"}, try{"src.example:10443", "true", ""},
				try{"src.example:3579", "true", "could not connect"})
		}
		for _, tt := range tests {
			servers := two(version, version)
			servers["src"].(fields)["ports"] = fields{"plain": 3579, "tls": 10443}
			x := newSite(t, servers)
			args := append(x.wizard("Gears", state.EveryCommit), "source_address", tt.address, "tls", tt.tls)
			if tt.want != "" {
				x.fails(tt.want, "create_configuration", args...)
				continue
			}
			x.do("create_configuration", args...)
			x.pass(1)
			if got := x.status("dst"); got != state.Synchronized {
				t.Errorf("%s, %v: %s", version, tt, got)
			}
			if tt.tls == "true" {
				x.Named["src"].TLS = false
				x.pass(1)
				if got := x.status("dst"); got != state.InError+": could not connect to src.example" {
					t.Errorf("%s: the encrypted port is closed: %s", version, got)
				}
			}
		}
	}
}

func TestSourceWithoutEncryption(t *testing.T) {
	servers := two("2024x", "2024xR1")
	x := newSite(t, servers)
	x.configure("Gears", state.EveryCommit, "source_address", "src.example:10002", "tls", "true")
	x.pass(1)
	if got := x.status("dst"); !strings.Contains(got, "esi.server.sync.tls-enabled is not true on src") {
		t.Error(got)
	}
}

func TestUsersOfBothSides(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.fails("login of mallory", "create_configuration",
		append(x.wizard("Gears", state.EveryCommit), "username", "mallory")...)
	x.Named["src"].User("reader").Grants[0].Categories = []string{x.idOf("src", "Other")}
	x.fails("shows reader no resource", "create_configuration", x.wizard("Gears", state.EveryCommit)...)
	x.configure("Shared", state.EveryCommit, "as", "nobody")
	x.pass(1)
	if got := x.status("dst"); got != state.InError+
		": nobody has not the role Resource Synchronization Manager on category From outside" {
		t.Error(got)
	}
	x.Named["dst"].Configurations[0].Owner = "keeper"
	x.pass(1)
	if got := x.status("dst"); got != state.InError+
		": reader may not read resource Engine on the source; reader may not read resource Gears on the source" {
		t.Error(got)
	}
	x.Named["src"].User("reader").Grants[0].Resources = []string{x.idOf("src", "Gears")}
	x.pass(1)
	if got := x.status("dst"); got != state.InError+": reader may not read resource Engine on the source" ||
		x.Named["dst"].Resource("Gears") == nil {
		t.Error(got)
	}
	x.Named["dst"].Categories = x.Named["dst"].Categories[1:]
	x.pass(1)
	if got := x.status("dst"); got != state.InError+": the target category does not exist any more" {
		t.Error(got)
	}
	x.Named["src"].Users = x.Named["src"].Users[:1]
	x.pass(1)
	if got := x.status("dst"); got != state.InError+": login of reader to src.example failed" {
		t.Error(got)
	}
}

func TestWizard(t *testing.T) {
	tests := map[string]struct {
		more []string
		want string
	}{
		"kind":            {[]string{"kind", "folder"}, "want resource or category"},
		"item":            {[]string{"item", "00000000-0000-4000-8000-000000000009"}, "shows reader no resource"},
		"item by name":    {[]string{"item", "Gears"}, "shows reader no resource"},
		"category":        {[]string{"kind", state.KindCategory}, "shows reader no category"},
		"name":            {[]string{"item_name", "Gear"}, "is called Gears on src"},
		"target category": {[]string{"target_category", "Nowhere"}, "no category Nowhere on dst"},
		"trigger":         {[]string{"trigger", "never"}, "want every_commit, commit_tag or manual"},
		"no tag":          {[]string{"trigger", state.CommitTag}, "wants a tag"},
		"a tag":           {[]string{"tag", "release"}, "has no tag"},
		"tls":             {[]string{"tls", "yes"}, "want true or false"},
		"target":          {[]string{"target", "https://elsewhere"}, "no server"},
		"missing":         {[]string{"item", ""}, "a value for item is missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			x := newSite(t, two("2024xR3", "2024xR3"))
			x.fails(tt.want, "create_configuration", append(x.wizard("Gears", state.ByHand), tt.more...)...)
		})
	}
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.do("remove", "server", "src", "resource", "Gears")
	x.fails("shows reader no resource", "create_configuration", x.wizard("Gears", state.ByHand)...)
	x.do("cassandra", "server", "src", "up", "false")
	x.fails("could not connect", "create_configuration", x.wizard("Wheel", state.ByHand)...)
	x.do("cassandra", "server", "dst", "up", "false")
	x.fails("does not answer", "create_configuration", x.wizard("Wheel", state.ByHand)...)
}

func TestConfiguredTwice(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.configure("Engine", state.EveryCommit)
	x.fails("is configured already", "create_configuration", x.wizard("Engine", state.ByHand)...)
	x.fails("is configured already", "create_configuration",
		append(x.wizard("Engine", state.EveryCommit), "target_category", "Own")...)
	x.configure("Engine", state.EveryCommit) // a person who is asked twice sees that it exists
	if n := len(x.Named["dst"].Configurations); n != 1 {
		t.Errorf("%d configurations", n)
	}
	x.pass(1)
	x.configure("Shared", state.EveryCommit)
	x.pass(1)
	// The copy belongs to the first; the second copies what the first does not have.
	c := x.Named["dst"].Configurations[1]
	if c.Status != state.InError || c.Reason != "resource Engine is synchronized by another configuration" ||
		!slices.Equal(c.Members, []string{x.idOf("dst", "Gears")}) {
		t.Errorf("%s: %s, members %v", c.Status, c.Reason, c.Members)
	}
	// A seed may contain what the page does not allow.
	servers := two("2024xR3", "2024xR3")
	one := fields{"source": "src", "resource": "Engine", "target_category": "Own", "trigger": state.EveryCommit,
		"user": "reader"}
	servers["dst"].(fields)["configurations"] = []fields{one, one}
	x = newSite(t, servers)
	x.pass(1)
	if c := x.Named["dst"].Configurations[1]; c.Status != state.InError ||
		!strings.HasSuffix(c.Reason, "is configured already") {
		t.Errorf("%s: %s", c.Status, c.Reason)
	}
}

// TestDeleteConfiguration checks what an item's configuration leaves on the target when it is deleted, and whether the
// item can be configured again.
func TestDeleteConfiguration(t *testing.T) {
	for _, version := range releases[1:] {
		asks := slices.Index(releases, version) >= slices.Index(releases, "2024xR1")
		x := newSite(t, two(version, version))
		x.configure("Engine", state.EveryCommit)
		x.pass(1)
		engine := x.idOf("src", "Engine")
		x.fails("no remote resource configuration for", "delete_configuration", "target", "dst", "items", engine+","+
			x.idOf("src", "Gears"))
		if asks {
			x.do("delete_configuration", "target", "dst", "items", engine, "keep", "true")
			x.do("delete_configuration", "target", "dst", "items", engine)
			x.fails("no remote resource configuration for", "delete_configuration", "target", "dst", "items", engine,
				"keep", "false")
			x.do("commit", "server", "src", "resource", "Engine")
			x.pass(1)
			if mine := x.Named["dst"].Resource("Engine"); !mine.ReadOnly || len(mine.Revisions) != 4 ||
				len(x.Named["dst"].Configurations) != 0 {
				t.Errorf("%s: %+v", version, mine)
			}
			x.configure("Engine", state.ByHand)
			x.pass(1)
			x.do("synchronize", "target", "dst", "items", engine)
			x.pass(1)
			if n := len(x.Named["dst"].Resource("Engine").Revisions); n != 5 || x.status("dst") != state.Synchronized {
				t.Errorf("%s: taken up again: %d revisions, %s", version, n, x.status("dst"))
			}
			x.do("delete_configuration", "target", "dst", "items", engine, "keep", "false")
			if s := x.Named["dst"]; len(s.Resources)+len(s.Configurations) != 0 {
				t.Errorf("%s: DELETE ALL left %d resources and %d configurations", version, len(s.Resources),
					len(s.Configurations))
			}
			continue
		}
		x.fails("has no DELETE ALL", "delete_configuration", "target", "dst", "items", engine, "keep", "false")
		x.do("delete_configuration", "target", "dst", "items", engine)
		x.do("delete_configuration", "target", "dst", "items", engine)
		x.do("commit", "server", "src", "resource", "Engine")
		x.pass(1)
		if n := len(x.Named["dst"].Resource("Engine").Revisions); n != 4 {
			t.Errorf("%s: what is left of a configuration copies", version)
		}
		x.fails("no remote resource configuration", "synchronize", "target", "dst", "items", engine)
		x.fails("delete its resources with Data Manager first", "create_configuration",
			x.wizard("Engine", state.EveryCommit)...)
		x.do("run_maintenance", "server", "dst", "commands", "systemctl stop twcloud\n"+x.manager("dst")+" -dr "+
			engine+"\nsystemctl start twcloud")
		x.pass(1)
		x.configure("Engine", state.EveryCommit)
		x.pass(1)
		if got := x.status("dst"); got != state.Synchronized || len(x.Named["dst"].Resource("Engine").Revisions) != 5 {
			t.Errorf("%s: after Data Manager: %s", version, got)
		}
	}
}

// TestMarkedOnEitherSide checks that a copy marked as deleted on the target prevents copying, and that a resource
// marked on the source is not copied.
func TestMarkedOnEitherSide(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.do("remove", "server", "src", "resource", "Gears")
	x.configure("Shared", state.EveryCommit)
	x.pass(1)
	if x.Named["dst"].Resource("Gears") != nil || x.status("dst") != state.Synchronized {
		t.Errorf("a marked one came: %s", x.status("dst"))
	}
	x.do("remove", "server", "dst", "resource", "Engine")
	x.do("commit", "server", "src", "resource", "Engine")
	x.pass(1)
	if got := x.status("dst"); got != state.InError+": resource Engine is marked as deleted on the target" {
		t.Error(got)
	}
}

// TestReadOnlyCopiesOfASeed checks that a copy in a seed is used if its history is the source's.
func TestReadOnlyCopiesOfASeed(t *testing.T) {
	for _, version := range []string{"2024xR3", "2026x"} {
		servers := two(version, version)
		servers["src"].(fields)["resources"].([]fields)[0]["id"] = "00000000-0000-4000-8000-000000000001"
		numbers := []int{1, 2, 3}
		if version == "2026x" {
			numbers[2] = 5
		}
		servers["dst"].(fields)["resources"] = []fields{{
			"id": "00000000-0000-4000-8000-000000000001", "name": "Old name", "category": "Own", "read_only": true,
			"branches": servers["src"].(fields)["resources"].([]fields)[0]["branches"],
			"revisions": []fields{
				{"n": numbers[0], "author": "ann", "created": "2025-01-01T10:00:00Z", "description": "one"},
				{"n": numbers[1], "author": "ben", "created": "2025-01-02T10:00:00Z", "description": "two"},
				{"n": numbers[2], "author": "cat", "created": "2025-01-03T10:00:00Z", "branch": "hybrid", "description": "five"},
			},
		}}
		x := newSite(t, servers)
		to := x.Named["dst"].Resource("Old name")
		x.configure("Engine", state.EveryCommit)
		x.pass(1)
		if got, want := x.history("dst", "Engine", false), x.history("src", "Engine", false); got != want ||
			x.status("dst") != state.Synchronized {
			t.Errorf("%s: %s\n%s\nwant\n%s", version, x.status("dst"), got, want)
		}
		if last := to.Latest(); last.Number != numbers[2]+1 && last.Number != 9 || last.Origin != 9 {
			t.Errorf("%s: the last one is %+v", version, last)
		}
	}
}

func TestSourceCategoryDisappears(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	shared := x.idOf("src", "Shared")
	x.configure("Shared", state.EveryCommit)
	x.pass(1)
	s := x.Named["src"]
	s.Categories = slices.DeleteFunc(s.Categories, func(c *state.Category) bool { return c.ID == shared })
	x.pass(1)
	if got := x.status("dst"); got != state.InError+": category "+shared+
		" does not exist on the source any more" || len(x.Named["dst"].Resources) != 2 {
		t.Error(got)
	}
}

func (x *site) manager(server string) string {
	return state.HomeOf(x.Named[server].Release) + "/Utilities/datamanager/datamanager"
}

func TestServersThatAreDown(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.configure("Engine", state.EveryCommit)
	stop := func(server string) {
		x.do("run_maintenance", "server", server, "commands", "systemctl stop webapp twcloud")
	}
	start := func(server string) {
		x.do("run_maintenance", "server", server, "commands", "systemctl start twcloud webapp")
	}
	check := func(when, status string, revisions int) {
		t.Helper()
		x.pass(1)
		n := 0
		if r := x.Named["dst"].Resource("Engine"); r != nil {
			n = len(r.Revisions)
		}
		if got := x.status("dst"); got != status || n != revisions {
			t.Errorf("%s: %s, %d revisions", when, got, n)
		}
	}
	stop("src")
	check("source down", state.InQueue, 0)
	start("src")
	check("source up", state.Synchronized, 4)
	stop("dst")
	x.do("commit", "server", "src", "resource", "Engine")
	check("target down", state.Synchronized, 4)
	x.fails("does not answer", "synchronize", "target", "dst", "items", "x")
	start("dst")
	check("target up", state.Synchronized, 5)
	x.do("cassandra", "server", "dst", "up", "false")
	x.do("commit", "server", "src", "resource", "Engine")
	check("target without its database", state.Synchronized, 5)
	x.do("cassandra", "server", "dst", "up", "true")
	check("target with its database", state.Synchronized, 6)
	x.do("run_maintenance", "server", "src", "commands", "/usr/bin/systemctl restart twcloud")
	x.Tick(x.clock) // no time has passed
	x.fails("does not answer", "commit", "server", "src", "resource", "Engine")
	x.pass(1)
	x.do("commit", "server", "src", "resource", "Engine")
	check("restarted", state.Synchronized, 7)
}
