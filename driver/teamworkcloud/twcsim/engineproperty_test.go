package twcsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/engine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
	"pgregory.net/rapid"
)

// worker does what people do on the source and the target, at random.
type worker struct {
	x     *site
	names int
}

// step does one thing. What is refused changes nothing, which other tests check.
func (k *worker) step(t *rapid.T) {
	x, src := k.x, k.x.Named["src"]
	r := rapid.SampledFrom(src.Resources).Draw(t, "resource")
	values := map[string]string{"server": "src", "resource": r.ID}
	set := func(pairs ...string) {
		for name, value := range valuesOf(pairs) {
			values[name] = value
		}
	}
	revision := func() string { return strconv.Itoa(rapid.SampledFrom(r.Revisions).Draw(t, "revision").Number) }
	k.names++
	action := rapid.SampledFrom([]string{"commit", "commit", "commit", "tag", "new_branch", "rename", "move",
		"rename there", "move there", "tick", "skip a number"}).Draw(t, "action")
	switch action {
	case "commit":
		set("branch", rapid.SampledFrom(r.Branches).Draw(t, "branch").ID, "author",
			rapid.SampledFrom([]string{"ann", "ben"}).Draw(t, "author"),
			"description", fmt.Sprint("change ", k.names), "tag",
			rapid.SampledFrom([]string{"", "", "release"}).Draw(t, "tag"))
		if rapid.Bool().Draw(t, "merge") {
			set("merged", revision())
		}
	case "tag":
		set("revision", revision(), "name", "late")
	case "new_branch":
		set("name", fmt.Sprint("branch ", k.names), "from", revision())
	case "rename":
		set("name", fmt.Sprint("name ", k.names))
	case "move":
		set("category", rapid.SampledFrom([]string{"Shared", "Other"}).Draw(t, "category"))
	case "rename there":
		action = "rename"
		set("server", "dst", "name", fmt.Sprint("theirs ", k.names))
	case "move there":
		action = "move"
		set("server", "dst", "category", "Own")
	case "tick":
		x.pass(rapid.IntRange(1, 3).Draw(t, "ticks"))
		return
	case "skip a number": // as if a revision had been deleted
		latest := *r.Latest()
		latest.Number += rapid.IntRange(1, 5).Draw(t, "gap")
		latest.Origin, latest.Parent, latest.Merged = latest.Number, r.Latest().Number, 0
		r.Revisions = append(r.Revisions, &latest)
		return
	}
	_, err := x.Person(x.t.Context(), action, values)
	if err != nil && engine.IndexOf(x.Named["dst"])[r.ID] != nil {
		t.Fatalf("%s %v: %v", action, values, err)
	}
}

// equal compares a copy with its source in everything that is promised: history and metadata, and since 2026x the
// numbers.
func (k *worker) equal(t *rapid.T, version string, r *state.Resource) {
	x := k.x
	mine := engine.IndexOf(x.Named["dst"])[r.ID]
	if mine == nil {
		t.Fatalf("%s was not copied", r.Name)
	}
	if !mine.ReadOnly || mine.Name != r.Name || mine.Description != r.Description ||
		mine.ProjectID != r.ProjectID || mine.Category != x.idOf("dst", "From outside") {
		t.Fatalf("%s: the metadata differ: %+v, %+v", version, mine, r)
	}
	kept := state.Release{Year: 2026}.Major() == version[:5]
	if got, want := x.history("dst", r.Name, kept), x.history("src", r.Name, kept); got != want {
		t.Fatalf("%s:\n%s\nwant\n%s", version, got, want)
	}
	for i, v := range mine.Revisions {
		want := i + 1
		if kept {
			want = r.Revisions[i].Number
		}
		if v.Number != want || v.Origin != r.Revisions[i].Number {
			t.Fatalf("%s: revision %d has the number %d and was %d", version, i, v.Number, v.Origin)
		}
	}
}

