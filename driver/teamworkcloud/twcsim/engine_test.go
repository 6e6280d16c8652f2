package twcsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/engine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

type fields = map[string]any

// site is a world with a clock, for tests of what happens by itself, by hand and on the machines.
type site struct {
	*World
	t     testing.TB
	clock time.Time
}

func newSite(t testing.TB, servers fields) *site {
	t.Helper()
	return newSiteOf(t, fields{"now": "2026-03-02T08:00:00Z", "servers": servers})
}

func newSiteOf(t testing.TB, seed fields) *site {
	t.Helper()
	b, err := json.Marshal(seed)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Open(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return &site{w, t, w.Now}
}

// pass makes n Ticks pass.
func (x *site) pass(n int) {
	for range n {
		x.clock = x.clock.Add(400 * time.Millisecond)
		x.Tick(x.clock)
	}
}

func valuesOf(pairs []string) map[string]string {
	v := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = pairs[i+1]
	}
	return v
}

// do has a person act, and expects success.
func (x *site) do(action string, pairs ...string) string {
	x.t.Helper()
	done, err := x.Person(x.t.Context(), action, valuesOf(pairs))
	if err != nil {
		x.t.Fatal(err)
	}
	return done
}

// fails has a person act, and expects an error with part in it.
func (x *site) fails(part, action string, pairs ...string) {
	x.t.Helper()
	before := x.dump()
	done, err := x.Person(x.t.Context(), action, valuesOf(pairs))
	if err == nil || !strings.Contains(err.Error(), part) {
		x.t.Fatalf("%s %v: want a refusal with %q, got %q, %v", action, pairs, part, done, err)
	}
	if after := x.dump(); after != before {
		x.t.Fatalf("%s %v was refused and changed something:\n%s\n%s", action, pairs, before, after)
	}
}

func (x *site) dump() string {
	x.t.Helper()
	b, err := json.Marshal(x.State())
	if err != nil {
		x.t.Fatal(err)
	}
	return string(b)
}

// status returns the status of a server's first configuration, with its reason.
func (x *site) status(server string) string {
	c := x.Named[server].Configurations[0]
	return strings.TrimSuffix(c.Status+": "+c.Reason, ": ")
}

// history describes a resource as a person sees it: numbers if wanted, branch, author, date, description, tags.
func (x *site) history(server, name string, numbers bool) string {
	r := x.Named[server].Resource(name)
	if r == nil {
		return "none"
	}
	var out []string
	for i, v := range r.Revisions {
		line := fmt.Sprintf("%s %s %s %q", r.BranchOf(v.Branch).Name, v.Author, v.Created.Format(time.RFC3339),
			v.Description)
		if numbers {
			line = fmt.Sprintf("%d<%d ", v.Number, v.Parent) + line
		} else {
			at := func(n int) int {
				return slices.IndexFunc(r.Revisions, func(y *state.Revision) bool { return y.Number == n })
			}
			line = fmt.Sprintf("%d<%d<%d ", i, at(v.Parent), at(v.Merged)) + line
		}
		var tags []string
		for _, t := range r.Tags {
			if t.Revision == v.Number {
				tags = append(tags, t.Name)
			}
		}
		slices.Sort(tags)
		out = append(out, line+" "+strings.Join(tags, ","))
	}
	for _, b := range r.Branches {
		start := b.Start
		if !numbers {
			start = slices.IndexFunc(r.Revisions, func(y *state.Revision) bool { return y.Number == b.Start })
		}
		out = append(out, fmt.Sprintf("branch %s %s from %d by %s", b.ID, b.Name, start, b.Author))
	}
	return strings.Join(out, "\n")
}

// two is a source with three resources and a target, each with a version.
func two(source, target string) fields {
	return fields{
		"src": fields{
			"version": source, "sync_address": "src.example", "env": fields{"url": "SRC"}, "tls": true,
			"users": []fields{
				{"name": "boss", "password": "b", "roles": []fields{{"role": "Resource Manager"}}},
				{"name": "reader", "password": "r", "roles": []fields{{"role": "Resource Reviewer",
					"categories": []string{"Shared", "Other"}}}},
			},
			"categories": []fields{{"path": "Shared"}, {"path": "Other"}},
			"resources": []fields{
				{
					"name": "Engine", "category": "Shared", "description": "of the car",
					"branches": []fields{{"name": "trunk"}, {"name": "hybrid", "from": 2}},
					"revisions": []fields{
						{"n": 1, "author": "ann", "created": "2025-01-01T10:00:00Z", "description": "one"},
						{"n": 2, "author": "ben", "created": "2025-01-02T10:00:00Z", "description": "two"},
						{"n": 5, "author": "cat", "created": "2025-01-03T10:00:00Z", "branch": "hybrid", "description": "five"},
						{"n": 9, "author": "ann", "created": "2025-01-04T10:00:00Z", "merged": 5, "description": "nine"},
					},
					"tags": []fields{{"name": "release", "revision": 5}},
				},
				{"name": "Gears", "category": "Shared", "generate": fields{"revisions": 3, "authors": []string{"ann"}}},
				{"name": "Wheel", "category": "Other", "generate": fields{"revisions": 2, "authors": []string{"ben"}}},
			},
		},
		"dst": fields{
			"version": target, "sync_address": "dst.example", "env": fields{"url": "DST"},
			"ports": fields{"plain": 3579, "tls": 10002},
			"users": []fields{
				{"name": "keeper", "password": "k", "roles": []fields{{"role": "Resource Synchronization Manager",
					"categories": []string{"From outside"}}}},
				{"name": "nobody", "password": "n"},
			},
			"categories": []fields{{"path": "From outside"}, {"path": "Own"}},
		},
	}
}

