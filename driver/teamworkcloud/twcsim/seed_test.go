package twcsim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// one returns a seed with a server prod that has the given members besides a version.
func one(members string) string {
	return `{"servers": {"prod": {"version": "2024xR3"` + strings.Replace(", "+members, ", ,", ", ", 1) + `}}}`
}

func TestMistakesInJSON(t *testing.T) {
	for seed, want := range map[string]string{
		"":                                    "line 1, column 1: it ends too early",
		"{":                                   "line 1, column 2: it ends too early",
		"{} {}":                               "line 1, column 4: invalid character",
		"[]":                                  "line 1, column 1: : want an object, got a list",
		"{\"servers\": {},\n \"x\": 1}":       `line 2, column 2: unknown member "x"`,
		"{\"now\": \"\",\n\n  \"now\": \"\"}": `line 3, column 3: member "now" appears twice`,
		"{\"servers\": {\"a\": {\n\"Version\": \"2024x\"}}}": `line 2, column 1: unknown member ` +
			`"servers.a.Version"`,
		"{\"servers\": {\"a\": {\"licences\":\n \"many\"}}}": "line 2, column 7: servers.licences: want int, " +
			"got string",
		"{\"servers\": {\"a\": {\"users\": [\n{},{\"names\":1}]}}}": `line 2, column 5: unknown member ` +
			`"servers.a.users[1].names"`,
		"{\"servers\": {\"a\": {\"users\": {}}}}": "line 1, column 29: servers.a.users: want a " +
			"list, got an object",
		"{\"servers\": {\"a\": {\"machine\": {\"files\": [1]}}}}": "line 1, column 41: servers.a.machine.files: " +
			"want an object, got a list",
		"{\"servers\": {\"a\": {}, \"a\": {}}}":                       `line 1, column 23: member "servers.a" appears twice`,
		"{\"servers\": {\"a\": {\"version\": \"2024x\", \"now\":1}}}": `line 1, column 40: unknown member "servers.a.now"`,
	} {
		_, err := Open([]byte(seed))
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "read the seed of twcsim: ") {
			t.Errorf("%s\ngot  %v\nwant %s", seed, err, want)
		}
	}
}

const acme = `"acme": {"version": "2024x", "users": [{"name": "reader"}], "categories": [{"path": "Out"}],
	"resources": [{"name": "Engine", "category": "Out"}]}`

