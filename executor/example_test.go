package executor_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// lamp is a driver of one lamp. Its first answer is lost.
type lamp struct {
	on   bool
	sent int
}

func (l *lamp) Facts(context.Context, *schema.Resource, []string) (map[string]string, error) {
	return nil, nil
}

func (l *lamp) Execute(context.Context, *executor.Task) (executor.Result, error) {
	l.sent++
	l.on = true
	return executor.Result{}, fmt.Errorf("connection reset")
}

func (l *lamp) Verify(context.Context, *executor.Task) (executor.Verdict, error) {
	if !l.on {
		return executor.Verdict{State: executor.NotDone, Why: "it is off"}, nil
	}
	return executor.Verdict{State: executor.Done, Why: "it is on"}, nil
}

type clock struct{}

func (clock) Now() time.Time                         { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Carry carries a plan out. Everything is in the journal before it happens, and what counts is what the server shows:
// a lost answer is not a failure, nor a reason to send a request twice.
func ExampleCarry() {
	fs := afero.NewMemMapFs()
	_ = afero.WriteFile(fs, "conf/main.sync.hcl", []byte(`server "lamp" "desk" {}`), 0o600)
	cfg, diags := schema.Load(context.Background(), schema.Options{
		Fs: fs, Dir: "conf", Catalog: schema.Catalog{{Kind: schema.Server, Name: "lamp"}},
	})
	if diags.HasErrors() {
		fmt.Println(diags)
		return
	}
	step := planner.Act("switch", planner.MarkChange, planner.Once, "switch the lamp on")
	step.Addr, step.ID = "server.lamp.desk", planner.StepID("server.lamp.desk", "switch")
	j, err := journal.Open(fs, "journal.jsonl", journal.Options{Now: clock{}.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	desk := &lamp{}
	rep, err := executor.Carry(context.Background(), executor.Options{
		Plan: &planner.Plan{Steps: []planner.Step{step}}, Config: cfg, Journal: j, Clock: clock{},
		Drivers: func(schema.Addr) executor.Driver { return desk },
	})
	fmt.Println(rep.Finished, err, desk.sent)
	for _, e := range j.Entries() {
		fmt.Println(strings.TrimSuffix(e.Key+" "+e.Event+": "+e.Data["note"], ": "))
	}
	// Output:
	// true <nil> 1
	// run opened
	// server.lamp.desk/switch started
	// server.lamp.desk/switch done: the answer was lost, but the server shows that the step was carried out: it is on
	// run finished
}
