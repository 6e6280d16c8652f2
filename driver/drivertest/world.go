package drivertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// forever is the last request that a fault applies to.
const forever = math.MaxInt

// world is a case with its simulated servers, fresh.
type world struct {
	t     *testing.T
	bench Bench
	dir   string
	box   *sandbox.Sandbox
	log   *lines
	env   map[string]string
	store *executor.Store
	pump  *pump
	close func()
}

// pump is the simulated servers' time: real, until it is told to leap.
type pump struct {
	ticks   chan time.Time
	leaping atomic.Bool
	stop    chan struct{}
	stopped sync.WaitGroup
}

// leap is longer than anything that a simulated server has under way takes.
const leap = time.Hour

func newPump() *pump {
	p := &pump{ticks: make(chan time.Time), stop: make(chan struct{})}
	p.stopped.Go(func() {
		every := time.NewTicker(10 * time.Millisecond)
		defer every.Stop()
		for {
			select {
			case <-p.stop:
				return
			case now := <-every.C:
				select {
				case p.ticks <- now:
				case <-p.stop:
				}
			}
		}
	})
	return p
}

func (p *pump) now() time.Time {
	if p.leaping.Load() {
		return time.Now().Add(leap)
	}
	return time.Now()
}

// settle lets the servers finish what they have under way, so that two worlds can be compared.
func (w *world) settle() {
	w.pump.leaping.Store(true)
	for range 50 {
		w.pump.ticks <- time.Now()
	}
}

// lines keeps an access log. A server writes while a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func open(t *testing.T, b Bench, c Case) *world { return openWith(t, b, c) }