// idOf returns the ID of a resource or, if there is none, of a category.
func (x *site) idOf(server, name string) string {
	x.t.Helper()
	s := x.Named[server]
	if r := s.Resource(name); r != nil {
		return r.ID
	}
	if c := s.CategoryByPath(name); c != nil {
		return c.ID
	}
	x.t.Fatalf("%s has no %s", server, name)
	return ""
}

// configure creates a configuration on dst for a resource or category of src.
func (x *site) configure(item, trigger string, more ...string) {
	x.t.Helper()
	x.do("create_configuration", x.wizard(item, trigger, more...)...)
}

func (x *site) wizard(item, trigger string, more ...string) []string {
	x.t.Helper()
	kind := state.KindCategory
	if x.Named["src"].Resource(item) != nil {
		kind = state.KindResource
	}
	return append([]string{
		"target", "dst", "source_address", "src.example:3579", "username", "reader", "kind", kind, "item",
		x.idOf("src", item),
		"item_name", item, "target_category", x.idOf("dst", "From outside"), "trigger", trigger,
	}, more...)
}

// releases are those that differ in something.
var releases = []string{
	"2021x", "2021xR2", "2022x", "2022xR1", "2022xR2", "2024x", "2024xR1", "2024xR2", "2024xR2 HF1", "2024xR3",
	"2026x", "2026xR1",
}

func TestEveryCommitCopiesAllAndRenumbersBefore2026x(t *testing.T) {
	for _, version := range releases[1:] {
		t.Run(version, func(t *testing.T) {
			x := newSite(t, two(version, version))
			x.configure("Engine", state.EveryCommit)
			if got := x.status("dst"); got != state.InQueue {
				t.Errorf("right after its creation the status is %q", got)
			}
			x.pass(1)
			if got, want := x.history("dst", "Engine", false), x.history("src", "Engine", false); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			var numbers []int
			mine := x.Named["dst"].Resource("Engine")
			for _, r := range mine.Revisions {
				numbers = append(numbers, r.Number)
			}
			want := []int{1, 2, 3, 4}
			if strings.HasPrefix(version, "2026") {
				want = []int{1, 2, 5, 9}
			}
			if !slices.Equal(numbers, want) {
				t.Errorf("numbers are %v, want %v", numbers, want)
			}
			x.do("commit", "server", "src", "resource", "Engine", "branch", "hybrid", "author", "dan", "description",
				"ten", "tag", "late")
			x.pass(1)
			if got, want := x.history("dst", "Engine", false), x.history("src", "Engine", false); got != want ||
				x.status("dst") != state.Synchronized {
				t.Errorf("after a commit: %s\n%s\nwant\n%s", x.status("dst"), got, want)
			}
			src := x.Named["src"].Resource("Engine")
			if mine.ID != src.ID || mine.ProjectID != src.ProjectID || mine.LocalID != src.LocalID ||
				mine.Description != src.Description ||
				mine.Category != x.idOf("dst", "From outside") || !mine.ReadOnly {
				t.Errorf("the copy is %+v, the source %+v", mine, src)
			}
		})
	}
}

func TestTriggers(t *testing.T) {
	commit := func(x *site) { x.do("commit", "server", "src", "resource", "Gears", "description", "new") }
	tests := []struct {
		trigger, tag string
		steps        []func(*site)
		statuses     []string
		revisions    []int // revisions of the copy
	}{
		{
			trigger: state.EveryCommit, steps: []func(*site){nil, commit, commit},
			statuses: []string{state.Synchronized, state.Synchronized, state.Synchronized}, revisions: []int{3, 4, 5},
		},
		{
			trigger: state.ByHand,
			steps: []func(*site){nil, func(x *site) {
				x.do("synchronize", "target", "dst", "items",
					x.idOf("src", "Gears"))
			}, commit, func(x *site) {
				x.do("synchronize", "target", "dst", "items", x.Named["dst"].Configurations[0].ID)
			}},
			statuses:  []string{state.NotSynchronized, state.Synchronized, state.Partly, state.Synchronized},
			revisions: []int{0, 3, 3, 4},
		},
		{
			trigger: state.CommitTag, tag: "release",
			steps: []func(*site){nil, func(x *site) {
				x.do("tag", "server", "src", "resource", "Gears", "revision", "2",
					"name", "release")
			}, commit,
				func(x *site) { x.do("commit", "server", "src", "resource", "Gears", "tag", "release") },
				func(x *site) { x.do("commit", "server", "src", "resource", "Gears", "tag", "draft") },
				func(x *site) { x.do("synchronize", "target", "dst", "items", x.idOf("src", "Gears")) },
			},
			statuses: []string{state.NotSynchronized, state.Partly, state.Partly, state.Synchronized, state.Partly,
				state.Partly},
			revisions: []int{0, 2, 2, 5, 5, 5},
		},
	}
	for _, tt := range tests {
		t.Run(tt.trigger, func(t *testing.T) {
			x := newSite(t, two("2024xR3", "2024xR3"))
			x.configure("Gears", tt.trigger, "tag", tt.tag)
			for i, step := range tt.steps {
				if step != nil {
					step(x)
				}
				x.pass(2)
				n := 0
				if r := x.Named["dst"].Resource("Gears"); r != nil {
					n = len(r.Revisions)
				}
				if got := x.status("dst"); got != tt.statuses[i] || n != tt.revisions[i] {
					t.Errorf("step %d: %q with %d revisions, want %q with %d", i, got, n, tt.statuses[i], tt.revisions[i])
				}
			}
		})
	}
}

