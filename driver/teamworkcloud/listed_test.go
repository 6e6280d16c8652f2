package teamworkcloud_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestListedBefore checks that, whatever people change on the servers during a run, a process with a cached listing
// gets the same verdicts for every step as one without.
func TestListedBefore(t *testing.T) {
	changes := []doing{
		do("rename", "server", "a", "resource", "Gearbox", "name", "Transmission"),
		do("rename", "server", "a", "resource", "Frame", "name", "Gearbox"),
		do("rename", "server", "a", "resource", "Gearbox", "name", "Frame"),
		do("rename", "server", "a", "resource", "Transmission", "name", "Gearbox"),
		do("move", "server", "a", "resource", "Engine", "category", "Bikes"),
		do("move", "server", "a", "resource", "Engine", "category", "Cars"),
		do("move", "server", "b", "resource", "Engine", "category", "Other"),
		do("rename", "server", "b", "resource", "Engine", "name", "Motor"),
		do("add_resource", "server", "b", "name", "Gear", "category", "From A"),
		do("commit", "server", "a", "resource", "Gearbox", "branch", "trunk", "author", "ann", "description", "late"),
		do("add_resource", "server", "a", "name", "Wheel", "category", "Cars"),
		do("remove", "server", "a", "resource", "Wheel"),
		do("tamper", "server", "b", "resource", "Gearbox", "what", "truncate", "revision", "2"),
		do("remove", "server", "b", "resource", "Gearbox"),
		do("move", "server", "a", "resource", "Frame", "category", "Cars"),
		do("tamper", "server", "b", "resource", "Motor", "what", "gone"),
		do("remove", "server", "a", "resource", "Engine"),
		do("tamper", "server", "a", "resource", "Gearbox", "what", "gone"),
	}
	for i, answers := range []string{"plain", "pairs"} {
		for k, selected := range []string{`categories = ["Cars"]`, `resources = ["Cars/Engine", "Gearbox"]`} {
			if testing.Short() && i != k {
				continue
			}
			t.Run(answers+" "+selected[:9], func(t *testing.T) {
				t.Parallel()
				w := newWorld(strings.Replace(cars, `categories      = ["Cars"]`, selected, 1))
				w.add("b", "categories", j{"path": "From A"}, j{"path": "Other"})
				l := newListed(t, w, answers, removing, reactivating)
				l.migrate()
				l.compare(changes)
			})
		}
	}
}

// TestListedBeforeNames checks the same for steps that something irreversible depends on, if other resources get the
// names of selected ones, or if selected ones get other names because of the categories that contain them.
func TestListedBeforeNames(t *testing.T) {
	changes := []doing{
		do("rename", "server", "a", "resource", "Frame", "name", "Diesel"),
		do("rename", "server", "a", "resource", ids["Frame"], "name", "Frame"),
		do("rename_category", "server", "a", "category", "Bikes", "name", "Engines"),
		do("rename_category", "server", "a", "category", "Engines", "name", "Bikes"),
		do("rename_category", "server", "a", "category", "Cars", "name", "Archive"),
		do("rename_category", "server", "a", "category", "Archive", "name", "Cars"),
	}
	for _, selected := range []string{
		`categories = ["Cars/Engines"]`, `categories = ["Engines"]`, `resources = ["Cars/Engines/Diesel"]`,
		`resources = ["Diesel"]`, `resources = ["0a000000-0000-4000-8000-000000000004"]`,
	} {
		t.Run(selected, func(t *testing.T) {
			t.Parallel()
			w := newWorld(strings.Replace(cars, `categories      = ["Cars"]`, selected, 1))
			w.add("a", "categories", j{"path": "Cars/Engines"})
			w.add("a", "resources", resource("Diesel", "Cars/Engines", "id", "0a000000-0000-4000-8000-000000000004"))
			w.add("b", "categories", j{"path": "From A"})
			l := newListed(t, w, "plain", removing)
			l.migrate()
			l.steps = slices.DeleteFunc(l.steps, func(s planner.Step) bool {
				return !strings.HasPrefix(s.Addr, "migration.") || strings.HasPrefix(s.Op, "configure_")
			})
			l.compare(changes)
		})
	}
}