// TestCopiesEqualTheirSources checks that whatever people do, after a last commit and enough Ticks a copy that is
// synchronized at every commit equals its source; without a last commit its revisions do.
func TestCopiesEqualTheirSources(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		version := rapid.SampledFrom(releases[1:]).Draw(rt, "version")
		x := newSite(t, two(version, version))
		k := &worker{x: x}
		whole := rapid.Bool().Draw(rt, "category")
		if whole {
			x.configure("Shared", state.EveryCommit)
		} else {
			for _, name := range []string{"Engine", "Gears", "Wheel"} {
				x.configure(name, state.EveryCommit)
			}
		}
		for range rapid.IntRange(0, 30).Draw(rt, "steps") {
			k.step(rt)
		}
		x.pass(2)
		members := x.Named["src"].Resources
		if whole {
			members = x.Named["src"].ResourcesIn(x.idOf("src", "Shared"))
		}
		for _, r := range members {
			mine := engine.IndexOf(x.Named["dst"])[r.ID]
			if mine == nil || len(mine.Revisions) != len(r.Revisions) || mine.SyncedTo != r.Latest().Number {
				rt.Fatalf("%s lacks revisions", r.Name)
			}
		}
		for _, r := range members {
			x.do("commit", "server", "src", "resource", r.ID, "description", "the last")
		}
		x.pass(1)
		for _, c := range x.Named["dst"].Configurations {
			if c.Status != state.Synchronized {
				rt.Fatalf("%s: %s", c.Status, c.Reason)
			}
		}
		for _, r := range members {
			k.equal(rt, version, r)
		}
		before := x.dump()
		x.pass(3)
		if after := x.dump(); after != before {
			rt.Fatalf("nothing was done, and something changed:\n%s\n%s", before, after)
		}
	})
}

// TestStateIsDeterministic checks that the same seed and the same calls give exactly the same state.
func TestStateIsDeterministic(t *testing.T) {
	act := func() string {
		x := onMachine(t, "2024xR3")
		x.configure("Shared", state.EveryCommit)
		x.configure("Wheel", state.ByHand)
		x.pass(2)
		x.do("add_resource", "server", "src", "name", "Seat", "category", "Shared")
		x.do("new_branch", "server", "src", "resource", "Seat", "name", "red")
		x.do("commit", "server", "src", "resource", "Seat", "branch", "red", "tag", "v1")
		x.do("lock", "server", "src", "resource", "Seat", "user", "boss")
		x.do("login", "server", "src", "user", "boss")
		x.do("synchronize", "target", "dst", "items", x.idOf("src", "Wheel"))
		x.pass(2)
		x.runs("dst", "sudo systemctl stop twcloud")
		x.manage("dst", "-rrof --categoryID="+x.idOf("dst", "From outside"))
		x.manage("dst", "-dr "+x.idOf("src", "Wheel"))
		x.runs("dst", "sudo systemctl start twcloud")
		x.do("commit", "server", "src", "resource", "Engine")
		x.pass(3)
		b, err := json.MarshalIndent(x.State(), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := act()
	for range 5 {
		if again := act(); again != first {
			t.Fatalf("the states differ:\n%s\n%s", first, again)
		}
	}
}

// TestManyAtOnce has many concurrent callers, for the race detector.
func TestManyAtOnce(t *testing.T) {
	x := onMachine(t, "2024xR3")
	x.configure("Shared", state.EveryCommit)
	done, now := make(chan struct{}), x.clock
	work := []func(){
		func() { x.Tick(now) },
		func() {
			_, _ = x.Person(t.Context(), "commit", map[string]string{"server": "src", "resource": "Engine"})
		},
		func() { x.run("src", x.manager("src")+" -lr") },
		func() { x.Reads("src", "hostname") },
		func() { _ = x.State() },
		func() { _, _ = x.Files("src").Stat("/etc/motd") },
	}
	for _, f := range work {
		go func() {
			for range 50 {
				f()
			}
			done <- struct{}{}
		}()
	}
	for range work {
		<-done
	}
	x.pass(2)
	if got := len(x.Named["dst"].Resource("Engine").Revisions); got != 54 || !slices.Contains(x.names("dst"), "Gears") {
		t.Errorf("%d revisions", got)
	}
}
