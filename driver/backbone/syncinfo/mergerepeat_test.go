package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// keys returns the members of an entry as they are written.
func keys(local, remote string, more ...string) []string {
	return append([]string{`"localIssueKey":"` + local + `"`, `"remoteIssueKey":"` + remote + `"`}, more...)
}

// fileOf makes a file with one entry a line. If backwards is set, the members of entries are in reverse order.
func fileOf(backwards bool, all [][]string) string {
	var out []string
	for _, members := range all {
		members = slices.Clone(members)
		if backwards {
			slices.Reverse(members)
		}
		out = append(out, "{"+strings.Join(members, ",")+"}")
	}
	return export(out...)
}

// TestMergeImpossiblePairs checks that pairs that no export can have are refused by their own rule, and merged if
// that rule is allowed: in both files, whichever side migrates, and in any order of an entry's members.
func TestMergeImpossiblePairs(t *testing.T) {
	const comments, attachments = `"comments":[%s]`, `"attachments":[%s]`
	list := func(format string, objects ...string) string { return fmt.Sprintf(format, strings.Join(objects, ",")) }
	one, two := keys("A-1", "B-1"), keys("A-2", "B-2")
	mirror1, mirror2 := keys("B-1", "A-1"), keys("B-2", "A-2")
	for _, c := range []struct {
		name          string
		master, slave [][]string
		want          []string          // rule, place, count
		first         map[Role][]string // the same, by which side migrates
		text          string            // of the first example, if the slave migrates
	}{
		{name: "nothing", master: [][]string{one, two}, slave: [][]string{mirror2, mirror1}},
		{name: "one local issue in two pairs of both files", master: [][]string{one, keys("A-1", "B-2")},
			slave: [][]string{mirror1, keys("B-2", "A-1")},
			first: map[Role][]string{
				Slave: {"shared-issue w/master.json:2:1 1"}, Master: {"shared-issue w/slave.json:2:1 1"}}},
		{name: "one remote issue in two pairs of both files", master: [][]string{one, keys("A-2", "B-1")},
			slave: [][]string{mirror1, keys("B-1", "A-2")},
			first: map[Role][]string{
				Slave: {"shared-issue w/master.json:2:1 1"}, Master: {"shared-issue w/slave.json:2:1 1"}}},
		{name: "local issue, the master's alone", master: [][]string{one, keys("A-1", "B-2")}, slave: [][]string{mirror1},
			want: []string{"shared-issue w/master.json:2:1 1", "unmatched w/master.json:2:1 1"},
			text: "w/master.json:2:1: A-1 with B-2, but A-1 with B-1 at w/master.json:1:20"},
		{name: "remote issue, the slave's alone", master: [][]string{one}, slave: [][]string{mirror1, keys("B-2", "A-1")},
			want: []string{"shared-issue w/slave.json:2:1 1", "unmatched w/slave.json:2:1 1"}},
		{name: "each file has another partner", master: [][]string{one}, slave: [][]string{keys("B-1", "A-2")},
			first: map[Role][]string{
				Slave:  {"shared-issue w/slave.json:1:20 1", "unmatched w/master.json:1:20 1", "unmatched w/slave.json:1:20 1"},
				Master: {"shared-issue w/master.json:1:20 1", "unmatched w/master.json:1:20 1", "unmatched w/slave.json:1:20 1"}}},
		{name: "both issues in another pair", master: [][]string{one, two, keys("A-1", "B-2")},
			slave: [][]string{mirror1, mirror2},
			want: []string{"shared-issue w/master.json:3:1 1", "shared-issue w/master.json:3:1 1",
				"unmatched w/master.json:3:1 1"}},
		{name: "an id twice", master: [][]string{keys("A-1", "B-1", `"id":7`), keys("A-2", "B-2", `"id":8`),
			keys("A-3", "B-3", `"id":7`)}, slave: [][]string{mirror1, mirror2, keys("B-3", "A-3")},
			want: []string{"repeated-id w/master.json:3:1 1"},
			text: "w/master.json:3:1: A-3 with B-3 has id 7, as has A-1 with B-1 at w/master.json:1:20"},
		{name: "an id twice in any dress", master: [][]string{one, two}, slave: [][]string{keys("B-1", "A-1", `"id":"-7"`),
			keys("B-2", "A-2", `"id":-70e-1`)}, want: []string{"repeated-id w/slave.json:2:1 1"}},
		{name: "an id escaped", master: [][]string{keys("A-1", "B-1", `"\u0069d":"\u0037"`), keys("A-2", "B-2", `"id":7.0`)},
			slave: [][]string{mirror1, mirror2}, want: []string{"repeated-id w/master.json:2:1 1"}},
		{name: "ids that are none, or missing", master: [][]string{keys("A-1", "B-1", `"id":null`),
			keys("A-2", "B-2", `"id":null`)}, slave: [][]string{keys("B-1", "A-1", `"id":""`), keys("B-2", "A-2", `"id":""`)}},
		{name: "both files have the id", master: [][]string{keys("A-1", "B-1", `"id":7`)},
			slave: [][]string{keys("B-1", "A-1", `"id":7`)}},
		{name: "a comment's own id twice", master: [][]string{keys("A-1", "B-1", list(comments,
			`{"localId":"10","remoteId":"1"}`, `{"localId":"9"}`, `{"remoteId":"2","localId":"10"}`))},
			slave: [][]string{mirror1},
			want:  []string{"repeated-comment w/master.json:1:20 1"},
			text:  "w/master.json:1:20: A-1 with B-1 has localId 10 twice"},
		{name: "a partner comment's id twice", master: [][]string{one}, slave: [][]string{keys("B-1", "A-1",
			list(comments, `{"remoteId":"1"}`, `{"localId":"3","remoteId":"1"}`))},
			want: []string{"repeated-comment w/slave.json:1:20 1"},
			text: "w/slave.json:1:20: B-1 with A-1 has remoteId 1 twice"},
		{name: "an attachment's id twice", master: [][]string{one, keys("A-2", "B-2", list(attachments, `{"localId":1}`,
			`{"x":[],"localId":"1"}`))}, slave: [][]string{mirror1, mirror2},
			want: []string{"repeated-attachment w/master.json:2:1 1"}},
		{name: "ids that only look alike", master: [][]string{keys("A-1", "B-1", list(comments,
			`{"localId":"2","remoteId":"1"}`, `{"localId":"1","remoteId":"2"}`, `{"localId":null}`, `{"localId":null}`,
			`{}`, `{}`), list(attachments, `{"localId":"2"}`)), keys("A-2", "B-2", list(comments,
			`{"localId":"2"}`))}, slave: [][]string{mirror1, mirror2}},
		{name: "two connectors", master: [][]string{keys("A-1", "B-1", `"connectorKey":"CON-1-A"`),
			keys("A-2", "B-2", `"connectorKey":"CON-2-A"`)}, slave: [][]string{mirror1, mirror2},
			want: []string{"connectors w/master.json:2:1 1"},
			text: "w/master.json:2:1: A-2 with B-2 is of connector CON-2-A"},
		{name: "one connector in two ways of writing", master: [][]string{one, two}, slave: [][]string{
			keys("B-1", "A-1", `"connectorKey":"CON-1-A"`), keys("B-2", "A-2", `"connectorKey":"CON-1\u002dA"`)}},
		{name: "a connector and none", master: [][]string{one, two}, slave: [][]string{mirror1,
			keys("B-2", "A-2", `"connectorKey":"CON-1-B"`)}, want: []string{"connectors w/slave.json:1:20 1"}},
		{name: "all at once", master: [][]string{keys("A-1", "B-1", `"id":1`, `"connectorKey":"X"`), keys("A-1", "B-2",
			`"id":1`, `"connectorKey":"Y"`, list(comments, `{"localId":1}`, `{"localId":1}`), list(attachments,
				`{"localId":1}`, `{"localId":1}`))}, slave: [][]string{mirror1},
			want: []string{"connectors w/master.json:2:1 1", "repeated-attachment w/master.json:2:1 1",
				"repeated-comment w/master.json:2:1 1", "repeated-id w/master.json:2:1 1", "shared-issue w/master.json:2:1 1",
				"unmatched w/master.json:2:1 1"}},
	} {
		for i := range 8 {
			migrating, complete, backwards := []Role{Master, Slave}[i%2], i&2 == 0, i&4 == 0
			t.Run(fmt.Sprint(c.name, migrating, complete, backwards), func(t *testing.T) {
				fs := memory(t, fileOf(backwards, c.master), fileOf(backwards, c.slave))
				o := options(fs, migrating)
				o.CompleteComments = complete
				want := c.want
				if c.first != nil {
					want = c.first[migrating]
				}
				if want == nil {
					if _, err := Merge(context.Background(), o); err != nil {
						t.Fatal(err)
					}
					return
				}
				found := refusedFor(t, o)
				var got []string
				var rules []Rule
				for _, f := range found {
					got = append(got, fmt.Sprint(f.Rule, " ", f.Where, " ", f.Count))
					rules = append(rules, f.Rule)
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
				if c.text != "" && migrating == Slave && found[0].Examples[0].String() != c.text {
					t.Error(found[0])
				}
				nothingLeft(t, fs)
				for _, rule := range rules {
					but := slices.DeleteFunc(Rules(), func(r Rule) bool { return r == rule })
					for _, f := range refusedFor(t, o, but...) {
						if f.Rule != rule {
							t.Errorf("%s is refused, not %s", f.Rule, rule)
						}
					}
				}
				o.Allow = rules
				report, err := Merge(context.Background(), o)
				if err != nil {
					t.Fatal(err)
				}
				if len(withoutUnknown(report.Warnings)) < len(found) {
					t.Error(report.Warnings)
				}
			})
		}
	}
}

// TestMergeNamesBothConnectors checks that the message itself names both connectors. The examples name the entries.
func TestMergeNamesBothConnectors(t *testing.T) {
	entry := func(i int, connector string) string {
		return pair(fmt.Sprint("A-", i), fmt.Sprint("B-", i), `,"connectorKey":"`+connector+`"`)
	}
	master := export(entry(1, "CON-1-A"), entry(2, "CON-2-A"), entry(3, "CON-1-A"), entry(4, "CON-3-A"))
	slave := export(pair("B-1", "A-1", ""), pair("B-2", "A-2", ""), pair("B-3", "A-3", ""), pair("B-4", "A-4", ""))
	found := refusedFor(t, options(memory(t, master, slave), Slave))
	if len(found) != 1 || found[0].Count != 2 ||
		!strings.Contains(found[0].Message, "CON-1-A (first at w/master.json:1:20)") ||
		!strings.Contains(found[0].Message, "CON-2-A") || !strings.Contains(found[0].Examples[1].Text, "CON-3-A") {
		t.Error(found)
	}
}

// TestMergeFindsAllRepeats compares what a merge finds with plain maps: with good hashes, and with ones that always
// collide. Neither may make it refuse what is right.
func TestMergeFindsAllRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string, most int) int { return rapid.IntRange(1, most).Draw(t, name) }
		most := rapid.SampledFrom([]int{4, 1000}).Draw(t, "keys")
		// Pairs without a mirror are identified by their hash only. With weak hashes both files must have all pairs.
		weakenKeys := rapid.SampledFrom([]uint64{0, ^uint64(0), 0xffff_fff0_0000_0000, 0xffff_fff0}).Draw(t, "weaken keys")
		type entry struct{ local, remote, id string }
		var sides [2][]entry
		var texts [2][]string
		for range rapid.IntRange(0, 12).Draw(t, "pairs") {
			a, b := fmt.Sprint("A-", number("a", most)), fmt.Sprint("B-", number("b", most))
			in := number("in", 6) // 1: the master's alone, 2: the slave's alone
			for i, e := range []entry{{local: a, remote: b}, {local: b, remote: a}} {
				if in == 2-i && weakenKeys == 0 {
					continue
				}
				if n := number("id", most); n%5 > 0 {
					e.id = fmt.Sprint(n)
				}
				sides[i] = append(sides[i], e)
			}
		}
		for i := range sides {
			sides[i] = rapid.Permutation(sides[i]).Draw(t, "order")
			for _, e := range sides[i] {
				more := ""
				if e.id != "" {
					more = `,"id":` + e.id
				}
				texts[i] = append(texts[i], pair(e.local, e.remote, more))
			}
		}
		fs := afero.NewMemMapFs()
		for i, name := range []string{"w/master.json", "w/slave.json"} {
			if err := afero.WriteFile(fs, name, []byte(export(texts[i]...)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o := options(fs, rapid.SampledFrom([]Role{Master, Slave}).Draw(t, "migrating"))
		o.Allow, o.CompleteComments = Rules(), rapid.Bool().Draw(t, "complete")
		m, err := newMerge(o)
		if err != nil {
			t.Fatal(err)
		}
		weaken := rapid.SampledFrom([]uint64{0, ^uint64(0) >> 1}).Draw(t, "weaken")
		m.stay.ids.weaken, m.move.ids.weaken = weaken, weaken
		m.stay.ids.perReading = rapid.IntRange(0, 3).Draw(t, "ids in a reading")
		m.set.weaken, m.extra.weaken = weakenKeys, weakenKeys
		if _, err := m.run(context.Background()); errors.Join(err, m.close()) != nil {
			t.Fatal(err)
		}
		stay, move := 0, 1
		if o.Migrating == Master {
			stay, move = 1, 0
		}
		var want [2][4]int // pairs, ids, local, remote
		pairs, issues := [2]map[[2]string]bool{{}, {}}, [2]map[string]bool{{}, {}}
		for _, i := range []int{stay, move} {
			ids := map[string]bool{}
			for _, e := range sides[i] {
				if e.id != "" && ids[e.id] {
					want[i][1]++
				}
				ids[e.id] = true
				p := [2]string{e.local, e.remote}
				if pairs[i][p] {
					want[i][0]++
					continue
				}
				pairs[i][p] = true
				if i == move && pairs[stay][[2]string{e.remote, e.local}] {
					continue // was checked there
				}
				mine, its := issues[i], issues[1-i]
				if mine[e.local] {
					want[i][2]++
				}
				if its[e.remote] {
					want[i][3]++
				}
				mine[e.local], its[e.remote] = true, true
			}
		}
		for i, s := range map[int]*side{stay: m.stay, move: m.move} {
			got := [4]int{s.repeated.count, s.repeatedID.count, s.sharedLocal.count, s.sharedRemote.count}
			if got != want[i] {
				t.Fatalf("%s: got %v, want %v\n%s\n%s", s.role, got, want[i], texts[0], texts[1])
			}
		}
	})
}

// TestMergeSharedByMany checks that an issue that is in all pairs of a large file is found without reading the file
// many times.
func TestMergeSharedByMany(t *testing.T) {
	const n = 50_000
	dir, o := onDisk(t)
	writeEntries(t, filepath.Join(dir, "a"), n, func(i int) string { return pair("A-1", fmt.Sprint("B-", i), "") })
	writeEntries(t, filepath.Join(dir, "b"), n, func(i int) string {
		return pair(fmt.Sprint("B-", n-1-i), "A-1", fmt.Sprintf(`,"id":%d`, i%2))
	})
	reads := 0
	o.Fs = countedFs{o.Fs, &reads}
	found := refusedFor(t, o)
	if len(found) != 2 || found[0].Rule != SharedIssue || found[0].Count != n-1 || found[1].Rule != RepeatedID ||
		found[1].Count != n-2 || len(found[0].Examples) != 10 {
		t.Fatal(found)
	}
	if most := 10 * n * 80; reads > most {
		t.Errorf("%d bytes were read again, more than %d", reads, most)
	}
}
