package teamworkcloud_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// copied adds copies of resources on a to b, as an earlier configuration has brought them. It removes those in gone
// from a.
func (o *offloaded) copied(names []string, gone ...string) *offloaded {
	o.add("b", "categories", j{"path": "From A"})
	var left []any
	for _, r := range o.servers["a"]["resources"].([]any) {
		name := r.(j)["name"].(string)
		if slices.Contains(names, name) {
			c := maps.Clone(r.(j))
			c["category"], c["read_only"] = "From A", true
			o.add("b", "resources", c)
		}
		if !slices.Contains(gone, name) {
			left = append(left, r)
		}
	}
	o.servers["a"]["resources"] = left
	return o
}

// configured keeps the configuration of the category on b.
func (o *offloaded) configured() *offloaded {
	o.set("b", "configurations", []any{j{"source": "a", "category": "Cars", "target_category": "From A",
		"trigger": "every_commit", "user": "syncctl"}})
	return o
}

func selecting(names ...string) string {
	var quoted []string
	for _, n := range names {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	return strings.Replace(with(cars), `categories      = ["Cars"]`, "resources = ["+strings.Join(quoted, ", ")+"]", 1)
}

var bothCars = []string{"Engine", "Gearbox"}

// TestGoesOnFromWhatIsThere checks that what another run, or somebody, has begun is completed: nothing is done twice,
// and what is complete stays.
func TestGoesOnFromWhatIsThere(t *testing.T) {
	const activate = "idle_target backup_target stop_target reactivate start_target editable finished"
	const remove = "unused idle_source backup_source stop_source unchanged remove start_source "
	for name, c := range map[string]struct {
		world *offloaded
		hcl   string
		ops   string
		runs  string // what the target's Data Manager is told, in its last words
	}{
		"ended": {newOffload(removing).copied(bothCars, bothCars...), "", "", ""},
		"ended, by name": {newOffload(removing).copied(bothCars, bothCars...),
			selecting("Engine", "Gearbox"), "", ""},
		"ended, by path and id": {newOffload(removing).copied(bothCars, bothCars...),
			selecting("Cars/Engine", ids["Gearbox"]), "", ""},
		"ended, both ways": {newOffload(removing, reactivating, `remove_configuration = true`).copied(nil,
			bothCars...), "", "", ""},
		"nothing was there": {newOffload(removing).copied(nil, bothCars...), "", "", ""},
		"to be reactivated": {newOffload(removing, reactivating).copied(bothCars, bothCars...), "",
			"preflight " + activate, ids["Engine"] + "," + ids["Gearbox"]},
		"to be reactivated, by name": {newOffload(removing, reactivating).copied(bothCars, bothCars...),
			selecting("Engine"), "preflight " + activate, "=" + ids["Engine"]},
		"to be reactivated, alone": {newOffload(reactivating).copied(bothCars, bothCars...), selecting(ids["Engine"]),
			"preflight " + activate, "=" + ids["Engine"]},
		"its configuration is there": {newOffload(removing, asDocumented).copied(bothCars, bothCars...).configured(), "",
			"preflight remove_configuration", ""},
		"one is removed": {newOffload(removing).copied(bothCars, "Engine").configured(), "",
			"preflight arrived remove_configuration " + remove + "finished", ""},
		"one is removed, by name": {newOffload(removing).copied(bothCars, "Engine").configured(),
			selecting("Engine", "Gearbox"), "", ""},
		"one is removed, to reactivate": {newOffload(removing, reactivating).copied(bothCars, "Engine").configured(), "",
			"preflight arrived remove_configuration " + remove + activate, ids["Engine"] + "," + ids["Gearbox"]},
		"all is there, nothing removed": {newOffload(removing).copied(bothCars).configured(), "",
			"preflight arrived remove_configuration " + remove + "finished", ""},
		"one is there": {newOffload(removing).copied([]string{"Engine"}), "",
			"preflight configure arrived remove_configuration " + remove + "finished", ""},
		"one is there, to be kept on a": {newOffload().copied([]string{"Engine"}), "",
			"preflight configure arrived remove_configuration", ""},
		"somebody else's is there, too": {newOffload(removing, reactivating).copied(append(bothCars, "Frame"), bothCars...),
			"", "preflight " + activate, ids["Engine"] + "," + ids["Gearbox"]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := c.world
			if c.hcl != "" {
				o.hcl = c.hcl
			}
			if name == "one is removed, by name" { // its configurations are of each resource
				o.set("b", "configurations", []any{j{"source": "a", "resource": "Gearbox", "target_category": "From A",
					"trigger": "every_commit", "user": "syncctl"}})
				c.ops = "preflight arrived remove_configuration " + remove + "finished"
			}
			out := o.goes(t, drivertest.Rehearsal{})
			got := ops(out.Plan)
			if at := strings.Index(got, "editable_"); at >= 0 {
				got = got[:at+len("editable")] + got[at+len("editable_00000000"):]
			}
			if got != c.ops {
				t.Errorf("steps: %s\nwant   %s", got, c.ops)
			}
			found := c.runs == ""
			for _, line := range ran(out, "b") {
				if !strings.Contains(line, "datamanager") {
					continue
				}
				line, _, whole := strings.Cut(line, " --categoryID=")
				if !strings.HasSuffix(line, c.runs) {
					t.Errorf("the target's machine ran %s", line)
				}
				found = found || strings.HasSuffix(line, c.runs)
				// The category too, if it was synchronized as a whole and holds nothing of anybody else's.
				if want := c.hcl == "" && name != "somebody else's is there, too"; strings.Contains(line, "-rrof") &&
					whole != want {
					t.Errorf("category named: %v, want %v", whole, want)
				}
			}
			if !found {
				t.Errorf("the target's machine ran %q", ran(out, "b"))
			}
		})
	}
}

