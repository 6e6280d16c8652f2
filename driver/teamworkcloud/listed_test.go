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

// TestListedBefore: whatever people change on the servers while a run is under way, a process that has listed them
// before sees the same of every step as one that has not.
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
	for answers, selected := range map[string]string{
		"plain": `categories = ["Cars"]`, "pairs": `resources = ["Cars/Engine", "Gearbox"]`,
	} {
		t.Run(answers, func(t *testing.T) {
			t.Parallel()
			w := newWorld(strings.Replace(cars, `categories      = ["Cars"]`, selected, 1))
			w.add("b", "categories", j{"path": "From A"}, j{"path": "Other"})
			w.set("a", "answers", answers).set("b", "answers", answers)
			s := openStill(t, w.kase(t))
			s.text = func(hcl string) string {
				return strings.ReplaceAll(servers, "  url  ", "  requests_per_second = 100000\n  url  ") + with(hcl)
			}
			first := s.apply(w.hcl)
			hcl := w.hcl + "migration \"teamwork_cloud_offload\" \"cars\" {\n  sync = sync.teamwork_cloud.cars\n  " +
				removing + "\n  " + reactivating + "\n}\n"
			steps := slices.Concat(first.Steps, s.plan(hcl).Steps)
			before := s.looks(hcl, steps)
			defer s.close(before.driver)
			was := before.verdicts(nil)
			for i, change := range changes {
				change(func(action string, values map[string]string) {
					if _, err := s.box.Person(t.Context(), action, values); err != nil {
						t.Fatal(err)
					}
				})
				fresh := s.looks(hcl, steps)
				want := fresh.verdicts(was)
				s.close(fresh.driver)
				for id, got := range before.verdicts(was) {
					if got.said != want[id].said {
						t.Errorf("after change %d %s is\n%s, to a new process\n%s", i, id, got.said, want[id].said)
					}
				}
			}
		})
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

// seen is what a process sees of a step.
type seen struct {
	said    string
	outputs map[string]string
}

// verdicts verifies every step and reads every fact, as if the steps before it were done and had recorded what was seen
// of them.
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