func TestMistakesInSeeds(t *testing.T) {
	for seed, want := range map[string]string{
		`{}`:                                  "servers: there is none",
		`{"now": "yesterday", "servers": {}}`: "now: ",
		`{"now": "1066-10-14T09:00:00Z", "servers": {}}`: "now: 1066-10-14T09:00:00Z is out of range",
		`{"servers": {"a b": {"version": "2024x"}}}`:     "servers.a b: a server's name has no slash and no blank",
		`{"servers": {"a": null}}`:                       "servers.a: is null",
		`{"servers": {"a": {}}}`:                         `servers.a: version: "" is not a release like 2024x Refresh3`,
		`{"servers": {"a": {"version": "18.5"}}}`:        `version: "18.5" is not a release`,
		`{"servers": {"a": {"version": "2024x", "sync_address": "x"}, "b": {"version": "2024x", "sync_address": ` +
			`"X"}}}`: "servers.b: sync_address: X is that of a",
		one(`"answers": "json"`):                `answers: "json" is not one of plain, pairs`,
		one(`"paging": "both"`):                 `paging: "both" is not one of number, position`,
		one(`"dates": "iso"`):                   `dates: "iso" is not one of seconds, millis, compact, text`,
		one(`"sync_address": "a:3579"`):         `sync_address: "a:3579" is not a host name`,
		one(`"ports": {"plain": 0}`):            "ports.plain: 0 is not between 1 and 65535",
		one(`"ports": {"tls": 3579}`):           "ports: both are 3579",
		one(`"licences": -1`):                   "licences: -1 is not between",
		one(`"session_minutes": 0`):             "session_minutes: 0 is not between",
		one(`"categories": [{}]`):               "categories[0]: needs a path",
		one(`"categories": [null]`):             "categories[0]: needs a path",
		one(`"categories": [{"path": "A//B"}]`): `path: "A//B" has an empty name`,
		one(`"categories": [{"path": "A/ B"}]`): `path: "A/ B" has an empty name, or blanks`,
		one(`"categories": [{"path": "A/B"}, {"path": "A"}]`): "categories[1]: path: A appears twice, or after one " +
			"that is in it",
		one(`"categories": [{"path": "A", "id": "1"}]`): `id: "1" is not a UUID in small letters`,
		one(`"categories": [{"path": "A", "id": "` + engineID + `"}, {"path": "B", "id": "` + engineID +
			`"}]`): "categories[1]: id: " + engineID + " appears twice",
		one(`"users": [{}]`): "users[0]: needs " +
			"a name",
		one(`"users": [{"name": "a,b"}]`): "users[0]: needs " +
			"a name without comma",
		one(`"users": [{"name": "a"}, {"name": "a"}]`): "users[1]: a " +
			"appears twice",
		one(`"users": [{"name": "a", "token": "t"}, {"name": "b", "token": "t"}]`): "users[1]: b has " +
			"the token of a",
		`{"servers": {"a": {"version": "2022x", "users": [{"name": "a", "oauth_token": "t"}]}}}`: "users[0]: " +
			"oauth_token: it came with 2024x Refresh1",
		one(`"users": [{"name": "a", "roles": [{"role": "King"}]}]`): "users[0]: " +
			"roles[0]: role: it is not one of the predefined ones",
		one(`"users": [{"name": "a", "roles": [null]}]`): "roles[0]: role: " +
			"it is not one",
		one(`"users": [{"name": "a", "roles": [{"role": "Resource Reviewer", "categories": ["A"]}]}]`): "roles[0]: " +
			"categories: there is no A",
		one(`"users": [{"name": "a", "roles": [{"role": "Resource Reviewer", "resources": ["R"]}]}]`): "roles[0]: " +
			"resources: there is no R",
		one(`"categories": [{"path": "A"}], "users": [{"name": "a", "roles": [{"role": "User Manager", "categories": ` +
			`["A"]}]}]`): "role: User Manager has no categories and resources",
		one(`"env": {}`): `env: there is no user "" whose credentials could be given`,
		one(
			`"env": {"account": "b"}, "users": [{"name": "a"}]`): `env: there is no user "b"`,
		one(`"env": {"password": "P"}, "users": [{"name": "a"}]`): "env: a has no " +
			"such credentials",
		one(`"env": {"token": "T"}, "users": [{"name": "a", "password": "p"}]`): "env: a has no " +
			"such credentials",
		one(`"env": {"ssh": "S"}, "users": [{"name": "a"}]`): "env: there is " +
			"no machine to reach over SSH",
		one(
			`"machine": {"home": "opt"}`): `machine.home: "opt" is not like`,
		one(
			`"machine": {"services": ["twcloud", "httpd"]}`): `machine.services: "httpd" is not a service of 2024x Refresh3`,
		one(
			`"machine": {"services": ["cassandra"]}`): `machine.services: "cassandra" is not a service`,
		one(
			`"machine": {"services": ["authserver"]}`): `machine.services: "authserver" is not a service`,
		one(
			`"machine": {"files": {"etc/hosts": ""}}`): `machine.files: "etc/hosts" is not an absolute path`,
		one(
			`"machine": {"files": {"/": ""}}`): `machine.files: "/" is not an absolute path`,
		one(`"defects": [{"what": "lose"}]`): "defects[0]: " +
			"needs a resource",
		one(
			`"defects": [{"resource": "A", "what": "explode"}]`): `defects[0]: what: "explode" is not one of lose`,
		`{"servers": {` + acme + `, "b": {"version": "2024x", "configurations": [null]}}}`: "servers.b: " +
			"configurations[0]: is null",
		`{"servers": {` + acme +
			`, "b": {"version": "2024x", "configurations": [{"source": "b"}]}}}`: `source: "b" is not another server`,
		`{"servers": {` + acme + `, "b": {"version": "2024x", "configurations": [{"source": "acme"}]}}}`: "needs a " +
			"resource or a category",
		`{"servers": {` + acme + `, "b": {"version": "2024x", "configurations": [{"source": "acme", "resource": ` +
			`"R"}]}}}`: "resource: acme has no R",
		`{"servers": {` + acme + `, "b": {"version": "2024x", "configurations": [{"source": "acme", "category": ` +
			`"In"}]}}}`: "category: acme has no In",
		`{"servers": {` + acme + `, "b": {"version": "2024x", "configurations": [{"source": "acme", "category": ` +
			`"Out"}]}}}`: `target_category: there is no ""`,
		`{"servers": {` + acme + `, "b": {"version": "2024x", "categories": [{"path": "In"}], "configurations": [
			{"source": "acme", "category": "Out", "target_category": "In", "trigger": "often"}]}}}`: `trigger: "often" is not one of`,
		`{"servers": {` + acme + `, "b": {"version": "2024x", "categories": [{"path": "In"}], "configurations": [
			{"source": "acme", "category": "Out", "target_category": "In", "trigger": "commit_tag"}]}}}`: "tag: there is one if and only if",
		`{"servers": {` + acme + `, "b": {"version": "2024x", "categories": [{"path": "In"}], "configurations": [
			{"source": "acme", "category": "Out", "target_category": "In", "user": "b"}]}}}`: `user: acme has no user "b"`,
	} {
		refused(t, seed, want)
	}
}