// TestOffloadRefuses checks that what a plan must not do is refused at its line, with advice.
func TestOffloadRefuses(t *testing.T) {
	peer := func(name, from, to, what string) string {
		return fmt.Sprintf("sync \"teamwork_cloud\" %q {\n source = server.teamwork_cloud.%s\n target = "+
			"server.teamwork_cloud.%s\n target_category = \"Elsewhere\"\n %s\n}\n", name, from, to, what)
	}
	for name, c := range map[string]struct {
		world *offloaded
		hcl   string
		rule  string
		says  string
	}{
		"more than is allowed": {newOffload("remove_from_source { allow = 1 }"), "", "remove-allow",
			"the plan removes 2 resources from server.teamwork_cloud.a, remove_from_source allows 1"},
		"less is there than allowed": {newOffload("remove_from_source { allow = 9 }"), "", "", ""},
		"another reads it": {newOffload(removing), with(cars) + peer("other", "a", "c",
			`resources = ["Cars/Engine"]`), "offload-read",
			`sync.teamwork_cloud.other reads "Engine" from server.teamwork_cloud.a`},
		"another is to be removed": {newOffload(removing), with(cars) + peer("other", "a", "c",
			"resources = [\"Cars/Engine\"]\n state = \"removed\""), "", ""},
		"another reads it, to keep": {newOffload(), with(cars) + peer("other", "a", "c", `resources = ["Cars/Engine"]`), "",
			""},
		"it is a copy": {newOffload(removing), with(cars, "upstream = sync.teamwork_cloud.other") + peer("other",
			"c", "a", `categories = ["Bridges"]`), "offload-copy", "copies that sync.teamwork_cloud.other brings there"},
		"another brings it": {newOffload(removing, reactivating),
			with(cars) + peer("other", "a", "b", `resources = ["Cars/Engine"]`), "reactivate-synced",
			`sync.teamwork_cloud.other brings "Engine" to server.teamwork_cloud.b too`},
		"another brings it now": {newOffload(reactivating).copied(bothCars, bothCars...),
			selecting("Engine") + peer("other", "c", "b", `resources = ["`+ids["Engine"]+`"]`), "reactivate-synced",
			`sync.teamwork_cloud.other brings "Engine"`},
		"it is marked as deleted": {newOffload(removing), selecting("Frame"), "offload-marked",
			`resource "Frame" is marked as deleted`},
		"it is nowhere": {newOffload(removing), selecting("Engin"), "not-found", `"Engin"`},
		"it is nowhere, and was": {newOffload(removing).copied(bothCars, bothCars...), selecting("Engine", "Brakes"),
			"not-found", `resource "Brakes" is neither on server.teamwork_cloud.a nor`},
		"another major version": {newOffload(removing), "", "major", "not the same major version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := c.world
			if c.hcl != "" {
				o.hcl = c.hcl
			}
			o.add("c", "categories", j{"path": "Bridges"})
			if name == "another brings it now" {
				o.add("c", "resources", resource("Engine", "Bridges"))
			}
			switch name {
			case "it is marked as deleted":
				o.servers["a"]["resources"].([]any)[2].(j)["removed"] = true
			case "another major version":
				o.set("b", "version", "2026x")
			}
			out := o.planned(t)
			var got []string
			said := ""
			for _, f := range out.Plan.Refusals() {
				got = append(got, f.Rule)
				if f.Rule == "teamwork_cloud/"+c.rule {
					said = f.Summary
				}
			}
			if c.rule == "" && len(got) > 0 || c.rule != "" && said == "" || !strings.Contains(said, c.says) {
				t.Errorf("refused by %q: %s; want %s: %s", got, said, c.rule, c.says)
			}
			if c.rule != "" && out.Report != nil {
				t.Error("it was carried out")
			}
		})
	}
}

