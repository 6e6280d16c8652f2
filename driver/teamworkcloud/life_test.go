package teamworkcloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// says fails unless the plan has a finding of a rule with words in it.
func says(t *testing.T, p *planner.Plan, rule string, words ...string) {
	t.Helper()
	if !slices.ContainsFunc(p.Findings, func(f planner.Finding) bool {
		return f.Rule == "teamwork_cloud/"+rule && !slices.ContainsFunc(words,
			func(w string) bool { return !strings.Contains(f.Summary+" "+f.Detail, w) })
	}) {
		t.Errorf("want %s: %q, got %+v", rule, words, p.Findings)
	}
}

func wants(t *testing.T, p *planner.Plan, want string) {
	t.Helper()
	if got := ops(p); got != want {
		t.Errorf("steps: %s, want %s", got, want)
	}
}

// TestLife checks a sync over time: later additions, changes on either side, and changed declarations.
func TestLife(t *testing.T) {
	t.Parallel()
	s := newWorld(cars).add("b", "categories", j{"path": "Own"}).open(t)
	wants(t, s.apply(cars), "create_category configure arrived")

	// A new member, a new revision, names and categories changed on the target: the engine handles them, no step is
	// planned.
	s.person("rename", "server", "b", "resource", "Engine", "name", "Motor")
	s.person("move", "server", "b", "resource", "Gearbox", "category", "Own")
	p := s.plan(cars)
	wants(t, p, "")
	says(t, p, "drift", `"Engine" of server.teamwork_cloud.a is called "Motor" on server.teamwork_cloud.b`)
	says(t, p, "drift", `"Gearbox" is in category "Own" of server.teamwork_cloud.b, not in "From A"`)
	drift := []planner.Difference{{Path: "target_category", Declared: `"From A"`, Actual: `"Own"`}}
	isCars := func(c planner.ResourceChange) bool { return c.Addr == "sync.teamwork_cloud.cars" }
	if i := slices.IndexFunc(p.Changes, isCars); i < 0 ||
		!slices.Equal(p.Changes[i].Diff, drift) {
		t.Errorf("changes %+v, want the drift %+v", p.Changes, drift)
	}

	// One resource of the category leaves it.
	s.person("move", "server", "a", "resource", "Gearbox", "category", "Bikes")
	s.person("move", "server", "b", "resource", "Gearbox", "category", "From A")
	says(t, s.plan(cars), "left-category", `"Gearbox" is in category "Bikes"`)

	// It is now selected by itself: the category's configuration stays, and does nothing for it.
	with := strings.Replace(cars, "MORE", "resources = [\"Gearbox\"]\n  MORE", 1)
	wants(t, s.apply(with), "configure arrived")
}

// TestDeclaredAnew checks that a changed configuration is replaced, because it cannot be edited, and that one which is
// no longer declared is removed.
func TestDeclaredAnew(t *testing.T) {
	t.Parallel()
	s := newWorld(cars).open(t)
	manual := strings.Replace(cars, "MORE", "trigger = \"manual\"\n  MORE", 1)
	wants(t, s.apply(cars), "create_category configure arrived")
	p := s.apply(manual)
	wants(t, p, "remove_configuration configure")
	if c := step(t, p, "configure_"); !strings.Contains(c.Because, "cannot be edited") {
		t.Errorf("because %s", c.Because)
	}

	// A manual configuration waits for a person.
	s.person("commit", "server", "a", "resource", "Engine", "author", "ann", "description", "one more")
	p = s.plan(manual)
	wants(t, p, "")
	says(t, p, "waiting", "1 resource is waiting for a person to press Synchronize",
		"Engine: the target lacks revision 7 of branch trunk")

	// Another item replaces the category.
	engine := strings.Replace(manual, `categories      = ["Cars"]`, `resources = ["Engine"]`, 1)
	p = s.apply(engine)
	wants(t, p, "remove_configuration configure")
	if r := step(t, p, "remove_configuration"); !strings.Contains(r.Summary, `category "Cars"`) ||
		!strings.Contains(r.Because, "not declared any more") {
		t.Errorf("%s: %s", r.Summary, r.Because)
	}

	// Removed, and declared again.
	gone := strings.Replace(engine, "MORE", "state = \"removed\"\n  MORE", 1)
	p = s.apply(gone)
	wants(t, p, "remove_configuration")
	if p.Changes[len(p.Changes)-1].Action != planner.Delete {
		t.Errorf("action: %+v", p.Changes)
	}
	p = s.apply(engine)
	wants(t, p, "configure")
	if c := step(t, p, "configure_"); !strings.Contains(c.Because, "the previous one was removed") {
		t.Errorf("because %s", c.Because)
	}
}

// TestForgotten checks that a finding reports what an earlier run has configured if it can no longer be named.
func TestForgotten(t *testing.T) {
	t.Parallel()
	frame := strings.Replace(cars, `categories      = ["Cars"]`, `resources = ["Frame"]`, 1)
	s := newWorld(frame).open(t)
	s.apply(frame)
	s.person("tamper", "server", "a", "resource", "Frame", "what", "gone")
	p := s.plan(cars)
	wants(t, p, "configure arrived")
	says(t, p, "left-configuration", "has configured something (configure_",
		"neither declared nor on server.teamwork_cloud.a any more")
}

// TestOldTarget checks that before 2024x Refresh1 the address needs its port, there is no switch for encryption, and a
// deleted configuration leaves a record.
func TestOldTarget(t *testing.T) {
	t.Parallel()
	s := newWorld(cars).versions("2022x Refresh2").set("a", "ports", j{"plain": 3600, "tls": 10002}).open(t)
	p := s.apply(cars)
	m := step(t, p, "configure_").Manual
	for _, v := range m.Values {
		if v.Name == "tls" || v.Name == "source_address" && v.Value != "twc.a.example:3600" {
			t.Errorf("%+v", v)
		}
	}
	p = s.plan(strings.Replace(cars, "MORE", "trigger = \"manual\"\n  MORE", 1))
	says(t, p, "reconfigure", "cannot be created again while the copies exist", "Data Manager (-dr)")
	p = s.plan(strings.Replace(cars, "MORE", "state = \"removed\"\n  MORE", 1))
	if do := strings.Join(step(t, p, "remove_configuration").Manual.Do, " "); !strings.Contains(do,
		"a record of them stays behind") || strings.Contains(do, "DELETE CONFIGURATION ONLY") {
		t.Error(do)
	}
}

// TestWizard checks the page's fields and their order, and that no password is shown.
func TestWizard(t *testing.T) {
	p := newWorld(strings.Replace(cars, "MORE", "trigger = \"commit_tag\"\n  tag = \"R1\"\n  tls = true", 1)).set("a",
		"tls", true).set("b", "tls", true).plans(t)
	m := step(t, p, "configure_").Manual
	var got []string
	for _, v := range m.Values {
		value := v.Value
		if v.Shown != "" {
			value = v.Shown
		}
		if v.Name == "target" || v.Name == "item" {
			continue
		}
		got = append(got, v.Label+" = "+value)
	}
	want := []string{
		"Source Teamwork Cloud address = twc.a.example", "Username = syncctl",
		"Password = the password of syncctl on server.teamwork_cloud.a",
		"Use Secure Connection (TLS) = on", "Select = a category", "Category = Cars", "Target category = From A",
		"Synchronization trigger = On specific commit tag", "Commit tag = R1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if !strings.HasSuffix(m.Where, ":8443/webapp, Settings, Remote repository management") ||
		m.Action != "create_configuration" {
		t.Errorf("%s %s", m.Where, m.Action)
	}
}
