package drivertest

import (
	"bytes"
	"cmp"
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
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// forever is the Last of a fault that never ends.
const forever = math.MaxInt

// world is a case with its own new simulated servers.
type world struct {
	t      *testing.T
	bench  Bench
	dir    string
	box    *sandbox.Sandbox
	log    *lines
	told   *lines // what the drivers log, at level trace
	env    map[string]string
	store  *executor.Store
	time   *Time
	watch  func(journal.Stage, journal.Entry) // of the runs' journals; may be nil
	within planner.Duration                   // maximum duration of a step's verification; 0: what the plan says
	close  func()

	parallelism int // maximum number of concurrent steps; 0: the default

	faulty   bool            // faults were requested, or something is hidden
	drivers  []driver.Closer // those that may still hold something on the servers
	redactor *redact.Set     // of the configuration; nil before it is loaded
}

// lines keeps an access log or a driver's log. Servers may write while a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

func open(t *testing.T, b Bench, c Case) *world { return openWith(t, b, c) }

func openWith(t *testing.T, b Bench, c Case, faults ...sandbox.Fault) *world {
	t.Helper()
	return openBox(t, b, c, sandbox.Options{Faults: faults})
}

// openBox starts new servers. o says what is disturbed and recorded.
func openBox(t *testing.T, b Bench, c Case, o sandbox.Options) *world {
	t.Helper()
	log, clock := &lines{}, NewTime()
	t.Cleanup(clock.Stop)
	w := &world{t: t, bench: b, dir: c.Dir, log: log, told: &lines{}, time: clock, faulty: len(o.Faults)+len(o.Hide) > 0}
	o.Seed, o.Products, o.AccessLog = c.Seed, map[string]sandbox.Open{b.Product: b.Simulator}, log
	o.Now, o.Ticks = clock.Now, clock.Ticks()
	box, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.box = box
	w.close = sync.OnceFunc(func() {
		w.abandon()
		clock.Stop()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
		w.clean("the log", string(w.told.bytes()))
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

// load loads the configuration and makes a driver, as a new process would.
func (w *world) load() (*schema.Config, driver.Driver) {
	w.t.Helper()
	env := func(name string) (string, bool) { v, ok := w.env[name]; return v, ok }
	log := hclog.New(&hclog.LoggerOptions{Output: w.told, Level: hclog.Trace})
	d := w.bench.New(driver.Env{Fs: afero.NewOsFs(), Log: log, Version: "test", Now: time.Now, Sleep: NoSleep,
		LookupEnv: env})
	if c, ok := d.(driver.Closer); ok {
		w.drivers = append(w.drivers, c)
	}
	cfg, diags := schema.Load(w.t.Context(),
		schema.Options{Fs: afero.NewOsFs(), Dir: w.dir, Catalog: d.Types(), Env: env})
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	if !slices.ContainsFunc(cfg.Resources, func(r *schema.Resource) bool { return schema.IsSensitive(r.Value) }) {
		w.t.Fatal("the case has no secret: nothing could leak")
	}
	w.redactor = cfg.Redactor()
	return cfg, d
}

// release closes a driver, as the program does at the end of every command. The driver gives back what it holds on
// the servers.
func (w *world) release(d driver.Driver) {
	w.t.Helper()
	c, ok := d.(driver.Closer)
	if !ok {
		return
	}
	w.drivers = slices.DeleteFunc(w.drivers, func(other driver.Closer) bool { return other == c })
	err := c.Close(context.WithoutCancel(w.t.Context()))
	if err == nil {
		return
	}
	w.clean("the error of closing", err.Error())
	if !w.faulty {
		w.t.Errorf("closing the driver: %v", err)
	}
}

// abandon closes the drivers of processes that were killed. Their sessions were still open.
func (w *world) abandon() {
	for _, c := range w.drivers {
		_ = c.Close(context.WithoutCancel(w.t.Context())) // those processes had no chance to
	}
	w.drivers = nil
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
	p, diags := w.tryPlan(nil)
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	return p
}

// tryPlan plans as a new process would, from earlier observations (nil: none) and what it observes itself.
func (w *world) tryPlan(seen *planner.Observations) (*planner.Plan, hcl.Diagnostics) {
	w.t.Helper()
	cfg, d := w.load()
	defer w.release(d)
	earlier, err := w.store.Earlier("")
	if err != nil {
		w.t.Fatal(err)
	}
	return planner.Make(w.t.Context(), planner.Input{
		Config: cfg, Drivers: func(schema.Addr) planner.Driver { return comparing{d, w.t} }, Version: "test",
		Observations: seen, Retired: earlier.Retired, Confirmed: earlier.Confirmed, Abandoned: earlier.Abandoned,
	})
}

// comparing checks what a driver has compared by itself.
type comparing struct {
	planner.Driver
	t *testing.T
}

func (c comparing) Plan(ch planner.Change) (planner.Outline, hcl.Diagnostics) {
	out, diags := c.Driver.Plan(ch)
	if out.Compared {
		if want := planner.Compare(ch.Resource.Value, out.Actual); !slices.Equal(out.Diff, want) {
			c.t.Errorf("%s: the driver finds the differences %v, Compare finds %v", ch.Resource.Addr, out.Diff, want)
		}
	}
	return out, diags
}

// task returns a task for a step outside of any run.
func (w *world) task(cfg *schema.Config, s *planner.Step) *executor.Task {
	w.t.Helper()
	return &executor.Task{
		Step: *s, Resource: lookup(w.t, cfg, s.Addr), Files: executor.NewFiles(afero.NewOsFs(), w.t.TempDir()),
		Log: hclog.NewNullLogger(),
	}
}

// verifyAll verifies every step twice: as one that is not executed yet, and as one that was executed.
func (w *world) verifyAll(p *planner.Plan) {
	w.t.Helper()
	cfg, d := w.load()
	defer w.release(d)
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
			if !slices.Contains([]executor.State{executor.Unknown, executor.NotDone, executor.Partial, executor.Done},
				v.State) {
				w.t.Errorf("%s: unknown verdict %q", s.ID, v.State)
			}
			if v.State != executor.Done && v.Why == "" {
				w.t.Errorf("%s: the verdict is %s and does not say why", s.ID, v.State)
			}
			w.clean("the verdict on "+s.ID, v.Why+jsonText(w.t, v.Outputs))
		}
	}
}

// clean checks that text has none of the configuration's secrets, in any form that they may take.
func (w *world) clean(where, text string) {
	w.t.Helper()
	if shown := w.redactor.String(text); shown != text {
		w.t.Errorf("a secret shows in %s: %s", where, shown)
	}
}

// requests returns the requests that have ended. It has all of them once the world is closed.
func (w *world) requests() []sandbox.AccessLine {
	w.t.Helper()
	var out []sandbox.AccessLine
	dec := json.NewDecoder(bytes.NewReader(w.log.bytes()))
	for dec.More() {
		var l sandbox.AccessLine
		if err := dec.Decode(&l); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// changing reports whether a request is of a kind that changes something.
func (w *world) changing(l sandbox.AccessLine) bool {
	return !l.Reading && (w.bench.Reads == nil || !w.bench.Reads(l))
}

// request returns the key by which a line of the access log is counted.
func request(l sandbox.AccessLine) string { return l.Server + " " + l.Method + " " + PathOf(l) }

// byChance matches the parts of file names that differ between two runs: those of random temporary names, and the
// times of backups.
var byChance = regexp.MustCompile(`\.syncctl-[0-9a-f]{16}|\.[0-9]{8}T[0-9]{6}Z(-[0-9]+)?\.bak`)

// PathOf returns the path of a line without the parts that differ between two equal runs.
func PathOf(l sandbox.AccessLine) string { return byChance.ReplaceAllString(l.Path, ".*") }

// changes counts the requests, commands and file accesses that changed something.
func (w *world) changes() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, l := range w.requests() {
		if w.changing(l) && l.OK {
			out[request(l)]++
		}
	}
	return out
}

// times matches what differs between two runs that end in the same state: seconds and milliseconds since 1970, dates
// and times in RFC 3339, as digits only (20180713082509555), and as the command date prints them (Mon Aug 08 13:00:13
// ICT 2016).
var times = regexp.MustCompile(`"?\b(?:1[0-9]{9}|1[0-9]{12})\b"?|"20[0-9]{2}-[01][0-9]-[^"]*"|` +
	`"20[0-9]{12,15}"|\b20[0-9]{12,15}\b|` +
	`"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]?[0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [A-Za-z0-9:+-]+ 20[0-9]{2}"`)

// WithoutTimes returns a state of the sandbox without what differs between two runs that end in the same state.
func WithoutTimes(state []byte) string { return times.ReplaceAllString(string(state), `"TIME"`) }

// rest returns the state of all servers when nothing is in progress any more.
func (w *world) rest() []byte {
	w.t.Helper()
	w.time.Rest()
	b, err := w.box.State()
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// state returns the same without times.
func (w *world) state() string {
	w.t.Helper()
	return WithoutTimes(w.rest())
}

// Perform does a step as a person, with the simulator's Person.
func (w *world) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	values := map[string]string{}
	for _, v := range ask.Step.Manual.Values {
		values[v.Name] = v.Value
	}
	maps.Copy(values, ask.Files)
	if _, err := w.box.Person(ctx, ask.Step.Manual.Action, values); err != nil {
		return executor.Reply{}, err
	}
	return executor.Performed, nil
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// carry starts or resumes a run as a new process would. If ctx ends, it behaves like a killed process, and does not
// close the driver. Nothing is redacted, so that secrets that a driver leaks are seen.
func (w *world) carry(ctx context.Context, r *executor.Run,
	disturb func(executor.Driver, executor.Operator) (executor.Driver, executor.Operator)) *executor.Report {
	w.t.Helper()
	cfg, d := w.load()
	var drive executor.Driver = d
	var person executor.Operator = w
	if disturb != nil {
		drive, person = disturb(drive, person)
	}
	at := w.parallelism
	if slices.ContainsFunc(r.Plan.Steps, func(s planner.Step) bool { return s.Addr != r.Plan.Steps[0].Addr }) {
		at = 1 // declarations run in any order, and so the IDs of new things would differ between two runs
	}
	j, err := w.store.Journal(r, journal.Options{Now: time.Now, Watch: w.watch})
	if err != nil {
		w.t.Fatal(err)
	}
	rep, err := executor.Carry(ctx, executor.Options{
		Run: r.ID, Plan: w.hurried(r.Plan), Config: cfg, Drivers: func(schema.Addr) executor.Driver { return drive },
		Files: w.store.Files(r), Journal: j, Operator: person, Clock: systemClock{}, Log: named(), Parallelism: at,
		Poll: executor.Poll{First: 10 * time.Millisecond, Most: 100 * time.Millisecond},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		w.t.Fatal(err)
	}
	if ctx.Err() == nil {
		w.release(d)
	}
	return rep
}

// hurried returns the plan with steps whose verification takes no longer than the world allows.
func (w *world) hurried(p *planner.Plan) *planner.Plan {
	if w.within == 0 {
		return p
	}
	out := *p
	out.Steps = slices.Clone(p.Steps)
	for i := range out.Steps {
		out.Steps[i].Within = min(cmp.Or(out.Steps[i].Within, w.within), w.within)
	}
	return &out
}

// cleanFolder checks that no file of a run contains a secret.
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

// unfinished describes the steps of a run that are not done, and why.
func unfinished(rep *executor.Report) string {
	var b strings.Builder
	for i := range rep.Steps {
		if s := &rep.Steps[i]; s.Phase != executor.PhaseDone {
			b.WriteString("\n" + s.Step.ID + " " + string(s.Phase) + ": " + s.Why)
		}
	}
	return b.String()
}