// TestListedBeforeEarlier checks the same if what earlier runs have moved becomes editable with the rest.
func TestListedBeforeEarlier(t *testing.T) {
	changes := []doing{
		do("move", "server", "b", "resource", "Clutch", "category", "Other"),
		do("move", "server", "b", "resource", "Wheel", "category", "From A"),
		do("rename", "server", "b", "resource", "Clutch", "name", "Coupling"),
		do("move", "server", "b", "resource", "Coupling", "category", "From A"),
	}
	for _, answers := range []string{"plain", "pairs"} {
		t.Run(answers, func(t *testing.T) {
			t.Parallel()
			w := newWorld(cars)
			w.add("b", "categories", j{"path": "From A"}, j{"path": "Other"})
			w.add("b", "resources", resource("Clutch", "From A"), resource("Wheel", "Other"))
			l := newListed(t, w, answers, removing, reactivating)
			l.migrate()
			if !slices.ContainsFunc(l.steps, func(s planner.Step) bool { return s.Args["earlier"] == "true" }) {
				t.Fatal("no step is about what earlier runs have moved")
			}
			l.compare(changes)
		})
	}
}

// listed is a world with a complete synchronization, and the steps to compare.
type listed struct {
	*site
	hcl   string
	lines []string // lines of the migration
	steps []planner.Step
}

func newListed(t *testing.T, w *world, answers string, lines ...string) *listed {
	t.Helper()
	w.set("a", "answers", answers).set("b", "answers", answers)
	s := openStill(t, w.kase(t))
	s.text = func(hcl string) string {
		return strings.ReplaceAll(servers, "  url  ", "  requests_per_second = 100000\n  url  ") + with(hcl)
	}
	return &listed{s, w.hcl, lines, s.apply(w.hcl).Steps}
}

// migrate adds an offload, and its steps.
func (l *listed) migrate() {
	l.t.Helper()
	l.hcl += "migration \"teamwork_cloud_offload\" \"cars\" {\n  sync = sync.teamwork_cloud.cars\n  " +
		strings.Join(l.lines, "\n  ") + "\n}\n"
	p := l.plan(l.hcl)
	if refused := p.Refusals(); len(refused) > 0 {
		l.t.Fatalf("refused: %+v", refused)
	}
	l.steps = append(l.steps, p.Steps...)
}

// compare makes the changes, one after the other, and compares the steps after each.
func (l *listed) compare(changes []doing) {
	t := l.t
	t.Helper()
	before := l.looks(l.hcl, l.steps)
	defer l.close(before.driver)
	was := before.verdicts(nil)
	for i, change := range changes {
		change(func(action string, values map[string]string) {
			if _, err := l.box.Person(t.Context(), action, values); err != nil {
				t.Fatal(err)
			}
		})
		fresh := l.looks(l.hcl, l.steps)
		want := fresh.verdicts(was)
		l.close(fresh.driver)
		for id, got := range before.verdicts(was) {
			if got.said != want[id].said {
				t.Errorf("after change %d %s is\n%s, to a new process\n%s", i, id, got.said, want[id].said)
			}
		}
	}
}

// looking is a process that verifies steps.
type looking struct {
	site   *site
	steps  []planner.Step
	config *schema.Config
	driver driver.Driver
}

func (s *site) looks(hcl string, steps []planner.Step) *looking {
	s.t.Helper()
	cfg, d := s.load(hcl)
	return &looking{s, steps, cfg, d}
}

// seen is what a process finds out about a step.
type seen struct {
	said    string
	outputs map[string]string
}

// verdicts verifies every step and reads every fact, as if the steps before it were done and had recorded their
// outputs.
func (l *looking) verdicts(recorded map[string]seen) map[string]seen {
	t := l.site.t
	t.Helper()
	out := map[string]seen{}
	if recorded == nil {
		recorded = out
	}
	for i := range l.steps {
		step := l.steps[i]
		addr, err := schema.ParseAddr(step.Addr)
		if err != nil {
			t.Fatal(err)
		}
		r := l.config.Lookup(addr)
		task := &executor.Task{Step: step, Resource: r}
		for id, was := range recorded {
			if of, op, _ := strings.Cut(id, "/"); of == step.Addr {
				task.Remember(op, executor.Past{Outputs: was.outputs, Done: true})
			}
		}
		v, err := l.driver.Verify(t.Context(), task)
		said := fmt.Sprintf("%s: %s, %v", v.State, v.Why, err)
		for _, f := range step.Facts {
			facts, err := l.driver.Facts(t.Context(), r, []string{f.Name})
			said += fmt.Sprintf(", %v, %v", facts, err)
		}
		out[step.ID] = seen{said, v.Outputs}
	}
	return out
}
