package twcsim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/person"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func TestUnknownActionsAreNotSupported(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	_, err := x.Person(t.Context(), "make_coffee", nil)
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "run_maintenance") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Person(ctx, "announce", map[string]string{"server": "src"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for name, a := range person.Actions {
		if _, err := x.Person(t.Context(), name, nil); err == nil ||
			!strings.Contains(err.Error(), name+": a value for "+a.Needs[0]) {
			t.Errorf("%s without values: %v", name, err)
		}
	}
}

func TestServersAreKnownByTheirURLs(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.SetURL("src", "https://127.0.0.1:4711")
	if got := x.do("confirm_backup", "server",
		"https://127.0.0.1:4711/"); got != "backed up the database of src" || !x.Named["src"].Services.BackedUp {
		t.Error(got)
	}
	x.fails("no server", "confirm_backup", "server", "https://127.0.0.1:4712")
}

func TestWork(t *testing.T) {
	x := newSite(t, two("2026x", "2026x"))
	x.do("add_resource", "server", "src", "name", "Seat", "category", "Other", "author", "eve")
	x.fails("exists", "add_resource", "server", "src", "name", "Seat", "category", "Other")
	x.fails("no category", "add_resource", "server", "src", "name", "Belt", "category", "Nowhere")
	x.do("commit", "server", "src", "resource", "Seat", "author", "eve", "description", "cover", "tag", "v1")
	x.do("new_branch", "server", "src", "resource", "Seat", "name", "red", "from", "1")
	x.fails("has a branch red", "new_branch", "server", "src", "resource", "Seat", "name", "red")
	x.fails("has no revision", "new_branch", "server", "src", "resource", "Seat", "name", "blue", "from", "7")
	x.do("commit", "server", "src", "resource", "Seat", "branch", "red", "author", "fay")
	x.do("commit", "server", "src", "resource", "Seat", "branch", "red", "author", "fay")
	x.do("commit", "server", "src", "resource", "Seat", "author", "eve", "merged", "5")
	x.fails("has no branch", "commit", "server", "src", "resource", "Seat", "branch", "green")
	x.fails("has no revision", "commit", "server", "src", "resource", "Seat", "merged", "7")
	x.fails("no resource", "commit", "server", "src", "resource", "Sofa")
	x.do("tag", "server", "src", "resource", "Seat", "revision", "4", "name", "v2")
	x.fails("has no revision", "tag", "server", "src", "resource", "Seat", "revision", "9", "name", "v2")
	red := x.Named["src"].Resource("Seat").Revision(3)
	if red.Parent != 1 || red.Description != `Branch "red" created` || red.Branch == x.Named["src"].
		Resource("Seat").Branches[0].ID {
		t.Errorf("the branch: %+v", red)
	}
	var parents, merged []int
	seat := x.Named["src"].Resource("Seat")
	for i, r := range seat.Revisions {
		if r.Number != i+1 || r.Origin != i+1 {
			t.Errorf("revision %d is number %d", i+1, r.Number)
		}
		parents, merged = append(parents, r.Parent), append(merged, r.Merged)
	}
	if !slices.Equal(parents, []int{0, 1, 1, 3, 4, 2}) || !slices.Equal(merged, []int{0, 0, 0, 0, 0, 5}) ||
		seat.Tags[1].Revision != 4 {
		t.Errorf("parents %v, merged %v, tags %v", parents, merged, seat.Tags)
	}
	x.do("lock", "server", "src", "resource", "Seat", "user", "eve")
	x.do("lock", "server", "src", "resource", "Seat", "user", "fay", "branch", "red", "element", "e1")
	x.fails("no branch", "lock", "server", "src", "resource", "Seat", "user", "fay", "branch", "blue")
	if got := x.do("unlock", "server", "src", "resource", "Seat", "user", "eve"); !strings.HasPrefix(got,
		"released 1 ") || seat.Locks[0].Element != "e1" {
		t.Errorf("%s; %v", got, seat.Locks)
	}
	x.do("unlock", "server", "src", "resource", "Seat")
	if len(seat.Locks) != 0 {
		t.Errorf("locks are %v", seat.Locks)
	}
	x.fails("no category", "move", "server", "src", "resource", "Seat", "category", "Nowhere")
}

// TestLocksAreNotCopied checks that locks stay on the source: a copy cannot have any.
func TestLocksAreNotCopied(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.do("lock", "server", "src", "resource", "Engine", "user", "boss")
	x.configure("Engine", state.EveryCommit)
	x.pass(1)
	if n := len(x.Named["dst"].Resource("Engine").Locks); n != 0 {
		t.Errorf("%d locks", n)
	}
}

func TestLoginTakesALicence(t *testing.T) {
	servers := two("2024xR3", "2024xR3")
	servers["src"].(fields)["licences"] = 2
	x := newSite(t, servers)
	x.do("login", "server", "src", "user", "boss")
	x.do("login", "server", "src", "user", "boss")
	x.fails("no licence", "login", "server", "src", "user", "boss")
	x.fails("login of mallory", "login", "server", "src", "user", "mallory")
	x.clock = x.clock.AddDate(0, 0, 7)
	x.pass(1)
	if got := x.Named["src"].LoggedIn(x.Now); !slices.Equal(got, []string{"boss"}) {
		t.Errorf("logged in: %v", got)
	}
	x.Named["src"].Sessions["program"] = &state.Session{ID: "program", User: "reader"}
	if got := x.do("announce", "server", "src"); !strings.HasSuffix(got, "2 logged out") ||
		len(x.Named["src"].Sessions) != 1 || !x.Named["src"].Services.Announced {
		t.Errorf("%s; %v", got, x.Named["src"].Sessions)
	}
}

func TestMaintenanceStopsAtTheFirstFailure(t *testing.T) {
	x := newSite(t, two("2024xR3", "2024xR3")) // without a reachable machine
	gears := x.idOf("src", "Gears")
	dm := x.manager("src")
	out := x.do("run_maintenance", "server", "src", "commands", "# first\nsystemctl stop twcloud\n\n cd "+
		strings.TrimSuffix(dm, "/datamanager")+"\n./datamanager -dr "+gears+
		"\ncat logs/datamanager.log\nsystemctl start twcloud")
	if strings.Count(out, "Resource "+gears+" was deleted") != 2 || strings.Contains(out, "first") {
		t.Error(out)
	}
	x.pass(1)
	_, err := x.Person(t.Context(), "run_maintenance",
		map[string]string{"server": "src", "commands": "hostname\ncat /nothing\nsystemctl stop twcloud"})
	if err == nil || !strings.Contains(err.Error(),
		`"cat /nothing" ended with 1 on src: cat: /nothing: No such file`) ||
		!x.Named["src"].Services.Running[state.UnitServer] {
		t.Error(err)
	}
	if len(x.Machines()) != 0 || x.Files("src") != nil {
		t.Error("the machine can be reached")
	}
}

func TestTamper(t *testing.T) {
	tests := map[string]string{
		"lose": "0<-1<-1 trunk ann 2025-01-01T10:00:00Z \"one\" \n1<0<-1 hybrid cat 2025-01-03T10:00:00Z " +
			"\"five\" release\n2<0<1 trunk ann 2025-01-04T10:00:00Z \"nine\" ",
		"truncate":    "0<-1<-1 trunk ann 2025-01-01T10:00:00Z \"one\" ",
		"author":      "1<0<-1 trunk twcSynchronizationManager 2025-01-02T10:00:00Z \"two\" ",
		"date":        "1<0<-1 trunk ben 2025-01-02T11:00:00Z \"two\" ",
		"description": "1<0<-1 trunk ben 2025-01-02T10:00:00Z \"two (copied)\" ",
	}
	for what, want := range tests {
		for _, server := range []string{"src", "dst"} {
			x := newSite(t, two("2024xR3", "2024xR3"))
			x.configure("Engine", state.EveryCommit)
			x.pass(1)
			other := map[string]string{"src": "dst", "dst": "src"}[server]
			before := x.history(other, "Engine", true)
			x.do("tamper", "server", server, "resource", "Engine", "what", what, "revision", "2")
			x.pass(2)
			if got := x.history(server, "Engine", false); !strings.Contains(got+"\n", want+"\n") {
				t.Errorf("%s on %s: %s", what, server, got)
			}
			if got := x.history(other, "Engine", true); got != before {
				t.Errorf("%s on %s reached %s: %s", what, server, other, got)
			}
		}
	}
	x := newSite(t, two("2024xR3", "2024xR3"))
	x.fails("want gone, project_id, lose", "tamper", "server", "src", "resource", "Engine", "what", "burn", "revision",
		"2")
	x.fails("has no revision", "tamper", "server", "src", "resource", "Engine", "what", "lose")
	x.configure("Engine", state.EveryCommit)
	x.pass(1)
	x.do("tamper", "server", "src", "resource", "Engine", "what", "truncate", "revision", "5")
	x.do("synchronize", "target", "dst", "items", x.idOf("src", "Engine"))
	x.pass(1)
	if got := x.status("dst"); !strings.Contains(got, "version inconsistency: revision 9") {
		t.Error(got)
	}
}

func TestDefects(t *testing.T) {
	gone := "(none)"
	tests := map[string][]string{
		"lose":        {gone, "three"},
		"truncate":    {gone, gone},
		"author":      {"trunk twcSynchronizationManager 2025-01-02T10:00:00Z \"two\"", "three"},
		"date":        {"trunk ben 2025-01-02T11:00:00Z \"two\"", "three"},
		"description": {"trunk ben 2025-01-02T10:00:00Z \"two (copied)\"", "three"},
		"skip":        {gone, gone},
	}
	for what, want := range tests {
		for _, version := range []string{"2024xR3", "2026x"} {
			servers := two(version, version)
			servers["dst"].(fields)["defects"] = []fields{{"resource": "Engine", "what": what, "revision": 2}}
			x := newSite(t, servers)
			x.configure("Shared", state.EveryCommit)
			x.pass(2)
			x.do("commit", "server", "src", "resource", "Engine", "author", "ann", "description", "three")
			x.pass(2)
			got := x.history("dst", "Engine", false)
			for i, part := range want {
				second := i == 0
				if part == gone {
					part = map[bool]string{true: `"two`, false: `"three`}[second]
					if strings.Contains(got, part) {
						t.Errorf("%s, %s: %s is there:\n%s", what, version, part, got)
					}
				} else if !strings.Contains(got, part) {
					t.Errorf("%s, %s: no %s:\n%s", what, version, part, got)
				}
			}
			// The engine assumes success, and what the defect does not affect is right.
			if x.status("dst") != state.Synchronized || x.history("dst", "Gears", true) != x.history("src", "Gears", true) {
				t.Errorf("%s, %s: %s", what, version, x.status("dst"))
			}
		}
	}
}
