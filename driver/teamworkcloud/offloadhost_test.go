package teamworkcloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/sandbox"
)

// TestMachineThatDoesNotFit checks that a wrong machine stops the offload before anything is changed, or before
// anything is removed.
func TestMachineThatDoesNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(o *offloaded)
		fails string
		says  []string
		quiet bool // no command ran that changes anything
	}{
		"another server's": {func(o *offloaded) { o.host = map[string]string{"a": "b"} }, "preflight",
			[]string{"does not list", "is this the machine, and the database, of server.teamwork_cloud.a?"}, true},
		"Data Manager missing": {func(o *offloaded) { o.hostLines = `home = "/opt/elsewhere"` }, "preflight",
			[]string{"datamanager -lr", "code 127"}, true},
		"a program that says 0": {func(o *offloaded) { o.hostLines = `datamanager = ["true"]` }, "preflight",
			[]string{"does not list"}, true},
		"status of another": {func(o *offloaded) { o.hostLines = `status = ["test", "-e", "/nowhere"]` }, "preflight",
			[]string{"answers, but its machine does not say that it runs"}, true},
		"no such status": {func(o *offloaded) { o.hostLines = `status = ["rc-service", "twcloud", "status"]` },
			"preflight", []string{"code 127"}, true},
		"one service missing": {func(o *offloaded) { o.set("a", "machine", j{"services": []any{"twcloud", "zookeeper"}}) },
			"preflight", []string{"only some run", "host.status, host.stop and host.start"}, true},
		"no sudo": {func(o *offloaded) { o.set("a", "machine", j{"sudo": false}) }, "stop_source",
			[]string{"a password is required"}, true},
		"one of several": {func(o *offloaded) {
			o.hostLines = "stop = [[\"sudo\", \"systemctl\", \"stop\", \"webapp\"]]\n status = [\"systemctl\", " +
				"\"is-active\", \"webapp\"]\n within = \"1s\""
		}, "stop_source", []string{"still answers: is it another machine, or one of several of a cluster?"}, false},
		"services that do not start": {func(o *offloaded) {
			o.hostLines = "start = [[\"true\"]]\n within = \"1s\""
		}, "start_source", []string{"do not all run"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffload(removing)
			c.spoil(o)
			out := o.rehearse(t, drivertest.Rehearsal{})
			s := phase(t, out, c.fails)
			if s.Phase != executor.PhaseFailed {
				t.Fatalf("%s is %s:\n%s", c.fails, s.Phase, ended(out))
			}
			for _, want := range c.says {
				if !strings.Contains(s.Why, want) {
					t.Errorf("it says %s\nwithout %q", s.Why, want)
				}
			}
			changed := slices.ContainsFunc(out.Lines,
				func(l sandbox.AccessLine) bool { return l.Protocol == sandbox.ProtocolSSH && !l.Reading && l.OK })
			if changed == c.quiet {
				t.Errorf("ran %q and %q", ran(out, "a"), ran(out, "b"))
			}
			if c.fails != "start_source" {
				nothingRemoved(t, out, 3)
			}
		})
	}
}

// TestPeopleLoggedIn checks that people who are logged in are asked to leave first, that a person confirms it if the
// server does not show them, and that it can be allowed.
func TestPeopleLoggedIn(t *testing.T) {
	zoe := j{"name": "zoe", "password": "z"}
	for name, c := range map[string]struct {
		lines []string
		roles []string // of the source's user
		when  doing
		ops   string
	}{
		"nobody is":      {nil, nil, nil, "idle_source"},
		"nobody can see": {nil, []string{"Resource Manager", "Resource Creator"}, nil, "announce_source idle_source"},
		"allowed": {[]string{"allow_logged_in = true"}, nil, do("login", "server", "a", "user", "zoe"),
			"idle_source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffload(append([]string{removing}, c.lines...)...)
			if c.roles != nil {
				o.roles("a", c.roles...)
			}
			o.servers["a"]["users"] = append(o.servers["a"]["users"].([]any), zoe)
			r := drivertest.Rehearsal{}
			if c.when != nil {
				r = after("arrived", c.when)
			}
			out := o.goes(t, r)
			if !strings.Contains(ops(out.Plan), "remove_configuration unused "+c.ops+" backup_source") {
				t.Errorf("steps: %s", ops(out.Plan))
			}
		})
	}
	t.Run("somebody is", func(t *testing.T) {
		t.Parallel()
		w := newOffload()
		w.servers["a"]["users"] = append(w.servers["a"]["users"].([]any), zoe)
		s := w.open(t)
		s.person("login", "server", "a", "user", "zoe")
		p := s.apply(moving(removing))
		if !strings.Contains(ops(p), "remove_configuration unused announce_source idle_source") ||
			!strings.Contains(step(t, p, "announce_source").Summary, "(now zoe)") {
			t.Errorf("steps: %s", ops(p))
		}
		says(t, p, "logged-in", "logged in to server.teamwork_cloud.a now: zoe")
	})
}

// TestRemovesNothingElse checks that other resources marked as deleted stay, and that the output of Data Manager is
// kept.
func TestRemovesNothingElse(t *testing.T) {
	t.Parallel()
	o := newOffload(removing)
	o.add("a", "resources", resource("Wreck", "Cars", "removed", true), resource("Scrap", "Bikes", "removed", true))
	out := o.goes(t, drivertest.Rehearsal{})
	on := resourcesOn(t, out, "a")
	for _, name := range []string{"Frame", "Wreck", "Scrap"} {
		if _, ok := on[name]; !ok || len(on) != 3 {
			t.Errorf("the source has %v", on)
		}
	}
	announced := phase(t, out, "remove").Step.Commands
	if len(announced) != 1 || !strings.HasSuffix(announced[0], "datamanager -dr "+ids["Engine"]+" "+ids["Gearbox"]) {
		t.Errorf("it was announced as %q", announced)
	}
	told := slices.DeleteFunc(ran(out, "a"), func(l string) bool { return !strings.Contains(l, "datamanager") })
	if !slices.Equal(told, announced) {
		t.Errorf("what was shown is not what ran: %q", told)
	}
}