func refused(t *testing.T, seed, want string) {
	t.Helper()
	w, err := Open([]byte(seed))
	if err == nil || !strings.Contains(err.Error(), want) || w != nil {
		t.Errorf("%s\ngot  %v\nwant %s", seed, err, want)
	}
}

func TestMistakesInResources(t *testing.T) {
	for members, want := range map[string]string{
		`{}`:                             "resources[0]: needs a name",
		`null`:                           "resources[0]: needs a name",
		`{"name": "A", "id": "a"}`:       `id: "a" is not a UUID`,
		`{"name": "A", "category": "C"}`: "category: there is no C",
		`{"name": "A"}, {"name": "A"}`:   "resources[1]: A and A have an id in common",
		`{"name": "A", "project_id": "P"}, {"name": "B", "project_id": "P"}`: "resources[1]: A and B have an id in common",
		`{"name": "A", "local_id": "L"}, {"name": "B", "local_id": "L"}`:     "resources[1]: A and B have an id in common",
		`{"name": "A", "branches": [{}]}`:                                    "branches[0]: needs a name",
		`{"name": "A", "branches": [{"name": "trunk", "from": 1}]}`: "branches[0]: from: the first branch is " +
			"the main one",
		`{"name": "A", "branches": [{"name": "trunk"}, {"name": "b"}]}`: "branches[1]: from: the first branch is " +
			"the main one",
		`{"name": "A", "branches": [{"name": "trunk"}, {"name": "trunk"}]}`: "branches[1]: trunk appears twice",
		`{"name": "A", "branches": [{"name": "trunk", "id": "b"}]}`:         `branches[0]: id: "b" is not a UUID`,
		`{"name": "A", "branches": [{"name": "t", "id": "` + engineID + `"}, {"name": "b", "from": 1, "id": "` +
			engineID + `"}]}`: "branches[1]: id: " + engineID + " appears twice",
		`{"name": "A", "branches": [{"name": "trunk"}, {"name": "b", "from": 3}], "revisions": [{}]}`: "branches[1]: " +
			"from: there is no revision 3",
		`{"name": "A", "revisions": [null]}`:                                                                   "revisions[0]: is null",
		`{"name": "A", "revisions": [{"n": -1}]}`:                                                              "revisions[0]: n: -1 does not come after 0",
		`{"name": "A", "revisions": [{"n": 2}, {"n": 2}]}`:                                                     "revisions[1]: n: 2 does not come after 2",
		`{"name": "A", "revisions": [{"branch": "b"}]}`:                                                        "revisions[0]: branch: there is no b",
		`{"name": "A", "branches": [{"name": "t"}, {"name": "b", "from": 2}], "revisions": [{"branch": "b"}]}`: "revisions[0]: branch: b begins after revision 2",
		`{"name": "A", "revisions": [{"created": "today"}]}`:                                                   "revisions[0]: created: ",
		`{"name": "A", "revisions": [{"merged": 1}]}`:                                                          "revisions[0]: merged: there is no revision 1 before it",
		`{"name": "A", "tags": [{"name": "t", "revision": 1}]}`:                                                "tags[0]: needs a name and a revision that is there",
		`{"name": "A", "revisions": [{}], "tags": [{"revision": 1}]}`:                                          "tags[0]: needs a name",
		`{"name": "A", "locks": [{}]}`:                                                                         "locks[0]: needs a user",
		`{"name": "A", "locks": [{"user": "u", "branch": "b"}]}`:                                               "locks[0]: branch: there is no b",
		`{"name": "A", "revisions": [{}], "generate": {"revisions": 1}}`:                                       "generate: there are revisions already",
		`{"name": "A", "generate": {}}`:                                                                        "generate: revisions: 0 is not between 1 and 200000",
		`{"name": "A", "generate": {"revisions": 200001}}`:                                                     "generate: revisions: 200001 is not",
		`{"name": "A", "generate": {"revisions": 200000}}, {"name": "B", "revisions": [{}]}`:                   "resources[1]: the server has more than 200000 revisions",
		`{"name": "A", "generate": {"revisions": 150000}}, {"name": "B", "generate": {"revisions": 50001}}`: "resources[1]" +
			": generate: all together",
		`{"name": "A", "generate": {"revisions": 1, "every": "often"}}`: `generate: every: "often" is not a time`,
		`{"name": "A", "generate": {"revisions": 1, "every": "1ms"}}`:   `generate: every: "1ms" is not a time`,
		`{"name": "A", "generate": {"revisions": 1, "start": "then"}}`:  "generate: start: ",
		`{"name": "A", "generate": {"revisions": 1, "authors": [""]}}`:  "generate: authors: one has no name",
		`{"name": "A", "generate": {"revisions": 1, "gap_every": 1}}`:   "generate: gap_every: ",
	} {
		refused(t, one(`"resources": [`+members+`]`), want)
	}
}