// TestConfigurationsOfWhatIsGone checks that the vendor's last step is planned if it is left: it names the
// configurations of resources that are only on the target.
func TestConfigurationsOfWhatIsGone(t *testing.T) {
	o := newOffload(removing, asDocumented).copied(bothCars, bothCars...)
	o.hcl = selecting("Engine", "Cars/Gearbox")
	out := o.planned(t)
	if got := ops(out.Plan); got != "preflight remove_configuration" {
		t.Fatalf("steps: %s", got)
	}
	m := step(t, out.Plan, "remove_configuration").Manual
	if v := m.Values[1]; v.Value != ids["Engine"]+","+ids["Gearbox"] || v.Shown != "Engine, Gearbox" {
		t.Errorf("%+v", v)
	}
}

// onlyPlans is a driver that stops at the first step.
type onlyPlans struct{ *teamworkcloud.Driver }

func (d onlyPlans) Verify(context.Context, *executor.Task) (executor.Verdict, error) {
	return executor.Verdict{}, executor.Final(errors.New("it was only to be planned"))
}

// planned returns the plan of a world.
func (o *offloaded) planned(t *testing.T) drivertest.Outcome {
	t.Helper()
	bench := twc()
	bench.New = func(env driver.Env) driver.Driver { return onlyPlans{teamworkcloud.New(env).(*teamworkcloud.Driver)} }
	out := drivertest.Rehearse(t, bench, o.kase(t), drivertest.Rehearsal{})
	if out.Plan == nil {
		t.Fatal(out.Diags)
	}
	return out
}