// TestTagLimitsBranchesAndTags checks that a commit tag on another branch brings what came before it on all branches,
// but no branch that began later.
func TestTagLimitsBranchesAndTags(t *testing.T) {
	x := newSite(t, two("2026x", "2026x"))
	x.do("new_branch", "server", "src", "resource", "Engine", "name", "late")
	x.configure("Engine", state.CommitTag, "tag", "release")
	x.pass(1)
	r := x.Named["dst"].Resource("Engine")
	if r.Latest().Number != 5 || len(r.Branches) != 2 || len(r.Tags) != 1 || r.Tags[0].Revision != 5 {
		t.Errorf("got %s", x.history("dst", "Engine", true))
	}
}

func TestEditsOfACopyAreRefusedAndMetadataFlowsBack(t *testing.T) {
	x := newSite(t, two("2022x", "2022x"))
	x.configure("Engine", state.EveryCommit)
	x.pass(1)
	on := []string{"server", "dst", "resource", "Engine"}
	for action, more := range map[string][]string{
		"commit": nil, "tag": {"revision", "1", "name", "x"}, "new_branch": {"name", "b"}, "lock": {"user", "keeper"},
	} {
		x.fails("is read-only on dst, because it is synchronized", action, append(slices.Clone(on), more...)...)
	}
	x.do("rename", append(slices.Clone(on), "name", "Motor")...)
	x.do("move", "server", "dst", "resource", "Motor", "category", "Own")
	x.pass(3)
	mine := byIDForTest(x.Named["dst"], x.idOf("src", "Engine"))
	if mine.Name != "Motor" || mine.Category != x.idOf("dst", "Own") {
		t.Errorf("undone before anything was synchronized: %+v", mine)
	}
	x.do("rename", "server", "src", "resource", "Engine", "name", "Engine 2")
	x.do("move", "server", "src", "resource", "Engine 2", "category", "Other")
	x.do("commit", "server", "src", "resource", "Engine 2")
	x.pass(1)
	if mine.Name != "Engine 2" || mine.Category != x.idOf("dst", "From outside") || len(mine.Revisions) != 5 {
		t.Errorf("after a commit the copy is %+v", mine)
	}
}

func byIDForTest(s *state.Server, id string) *state.Resource { return engine.IndexOf(s)[id] }

func TestCategoryMembers(t *testing.T) {
	x := newSite(t, two("2024xR1", "2024xR1"))
	x.configure("Shared", state.EveryCommit)
	x.pass(1)
	commit := func(name string) { x.do("commit", "server", "src", "resource", name) }
	count := func(name string) int {
		if r := x.Named["dst"].Resource(name); r != nil {
			return len(r.Revisions)
		}
		return 0
	}
	check := func(when string, engine, gears, wheel int, status string) {
		t.Helper()
		x.pass(2)
		if got := []int{count("Engine"), count("Gears"), count("Wheel")}; !slices.Equal(got,
			[]int{engine, gears, wheel}) || x.status("dst") != status {
			t.Errorf("%s: %v, %q", when, got, x.status("dst"))
		}
	}
	check("at first", 4, 3, 0, state.Synchronized)
	x.do("move", "server", "src", "resource", "Gears", "category", "Other")
	commit("Gears")
	commit("Engine")
	check("one left", 5, 3, 0, state.Synchronized)
	x.do("move", "server", "src", "resource", "Wheel", "category", "Shared")
	check("one joined", 5, 3, 2, state.Synchronized)
	x.do("remove", "server", "src", "resource", "Wheel")
	check("one is marked as deleted", 5, 3, 2, state.Synchronized)
	x.do("move", "server", "src", "resource", "Gears", "category", "Shared")
	check("one is back", 5, 4, 2, state.Synchronized)
	x.do("tamper", "server", "src", "resource", "Engine", "what", "gone")
	gone := state.InError + ": resource " + x.idOf("dst", "Engine") + " does not exist on the source any more"
	check("one is gone", 5, 4, 2, gone)
}