func openWith(t *testing.T, b Bench, c Case, faults ...sandbox.Fault) *world {
	t.Helper()
	log, p := &lines{}, newPump()
	w := &world{t: t, bench: b, dir: c.Dir, log: log, pump: p}
	endPump := sync.OnceFunc(func() { close(p.stop); p.stopped.Wait() })
	t.Cleanup(endPump)
	box, err := sandbox.Start(t.Context(), sandbox.Options{
		Seed: c.Seed, Products: map[string]sandbox.Open{b.Product: b.Simulator}, Faults: faults, AccessLog: log, Now: p.now, Ticks: p.ticks,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.box = box
	w.close = sync.OnceFunc(func() {
		endPump()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.close)
	tmp := t.TempDir()
	if err := box.WriteCA(afero.NewOsFs(), filepath.Join(tmp, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	w.env = box.Environment()
	w.store = &executor.Store{Fs: afero.NewOsFs(), Dir: filepath.Join(tmp, "runs"), Now: time.Now}
	return w
}

// load reads the configuration and makes a driver, as a new process would.
func (w *world) load() (*schema.Config, driver.Driver) {
	w.t.Helper()
	env := func(name string) (string, bool) { v, ok := w.env[name]; return v, ok }
	d := w.bench.New(driver.Env{Fs: afero.NewOsFs(), Log: hclog.NewNullLogger(), Version: "test", Now: time.Now})
	cfg, diags := schema.Load(w.t.Context(), schema.Options{Fs: afero.NewOsFs(), Dir: w.dir, Catalog: d.Types(), Env: env})
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	if !slices.ContainsFunc(cfg.Resources, func(r *schema.Resource) bool { return schema.IsSensitive(r.Value) }) {
		w.t.Fatal("the case has no secret: nothing could leak")
	}
	return cfg, d
}

func lookup(t *testing.T, cfg *schema.Config, addr string) *schema.Resource {
	t.Helper()
	a, err := schema.ParseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	r := cfg.Lookup(a)
	if r == nil {
		t.Fatalf("%s is not declared", addr)
	}
	return r
}

func (w *world) plan() *planner.Plan {
	w.t.Helper()
	cfg, d := w.load()
	retired, err := w.store.Retired()
	if err != nil {
		w.t.Fatal(err)
	}
	confirmed, err := w.store.Confirmed()
	if err != nil {
		w.t.Fatal(err)
	}
	p, diags := planner.Make(w.t.Context(), planner.Input{
		Config: cfg, Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test", Retired: retired, Confirmed: confirmed,
	})
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	return p
}

// task is a step outside of any run.
func (w *world) task(cfg *schema.Config, s *planner.Step) *executor.Task {
	w.t.Helper()
	return &executor.Task{
		Step: *s, Resource: lookup(w.t, cfg, s.Addr), Files: executor.NewFiles(afero.NewOsFs(), w.t.TempDir()), Log: hclog.NewNullLogger(),
		Outputs: map[string]map[string]string{},
	}
}

// verifyAll verifies every step, once as one that is still to be done and once as one that was carried out.
func (w *world) verifyAll(p *planner.Plan) {
	w.t.Helper()
	cfg, d := w.load()
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, executed := range []bool{false, true} {
			task := w.task(cfg, s)
			task.Executed = executed
			v, err := d.Verify(w.t.Context(), task)
			if err != nil {
				w.clean("the error of verifying "+s.ID, err.Error())
				continue
			}
			if !slices.Contains([]executor.State{executor.Unknown, executor.NotDone, executor.Partial, executor.Done}, v.State) {
				w.t.Errorf("%s: there is no verdict %q", s.ID, v.State)
			}
			if v.State != executor.Done && v.Why == "" {
				w.t.Errorf("%s: the verdict is %s and does not say why", s.ID, v.State)
			}
			w.clean("the verdict on "+s.ID, v.Why+jsonText(w.t, v.Outputs))
		}
	}
}

// clean looks for the configuration's secrets in text, in all forms that they may take.
func (w *world) clean(where, text string) {
	w.t.Helper()
	cfg, _ := w.load()
	if cfg.Redactor().String(text) != text {
		w.t.Errorf("a secret shows in %s: %s", where, cfg.Redactor().String(text))
	}
}

// requests are those that have ended. All of them are there once the world is closed.
func (w *world) requests() []sandbox.AccessLine {
	w.t.Helper()
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	var out []sandbox.AccessLine
	dec := json.NewDecoder(bytes.NewReader(w.log.b.Bytes()))
	for dec.More() {
		var l sandbox.AccessLine
		if err := dec.Decode(&l); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// changes are the requests that were carried out and change something, and how often.
func (w *world) changes() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, l := range w.requests() {
		reads := slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, l.Method) || w.bench.Reads != nil && w.bench.Reads(l)
		if !reads && l.CarriedOut && l.Status < 400 {
			out[l.Server+" "+l.Method+" "+l.Path]++
		}
	}
	return out
}

// times are what differs between two runs that end the same.
var times = regexp.MustCompile(`\b1[0-9]{12}\b|"20[0-9]{2}-[01][0-9]-[^"]*"`)

// state is that of all servers, without times, when nothing is under way any more.
func (w *world) state() string {
	w.t.Helper()
	w.settle()
	b, err := w.box.State()
	if err != nil {
		w.t.Fatal(err)
	}
	return times.ReplaceAllString(string(b), `"TIME"`)
}

// Perform is the person of the simulated world.
func (w *world) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	values := map[string]string{}
	for _, v := range ask.Step.Manual.Values {
		values[v.Name] = v.Value
	}
	maps.Copy(values, ask.Files)
	if _, err := w.box.Person(ctx, ask.Step.Manual.Action, values); err != nil {
		return "", err
	}
	return executor.Performed, nil
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// carry takes a run up as a process of its own would. Nothing is redacted on the way, so what a driver lets slip is seen.
func (w *world) carry(ctx context.Context, r *executor.Run, disturb func(executor.Driver, executor.Operator) (executor.Driver, executor.Operator)) *executor.Report {
	w.t.Helper()
	cfg, d := w.load()
	var drive executor.Driver = d
	var person executor.Operator = w
	if disturb != nil {
		drive, person = disturb(drive, person)
	}
	j, err := w.store.Journal(r, journal.Options{Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	rep, err := executor.Carry(ctx, executor.Options{
		Plan: r.Plan, Config: cfg, Drivers: func(schema.Addr) executor.Driver { return drive },
		Files: w.store.Files(r), Journal: j, Operator: person, Clock: systemClock{},
		Poll: executor.Poll{First: 10 * time.Millisecond, Most: 100 * time.Millisecond},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		w.t.Fatal(err)
	}
	return rep
}

// cleanFolder looks for secrets in every file of a run.
func (w *world) cleanFolder(r *executor.Run) {
	w.t.Helper()
	err := afero.Walk(w.store.Fs, r.Dir, func(path string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		src, err := afero.ReadFile(w.store.Fs, path)
		w.clean(filepath.Base(path), string(src))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func encoded(t *testing.T, p *planner.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unfinished says what is left of a run, and why.
func unfinished(rep *executor.Report) string {
	var b strings.Builder
	for i := range rep.Steps {
		if s := &rep.Steps[i]; s.Phase != executor.PhaseDone {
			b.WriteString("\n" + s.Step.ID + " " + string(s.Phase) + ": " + s.Why)
		}
	}
	return b.String()
}