// TestOffloadSays checks the findings of the plan.
func TestOffloadSays(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(o *offloaded)
		rule  string
		grade planner.Severity
		says  []string // in the summary and the detail
	}{
		"whose they are": {func(*offloaded) {}, "whose", planner.Warn,
			[]string{"2 resources", "ann (1), eve (1)", ids["Engine"] +
				"  Cars/Engine, 2 branches, 5 revisions: the last by eve on 2025-03-06T10:00:00Z, the first by ann"}},
		"marked ones stay": {func(o *offloaded) { o.add("a", "resources", resource("Wreck", "Cars", "removed", true)) },
			"marked-stays", planner.Note, []string{"1 resource marked as deleted", "Wreck", "-drd"}},
		"locks": {func(o *offloaded) {
			o.servers["a"]["resources"].([]any)[0].(j)["locks"] = []any{j{"user": "ann", "branch": "dev", "element": "e1"},
				j{"user": "ann", "branch": "dev", "element": "e2"}}
		}, "locked", planner.Warn, []string{"ann has 2 elements of Engine locked (branch dev)"}},
		"the vendor's order": {func(o *offloaded) { o.lines = append(o.lines, asDocumented) }, "as-documented",
			planner.Warn, []string{"not documented"}},
		"configurations stay": {func(o *offloaded) { o.lines = append(o.lines, "remove_configuration = false") },
			"configuration-stays", planner.Warn, []string{"stay on server.teamwork_cloud.b"}},
		"an old release": {func(o *offloaded) { o.versions("2024x") }, "record-stays", planner.Note,
			[]string{"keeps a record"}},
		"nobody may see": {func(o *offloaded) { o.roles("a", "Resource Manager", "Resource Reviewer") }, "logged-in",
			planner.Note, []string{"may not see who is logged in to server.teamwork_cloud.a"}},
		"no machine": {func(o *offloaded) { o.reach("b") }, "no-host", planner.Note,
			[]string{"server.teamwork_cloud.a has no host block"}},
		"a button for it": {func(o *offloaded) { o.versions("2026x Refresh2"); o.lines = append(o.lines, reactivating) },
			"make-editable", planner.Note, []string{"Make editable"}},
		"another offload": {func(o *offloaded) {
			o.hcl += strings.Replace(selecting("Bikes/Frame"), `"cars"`, `"frame"`, 1) +
				"migration \"teamwork_cloud_offload\" \"frame\" {\n sync = sync.teamwork_cloud.frame\n remove_from_source { " +
				"allow = 1 }\n}\n"
		}, "together", planner.Warn, []string{"migration.teamwork_cloud_offload.frame", "depends_on"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffload(removing)
			c.spoil(o)
			out := o.planned(t)
			f := finding(out.Plan, c.rule)
			if f == nil || f.Severity != c.grade {
				t.Fatalf("want %s %s, got %+v", c.grade, c.rule, out.Plan.Findings)
			}
			for _, want := range c.says {
				if !strings.Contains(f.Summary+"\n"+f.Detail, want) {
					t.Errorf("it says %s\n%s\nwithout %q", f.Summary, f.Detail, want)
				}
			}
			if f.Op != "" {
				step(t, out.Plan, f.Op)
			}
		})
	}
}

// TestOffloadOverReleases checks that with any release an offload is either refused or completed. It uses a sample of
// the pairs of releases, or all of them (drivertest.AllVariable).
func TestOffloadOverReleases(t *testing.T) {
	const most = 5 // of each kind
	releases := []string{
		"2021x Refresh1", "2021x Refresh2", "2022x", "2022x Refresh1", "2022x Refresh2",
		"2024x", "2024x Refresh1", "2024x Refresh3 Hot Fix 1", "2026x", "2026x Refresh1",
	}
	var same, other [][2]string // pairs with the same and with different years
	for _, a := range releases {
		for _, b := range releases {
			if a[:5] == b[:5] {
				same = append(same, [2]string{a, b})
			} else {
				other = append(other, [2]string{a, b})
			}
		}
	}
	random := drivertest.Random(t)
	for _, c := range slices.Concat(drivertest.Sample(random, same, most), drivertest.Sample(random, other, most)) {
		a, b := c[0], c[1]
		t.Run(a+" to "+b, func(t *testing.T) {
			t.Parallel()
			o := newOffload(removing, reactivating)
			o.set("a", "version", a).set("b", "version", b)
			if a[:5] == "2021x" || a[:5] == "2022x" {
				o.set("a", "sync_address", "twc.a.example")
			}
			out := o.rehearse(t, drivertest.Rehearsal{})
			left := len(resourcesOn(t, out, "a"))
			switch {
			case len(out.Plan.Refusals()) > 0:
				if left != 3 || len(ran(out, "a"))+len(ran(out, "b")) > 0 {
					t.Errorf("refused, and %d are left", left)
				}
				if a[:5] == b[:5] && !strings.HasSuffix(a, "2021x Refresh1") && !strings.HasSuffix(b, "2021x Refresh1") {
					t.Errorf("refused: %+v", out.Plan.Refusals())
				}
			case !out.Report.Finished || left != 1 || len(out.Again.Steps) > 0:
				t.Errorf("neither refused nor done:\n%s", ended(out))
			}
		})
	}
}
