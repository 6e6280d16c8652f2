package backbone

import (
	"testing"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// TestFares checks that a known problem is refused whatever a person says, and that what is unknown needs a person's
// word.
func TestFares(t *testing.T) {
	t.Parallel()
	good := health{Status: "RUNNING", InError: new(int), Idle: ptr(true)}
	with := func(change func(*health)) health {
		h := good
		change(&h)
		return h
	}
	for name, c := range map[string]struct {
		h    health
		word bool
		want executor.State // "": an error that waiting does not solve
	}{
		"all is well":               {good, false, executor.Done},
		"in error":                  {with(func(h *health) { h.InError = ptr(2) }), true, ""},
		"in error, otherwise blind": {health{InError: ptr(1)}, true, ""},
		"stopped":                   {with(func(h *health) { h.Status = "STOPPED" }), true, executor.NotDone},
		"working":                   {with(func(h *health) { h.Idle = ptr(false) }), true, executor.NotDone},
		"no status":                 {with(func(h *health) { h.Status = "" }), false, executor.Unknown},
		"no number of errors":       {with(func(h *health) { h.InError = nil }), false, executor.Unknown},
		"not known to be idle":      {with(func(h *health) { h.Idle = nil }), false, executor.Unknown},
		"nothing is known":          {health{}, false, executor.Unknown},
		"nothing is known, a word":  {health{}, true, executor.Done},
	} {
		v, err := fares("INT-6", c.h, c.word)
		if (err != nil) != (c.want == "") || err == nil && v.State != c.want {
			t.Errorf("%s: %v, %v; want %q", name, v, err, c.want)
		}
	}
}

// wordTask returns a task of a run that has done the given steps.
func wordTask(done ...string) *executor.Task {
	const addr = "migration.backbone_to_cloud.m"
	t := &executor.Task{Step: planner.Step{Addr: addr}}
	for _, op := range done {
		t.Remember(op, executor.Past{Done: true})
	}
	return t
}

// TestIsStopped checks that a person's word only counts if the status cannot be read, and only for what was asked.
func TestIsStopped(t *testing.T) {
	t.Parallel()
	said := wordTask("still_stopped_master")
	for _, c := range []struct {
		status string
		word   string
		want   executor.State
	}{
		{"STOPPED", "still_stopped_slave", executor.Done}, {"RUNNING", "still_stopped_master", executor.NotDone},
		{"", "still_stopped_master", executor.Done}, {"", "still_stopped_slave", executor.Unknown},
		{"", "stop_by_hand_master", executor.Unknown},
	} {
		if got := isStopped(said, health{Status: c.status}, c.word); got != c.want {
			t.Errorf("status %q, asked for %s: %s, want %s", c.status, c.word, got, c.want)
		}
	}
}

// TestAsConfirmed checks that a part of the configuration that cannot be read counts as declared only if a person has
// confirmed that part.
func TestAsConfirmed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		said, blind string
		want        executor.State // "": refused
	}{
		{"comments field", "field", executor.Done}, {"comments", "comments field", ""}, {"", "comments", ""},
	} {
		task := wordTask()
		task.Remember(opConfigure, executor.Past{Outputs: map[string]string{wordOutput: c.said}})
		v, err := asConfirmed(task, executor.Verdict{State: executor.Unknown,
			Outputs: map[string]string{wordOutput: c.blind}})
		if (err != nil) != (c.want == "") || err == nil && v.State != c.want {
			t.Errorf("said %q, blind %q: %v, %v; want %q", c.said, c.blind, v, err, c.want)
		}
	}
	if v, err := asConfirmed(wordTask(), executor.Done.Because("read")); err != nil || v.State != executor.Done {
		t.Errorf("what was read: %v, %v", v, err)
	}
}

// TestUnknownIsRefusedWithoutAWord checks that preflight refuses what cannot be read and nobody has confirmed.
func TestUnknownIsRefusedWithoutAWord(t *testing.T) {
	t.Parallel()
	server, diags := declare.Decode[serverBlock](&schema.Resource{Value: cty.EmptyObjectVal})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	h := &live{syncSeen: &syncSeen{integration: integration{Key: "INT-4"}}, end: &end{name: master,
		server: server}}
	s := &standing{halves: map[string]*live{master: h}}
	h.health = health{Status: "RUNNING"} // neither issues in error nor conflicts are known
	for name, c := range map[string]struct {
		said    func(string) bool
		refused bool
	}{
		"when planning":  {nil, false},
		"nobody said it": {func(string) bool { return false }, true},
		"somebody did":   {func(op string) bool { return op == "no_errors_master" }, false},
	} {
		findings := s.unknownFindings(master, c.said)
		if len(findings) != 2 {
			t.Fatalf("%s: %+v", name, findings)
		}
		for _, f := range findings {
			if refused := f.Severity == planner.Refuse; refused != c.refused {
				t.Errorf("%s: %s refused: %v", name, f.Rule, refused)
			}
		}
	}
}
