package teamworkcloud_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// site is a served world with a folder whose configuration changes, and the runs made there.
type site struct {
	t     *testing.T
	dir   string
	box   *sandbox.Sandbox
	env   map[string]string
	store *executor.Store
	log   *accessLog

	clock  executor.Clock
	during func(executor.Event) // is called with all events of a run; may be nil

	text func(hcl string) string        // the whole configuration
	make func(driver.Env) driver.Driver // the driver

	ticks  chan time.Time // nil: time passes by itself; else only when a person has done something
	passed *atomic.Int64  // with ticks: how far the time is ahead of the real one, in nanoseconds
	atOnce int            // steps at a time; 0: as many as usual
}

func (w *world) open(t *testing.T) *site {
	t.Helper()
	return openCase(t, w.kase(t))
}

func openCase(t *testing.T, c drivertest.Case) *site {
	t.Helper()
	return openTicking(t, c, nil)
}

// openStill is a site in which steps are executed one after the other, and time passes only for what a person causes,
// which takes effect at once. So the requests to its servers are always the same.
func openStill(t *testing.T, c drivertest.Case) *site {
	t.Helper()
	s := openTicking(t, c, make(chan time.Time))
	s.atOnce = 1
	return s
}

func openTicking(t *testing.T, c drivertest.Case, ticks chan time.Time) *site {
	t.Helper()
	s := &site{t: t, dir: c.Dir, make: teamworkcloud.New, log: &accessLog{}, clock: clock{}, ticks: ticks,
		passed: new(atomic.Int64)}
	box, err := sandbox.Start(t.Context(), sandbox.Options{Seed: c.Seed, AccessLog: s.log, Now: s.now, Ticks: ticks,
		Products: map[string]sandbox.Open{twc().Product: twc().Simulator}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.WriteCA(afero.NewOsFs(), filepath.Join(c.Dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	s.box, s.env = box, box.Environment()
	s.text = func(hcl string) string { return servers + with(hcl) }
	s.store = &executor.Store{Fs: afero.NewOsFs(), Dir: filepath.Join(c.Dir, "runs"), Now: time.Now}
	return s
}

// load writes the configuration and reads it as a new process would.
func (s *site) load(hcl string) (*schema.Config, driver.Driver) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "main.sync.hcl"), []byte(s.text(hcl)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	d := s.make(driver.Env{Fs: afero.NewOsFs(), Log: hclog.NewNullLogger(), Version: "test", Now: time.Now})
	cfg, diags := schema.Load(s.t.Context(), schema.Options{
		Fs: afero.NewOsFs(), Dir: s.dir, Catalog: d.Types(), Env: func(name string) (string, bool) {
			v,
				ok := s.env[name]
			return v, ok
		},
	})
	if diags.HasErrors() {
		s.t.Fatal(diags)
	}
	return cfg, d
}

// pass lets time pass, if it does not pass by itself: long enough for a copy to arrive and a server to start.
func (s *site) pass() {
	for range 3 { // effects of the last one may still be under way
		if s.ticks != nil {
			s.passed.Add(int64(time.Second))
			s.ticks <- s.now()
		}
	}
}

// now is the time of the servers.
func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.passed.Load())) }

func (s *site) close(d driver.Driver) {
	s.t.Helper()
	if err := d.(driver.Closer).Close(context.WithoutCancel(s.t.Context())); err != nil {
		s.t.Error(err)
	}
}

func (s *site) plan(hcl string) *planner.Plan {
	s.t.Helper()
	cfg, d := s.load(hcl)
	defer s.close(d)
	earlier, err := s.store.Earlier("")
	if err != nil {
		s.t.Fatal(err)
	}
	p, diags := planner.Make(s.t.Context(), planner.Input{Config: cfg,
		Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test", Confirmed: earlier.Confirmed})
	if diags.HasErrors() {
		s.t.Fatal(diags)
	}
	for _, x := range drivertest.Unexplained(p, rulesOf(d)) {
		s.t.Error(x)
	}
	return p
}

// apply plans, applies, and returns the plan. The run must succeed and leave nothing to do.
func (s *site) apply(hcl string) *planner.Plan {
	s.t.Helper()
	p := s.plan(hcl)
	if r := p.Refusals(); len(r) > 0 {
		s.t.Fatalf("refused: %+v", r)
	}
	if rep := s.carry(p, hcl); !rep.Finished {
		for i := range rep.Steps {
			s.t.Logf("%s %s: %s", rep.Steps[i].Step.ID, rep.Steps[i].Phase, rep.Steps[i].Why)
		}
		s.t.Fatal("not finished")
	}
	if again := s.plan(hcl); len(again.Steps)+len(again.Refusals()) > 0 {
		s.t.Fatalf("the second plan is not empty: %s %+v", ops(again), again.Findings)
	}
	return p
}

func (s *site) carry(p *planner.Plan, hcl string) *executor.Report {
	s.t.Helper()
	cfg, d := s.load(hcl)
	defer s.close(d)
	r, err := s.store.Create(p, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := s.store.Journal(r, journal.Options{Now: time.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	rep, err := executor.Carry(s.t.Context(), executor.Options{
		Plan: p, Config: cfg, Drivers: func(schema.Addr) executor.Driver { return d }, Files: s.store.Files(r), Journal: j,
		Operator: s, Clock: s.clock, Parallelism: s.atOnce,
		Poll:    executor.Poll{First: 20 * time.Millisecond, Most: 100 * time.Millisecond},
		Observe: s.during,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		s.t.Fatal(err)
	}
	return rep
}

type clock struct{}

func (clock) Now() time.Time                         { return time.Now() }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Perform is the person.
func (s *site) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	if ask.Attempt > 0 {
		return executor.Deferred, nil // done, but not seen
	}
	values := map[string]string{}
	for _, v := range ask.Step.Manual.Values {
		values[v.Name] = v.Value
	}
	_, err := s.box.Person(ctx, ask.Step.Manual.Action, values)
	s.pass()
	return executor.Performed, err
}

// person does what people do meanwhile: name, value, name, value. It may be called from any goroutine.
func (s *site) person(action string, values ...string) {
	s.t.Helper()
	m := map[string]string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	if _, err := s.box.Person(s.t.Context(), action, m); err != nil {
		s.t.Error(err)
	}
}