func TestHistoriesOfSeeds(t *testing.T) {
	w := open(t, plant)
	r := w.Named["prod"].Resource("Engine")
	var got []string
	for _, v := range r.Revisions {
		got = append(got, fmt.Sprintf("%d<%d+%d", v.Number, v.Parent, v.Merged))
	}
	if s := strings.Join(got, " "); s != "1<0+0 2<1+0 3<2+0 4<3+0 9<3+4" {
		t.Error(s)
	}
	if b := r.Branches[0]; b.Author != "mira" || b.Created != r.Revisions[0].Created || len(r.On(b)) != 4 {
		t.Errorf("trunk: %+v", b)
	}
	w = open(t, one(`"resources": [{"name": "A", "revisions": [{}, {"n": 5}, {}], "branches": [
		{"name": "main"}, {"name": "empty", "from": 5}, {"name": "deep", "from": 5}]}]`))
	r = w.Named["prod"].Resource("A")
	if v := r.Revisions; v[2].Number != 6 || !v[0].Created.Equal(w.Now.Add(-72*time.Hour)) ||
		v[2].Author != "Administrator" {
		t.Errorf("defaults: %+v", v[2])
	}
	for i, b := range r.Branches[1:] { // creating a branch is a commit on it
		own := r.On(b)
		if first := own[0]; len(own) != 3 || b.Author != "Administrator" || !b.Created.Equal(r.Revisions[2].Created) ||
			first.Number != 7+i || first.Parent != 5 || first.Branch != b.ID || first.Author != b.Author ||
			first.Description != `Branch "`+b.Name+`" created` {
			t.Errorf("an empty branch: %+v, %+v", b, first)
		}
	}
}

func TestGenerate(t *testing.T) {
	seed := one(`"resources": [{"name": "A", "generate": {"revisions": 200000, "authors": ["a", "b", "c"], "start": "2001-01-01T06:00:00Z",
		"every": "1h", "gap_every": 1000}, "tags": [{"name": "t", "revision": 1001}]},
		{"name": "B"}]`)
	w, again := open(t, seed), open(t, seed)
	r, other := w.Named["prod"].Resource("A"), again.Named["prod"].Resource("A")
	if len(r.Revisions) != 200_000 || r.Revision(1000) != nil || r.Revision(1001) == nil ||
		r.Latest().Number <= 200_000 {
		t.Fatalf("%d revisions, the last is %d", len(r.Revisions), r.Latest().Number)
	}
	for i, v := range r.Revisions {
		if *v != *other.Revisions[i] || i > 0 &&
			(v.Parent != r.Revisions[i-1].Number || !v.Created.After(r.Revisions[i-1].Created)) {
			t.Fatalf("%+v and %+v", v, other.Revisions[i])
		}
	}
	if v := r.Revisions[4]; v.Author != "b" || v.Description != "Remove allocation table" && v.Description == "" ||
		v.Created.Truncate(time.Second) != time.Date(2001, 1, 1, 10, 0, 0, 0, time.UTC) {
		t.Errorf("%+v", v)
	}
	w = open(t, one(`"resources": [{"name": "B", "generate": {"revisions": 3}}]`))
	if b := w.Named["prod"].Resource("B"); len(b.Revisions) != 3 || b.Latest().Created.After(w.Now) ||
		b.Revisions[0].Author != "Administrator" {
		t.Errorf("defaults: %+v", b.Latest())
	}
}

func TestConfigurationsOfSeeds(t *testing.T) {
	w := open(t, `{"servers": {`+acme+`, "b": {"version": "2024x", "categories": [{"path": "In"}], "configurations": [
		{"source": "acme", "category": "Out", "target_category": "In", "user": "reader"},
		{"source": "acme", "resource": "Engine", "target_category": "In", "user": "reader", "trigger": "manual"}]}}}`)
	list := w.Named["b"].Configurations
	if c := list[0]; c.Kind != state.KindCategory || c.Trigger != state.EveryCommit || c.Status != state.InQueue ||
		c.Owner != "" {
		t.Errorf("%+v", c)
	}
	if c := list[1]; c.Kind != state.KindResource || c.Item != w.Named["acme"].Resource("Engine").ID ||
		c.Status != state.NotSynchronized || c.ID == list[0].ID {
		t.Errorf("%+v", c)
	}
}
