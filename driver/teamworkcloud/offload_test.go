package teamworkcloud_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// offloaded is a world in which the category Cars is moved from a to b.
type offloaded struct {
	*world

	hosts     string            // servers whose machines are declared
	host      map[string]string // by server: the other server whose machine is declared for it
	hostLines string            // more in every host block
	lines     []string
}

// newOffload declares both machines. lines are in the migration's block.
func newOffload(lines ...string) *offloaded {
	o := &offloaded{world: newWorld(with(cars)), hosts: "ab", lines: lines}
	for _, name := range []string{"a", "b"} {
		env := o.servers[name]["env"].(j)
		for _, what := range []string{"ssh", "ssh_key", "known_hosts"} {
			env[what] = strings.ToUpper(name + "_" + what)
		}
		o.set(name, "machine", j{})
	}
	return o
}

// removing and the like are lines of the migration.
const (
	removing     = "remove_from_source { allow = 2 }"
	reactivating = "reactivate = true"
	asDocumented = `order = "as_documented"`
)

func (o *offloaded) reach(hosts string) *offloaded {
	o.hosts = hosts
	return o
}

func (o *offloaded) kase(t *testing.T) drivertest.Case {
	t.Helper()
	text := strings.ReplaceAll(servers, "  url  ", "  requests_per_second = 10000\n  url  ")
	for _, name := range strings.Split(o.hosts, "") {
		upper := strings.ToUpper(name)
		machine := strings.ToUpper(cmp.Or(o.host[name], name))
		last := fmt.Sprintf("  password     = env(%q)\n", upper+"_PASSWORD")
		text = strings.Replace(text, last,
			last+fmt.Sprintf("  host {\n    ssh         = env(%q)\n    key         = env(%q)\n    known_hosts = env(%q)\n "+
				"%s\n  }\n", machine+"_SSH", machine+"_SSH_KEY", machine+"_KNOWN_HOSTS", o.hostLines), 1)
	}
	text += with(o.hcl) + "migration \"teamwork_cloud_offload\" \"cars\" {\n  sync = sync.teamwork_cloud.cars\n  " +
		strings.Join(o.lines, "\n  ") + "\n}\n"
	seed, err := json.Marshal(j{"teamwork_cloud": j{"now": "2026-03-02T08:00:00Z", "servers": o.servers}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return drivertest.Case{Name: t.Name(), Dir: dir, Seed: seed}
}

func (o *offloaded) rehearse(t *testing.T, r drivertest.Rehearsal) drivertest.Outcome {
	t.Helper()
	out := drivertest.Rehearse(t, twc(), o.kase(t), r)
	if out.Plan == nil {
		t.Fatal(out.Diags)
	}
	return out
}

// goes applies the world's configuration completely; the second plan has no steps.
func (o *offloaded) goes(t *testing.T, r drivertest.Rehearsal) drivertest.Outcome {
	t.Helper()
	return carriedOut(t, o.rehearse(t, r))
}

// phase returns how a step ended.
func phase(t *testing.T, out drivertest.Outcome, op string) executor.StepReport {
	t.Helper()
	for _, s := range out.Report.Steps {
		if s.Step.Op == op {
			return s
		}
	}
	t.Fatalf("no step %s:\n%s", op, ended(out))
	return executor.StepReport{}
}

// resourcesOn returns the names of the resources on a server at the end.
func resourcesOn(t *testing.T, out drivertest.Outcome, server string) map[string]bool {
	t.Helper()
	var state struct {
		Product struct {
			Servers map[string]struct {
				Resources []struct {
					Name     string `json:"name"`
					ReadOnly bool   `json:"read_only"`
				} `json:"resources"`
			} `json:"servers"`
		} `json:"teamwork_cloud"`
	}
	if err := json.Unmarshal(out.State, &state); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, r := range state.Product.Servers[server].Resources {
		got[r.Name] = r.ReadOnly
	}
	return got
}

// ran returns the commands that a machine has executed over SSH, without those that change nothing.
func ran(out drivertest.Outcome, server string) []string {
	var got []string
	for _, l := range out.Lines {
		if l.Server == server && l.Method == "EXEC" && !l.Reading {
			got = append(got, l.Path)
		}
	}
	return got
}

// TestOffloads checks the variants of an offload: what they do, and their plans as a person reads them.
func TestOffloads(t *testing.T) {
	const (
		bring        = "preflight create_category configure arrived "
		unconfigure  = "remove_configuration "
		remove       = "unused idle_source backup_source stop_source unchanged remove start_source "
		removeByHand = "unused idle_source backup_source maintain_source "
		activate     = "idle_target backup_target stop_target reactivate start_target editable_e70ef4e3 "
		activateHand = "idle_target backup_target maintain_target editable_e70ef4e3 "
	)
	for name, c := range sampled(t, map[string]struct {
		lines   []string
		hosts   string
		ops     string
		tally   planner.Tally // without the steps
		removed bool
		locked  bool // the copies are read-only
	}{
		"verified": {[]string{removing}, "ab", bring + unconfigure + remove + "finished",
			planner.Tally{Add: 2, Destroy: 3, Person: 4, Irreversible: 1}, true, true},
		"verified_reactivated": {[]string{removing, reactivating}, "ab",
			bring + unconfigure + remove + activate + "finished", planner.Tally{Add: 2, Change: 2, Destroy: 3, Person: 6,
				Irreversible: 1}, true, false},
		"as_documented": {[]string{removing, asDocumented}, "ab", bring + remove + unconfigure + "finished",
			planner.Tally{Add: 2, Destroy: 3, Person: 4, Irreversible: 1}, true, true},
		"as_documented_reactivated": {[]string{removing, reactivating, asDocumented}, "ab",
			bring + remove + unconfigure + activate + "finished", planner.Tally{Add: 2, Change: 2, Destroy: 3, Person: 6,
				Irreversible: 1}, true, false},
		"by_hand": {[]string{removing, reactivating}, "",
			bring + unconfigure + removeByHand + activateHand + "finished",
			planner.Tally{Add: 2, Change: 2, Destroy: 3, Person: 8, Irreversible: 1}, true, false},
		"by_hand_on_the_source": {[]string{removing, reactivating}, "b",
			bring + unconfigure + removeByHand + activate + "finished",
			planner.Tally{Add: 2, Change: 2, Destroy: 3, Person: 7, Irreversible: 1}, true, false},
		"by_hand_on_the_target": {[]string{removing, reactivating}, "a",
			bring + unconfigure + remove + activateHand + "finished",
			planner.Tally{Add: 2, Change: 2, Destroy: 3, Person: 7, Irreversible: 1}, true, false},
		"by_hand_as_documented": {[]string{removing, asDocumented}, "",
			bring + removeByHand + unconfigure + "finished", planner.Tally{Add: 2, Destroy: 3, Person: 5, Irreversible: 1},
			true, true},
		"configuration_kept": {[]string{removing, "remove_configuration = false"}, "ab",
			bring + remove + "finished", planner.Tally{Add: 2, Destroy: 2, Person: 3, Irreversible: 1}, true, true},
		"source_kept": {nil, "ab", bring + "remove_configuration",
			planner.Tally{Add: 2, Destroy: 1, Person: 2}, false, true},
		"source_kept_reactivated": {[]string{reactivating}, "ab", bring + unconfigure + activate + "finished",
			planner.Tally{Add: 2, Change: 2, Destroy: 1, Person: 4}, false, false},
		"source_and_configuration_kept": {[]string{"remove_configuration = false"}, "ab", bring[:len(bring)-1],
			planner.Tally{Add: 2, Person: 1}, false, true},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := newOffload(c.lines...).reach(c.hosts).goes(t, drivertest.Rehearsal{})
			if got := ops(out.Plan); got != c.ops {
				t.Errorf("steps: %s\nwant   %s", got, c.ops)
			}
			tally := out.Plan.Tally()
			if tally.Steps = 0; tally != c.tally {
				t.Errorf("%+v, want %+v", tally, c.tally)
			}
			golden(t, name, out.Plan)
			onA, onB := resourcesOn(t, out, "a"), resourcesOn(t, out, "b")
			if _, there := onA["Engine"]; there == c.removed || len(onA) != map[bool]int{true: 1, false: 3}[c.removed] {
				t.Errorf("the source has %v", onA)
			}
			if len(onB) != 2 || onB["Engine"] != c.locked || onB["Gearbox"] != c.locked {
				t.Errorf("the target has %v", onB)
			}
			for _, server := range []string{"a", "b"} {
				for _, line := range ran(out, server) {
					if strings.Contains(line, "-drd") {
						t.Errorf("%s ran %s", server, line)
					}
				}
			}
		})
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a plan, as words, with testdata/offload/NAME.golden.
func golden(t *testing.T, name string, p *planner.Plan) {
	t.Helper()
	var b strings.Builder
	for i := range p.Steps {
		s := &p.Steps[i]
		fmt.Fprintf(&b, "%s %s: %s\n    because %s\n", s.Mark, s.Op, s.Summary, s.Because)
		for _, g := range s.Guards {
			fmt.Fprintf(&b, "    guard %s\n", g[strings.LastIndex(g, "/")+1:])
		}
		for _, f := range s.Facts {
			fmt.Fprintf(&b, "    fact %s = %s\n", f.Name, f.Value)
		}
		if s.Effect != nil {
			fmt.Fprintf(&b, "    effect %+v\n", *s.Effect)
		}
		if s.Undo != "" {
			fmt.Fprintf(&b, "    undo %s\n", s.Undo)
		}
		for _, c := range s.Commands {
			fmt.Fprintf(&b, "    $ %s\n", c)
		}
		if m := s.Manual; m != nil {
			fmt.Fprintf(&b, "    at %s (%s)\n", m.Where, m.Action)
			for n, line := range m.Do {
				fmt.Fprintf(&b, "      %d. %s\n", n+1, line)
			}
			for _, c := range m.Commands {
				fmt.Fprintf(&b, "      | %s\n", c)
			}
			if why := drivertest.Unpasteable(m); why != "" {
				t.Errorf("%s: %s", s.Op, why)
			}
			for _, v := range m.Values {
				fmt.Fprintf(&b, "      %s: %s\n", v.Label, cmp.Or(v.Shown, v.Value))
			}
			fmt.Fprintf(&b, "      attest %q\n", m.Attest)
		}
	}
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "%s [%s] %s: %s\n    %s\n", f.Severity, f.Rule, f.Op, f.Summary,
			strings.ReplaceAll(f.Detail, "\n", "\n    "))
	}
	got := []byte(unsettled.ReplaceAllString(b.String(), "$1…"))
	file := filepath.Join("testdata", "offload", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := udiff.Unified("want", "got", string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// unsettled matches what differs between runs: ports, and what depends on them.
var unsettled = regexp.MustCompile(`((?:127\.0\.0\.1:|configure_[0-9a-f]{8}_))(?:[0-9a-f]{6}\b|\d+)`)
