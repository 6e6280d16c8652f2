package backbone_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// bench is an example folder with its simulated servers.
type bench struct {
	t     *testing.T
	dir   string
	box   *sandbox.Sandbox
	env   map[string]string
	ca    []byte
	store *executor.Store
	seen  func(executor.Event)
	log   syncBuffer // all that is logged, at level trace

	atOnce int                                   // maximum number of concurrent steps; 0: the default
	wrap   func(executor.Driver) executor.Driver // wraps the driver of a run; may be nil
}

func newBench(t *testing.T, example string, more ...any) *bench {
	t.Helper()
	dir := filepath.Join("..", "..", "examples", example)
	seed, err := os.ReadFile(filepath.Join(dir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	return newBenchOf(t, dir, seed, more...)
}

// benchLog is the destination of a bench's access log.
type benchLog struct{ io.Writer }

// syncBuffer is a buffer that a server writes while a test reads it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// newBenchOf takes faults as strings and an access log as benchLog.
func newBenchOf(t *testing.T, dir string, seed []byte, more ...any) *bench {
	t.Helper()
	o := sandbox.Options{Seed: seed, Products: map[string]sandbox.Open{
		"backbone": func(seed []byte) (sandbox.World, error) { return backbonesim.Open(seed) },
	}}
	for _, m := range more {
		switch m := m.(type) {
		case benchLog:
			o.AccessLog = m
			continue
		case sandbox.Hidden:
			o.Hide = append(o.Hide, m)
			continue
		}
		fault, err := sandbox.ParseFault(m.(string))
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, fault)
	}
	box, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	tmp := t.TempDir()
	ca := filepath.Join(tmp, "ca.pem")
	if err := box.WriteCA(afero.NewOsFs(), ca); err != nil {
		t.Fatal(err)
	}
	env := box.Environment()
	env["SYNCCTL_SANDBOX_CA_FILE"] = ca
	return &bench{t: t, dir: dir, box: box, env: env, ca: box.CA(), store: &executor.Store{Fs: afero.NewOsFs(),
		Dir: filepath.Join(tmp, "runs"), Now: time.Now}}
}

func (b *bench) load() (*schema.Config, driver.Driver) {
	b.t.Helper()
	log := hclog.New(&hclog.LoggerOptions{Output: &b.log, Level: hclog.Trace})
	d := backbone.New(driver.Env{Fs: afero.NewOsFs(), Log: log, Version: "test", Now: time.Now,
		Sleep: drivertest.NoSleep})
	cfg, diags := schema.Load(b.t.Context(), schema.Options{
		Fs: afero.NewOsFs(), Dir: b.dir, Catalog: d.Types(),
		Env: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok },
	})
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	return cfg, d
}

func (b *bench) plan() *planner.Plan {
	b.t.Helper()
	p, diags := b.tryPlan()
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	return p
}

// planPatiently plans again if a request of the first try failed permanently.
func (b *bench) planPatiently() *planner.Plan {
	b.t.Helper()
	if p, diags := b.tryPlan(); !diags.HasErrors() {
		return p
	}
	return b.plan()
}

func (b *bench) tryPlan() (*planner.Plan, hcl.Diagnostics) {
	b.t.Helper()
	return b.planWith(b.earlier().Retired)
}

// earlier returns what matters of earlier runs.
func (b *bench) earlier() *executor.Earlier {
	b.t.Helper()
	earlier, err := b.store.Earlier("")
	if err != nil {
		b.t.Fatal(err)
	}
	return earlier
}

func (b *bench) planWith(retired map[string]string) (*planner.Plan, hcl.Diagnostics) {
	b.t.Helper()
	cfg, d := b.load()
	p, diags := planner.Make(b.t.Context(), planner.Input{Config: cfg, Abandoned: b.earlier().Abandoned,
		Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test", Retired: retired})
	if !diags.HasErrors() {
		for _, x := range drivertest.Unexplained(p, d.Rules()) {
			b.t.Error(x)
		}
	}
	return p, diags
}

// inFlight reports whether messages are in flight now, without regard to the runs on disk.
func (b *bench) inFlight() bool {
	b.t.Helper()
	p, diags := b.planWith(nil)
	if diags.HasErrors() {
		b.t.Error(diags)
		return false
	}
	return slices.ContainsFunc(p.Findings, func(f planner.Finding) bool { return f.Rule == "backbone/in-flight" })
}

// Perform does a step as a person, with the sandbox's Person.
func (b *bench) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	values := map[string]string{}
	for _, v := range ask.Step.Manual.Values {
		values[v.Name] = v.Value
	}
	maps.Copy(values, ask.Files)
	said, err := b.box.Person(ctx, ask.Step.Manual.Action, values)
	if err != nil {
		return executor.Reply{}, err
	}
	b.t.Logf("person: %s", said)
	return executor.Performed, nil
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func (b *bench) apply(p *planner.Plan) *executor.Report {
	b.t.Helper()
	r, err := b.store.Create(p, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.carry(r)
}

// onlyDriver returns a lookup that always finds d.
func onlyDriver(d driver.Driver) func(schema.Addr) executor.Driver {
	return func(schema.Addr) executor.Driver { return d }
}

// request sends a request that syncctl itself never sends to a server's Backbone REST interface, as its
// administrator.
func (b *bench) request(method, server, path string) error {
	_, err := b.exchange(method, server, path)
	return err
}

func (b *bench) fetch(server, path string) (string, error) { return b.exchange("GET", server, path) }

func (b *bench) exchange(method, server, path string) (string, error) {
	return b.send(method, server, "/plugins/servlet/backbone-issue-sync/api/1"+path, "")
}

// jira sends a request to Jira's own REST interface.
func (b *bench) jira(method, server, path, body string) error {
	_, err := b.send(method, server, "/rest/api/2"+path, body)
	return err
}

func (b *bench) send(method, server, path, body string) (string, error) {
	name := strings.ToUpper(server)
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.env["JIRA_"+name+"_URL"]+path,
		strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.SetBasicAuth(b.env["JIRA_"+name+"_USER"], b.env["SYNCCTL_VAR_jira_"+server+"_password"])
	req.Header.Set("X-Atlassian-Token", "nocheck")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return "", fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

func (b *bench) carry(r *executor.Run) *executor.Report {
	b.t.Helper()
	cfg, d := b.load()
	j, err := b.store.Journal(r, journal.Options{Now: time.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	defer j.Close()
	drivers := onlyDriver(d)
	if b.wrap != nil {
		drivers = func(schema.Addr) executor.Driver { return b.wrap(d) }
	}
	if b.seen != nil && b.atOnce == 0 {
		b.atOnce = 1 // otherwise a step may begin before seen, called at the end of the one before, returns
	}
	rep, err := executor.Carry(b.t.Context(), executor.Options{
		Run: r.ID, Plan: r.Plan, Config: cfg, Drivers: drivers, Parallelism: b.atOnce,
		Files: b.store.Files(r), Journal: j, Operator: b, Clock: realClock{},
		Redact: cfg.Redactor().String,
		Observe: func(e executor.Event) {
			if b.seen != nil {
				b.seen(e)
			}
			if e.Step != nil && e.Name != executor.EventProgress {
				b.t.Logf("%s %s %s", e.Name, e.Step.Op, e.Message)
			}
		},
		Poll: executor.Poll{First: 10 * time.Millisecond, Most: 200 * time.Millisecond},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return rep
}

func unfinished(rep *executor.Report) string {
	var b strings.Builder
	for _, s := range rep.Steps {
		if s.Phase != executor.PhaseDone {
			b.WriteString(s.Step.Op + " " + string(s.Phase) + ": " + s.Why + "\n")
		}
	}
	return b.String()
}

func text(t *testing.T, p *planner.Plan) string {
	t.Helper()
	var w bytes.Buffer
	if err := p.Encode(&w); err != nil {
		t.Fatal(err)
	}
	return w.String()
}

func TestMigrates(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"behind-firewall-master", "behind-firewall-slave"} {
		t.Run(example, func(t *testing.T) {
			b := newBench(t, example)
			p := b.plan()
			if again := b.plan(); text(t, p) != text(t, again) {
				t.Fatal("two plans of one world differ")
			}
			if n := p.Tally(); n.Add != 1 || n.Destroy != 2 || n.Irreversible != 2 || len(p.Refusals()) != 0 {
				t.Fatalf("%+v\n%s", n, text(t, p))
			}
			rep := b.apply(p)
			if !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if p := b.plan(); len(p.Steps) != 0 || len(p.Refusals()) != 0 {
				t.Fatalf("the second plan is not empty: %s", text(t, p))
			}
		})
	}
}

func TestRefusesWhatIsInError(t *testing.T) {
	t.Parallel()
	p := newBench(t, "email-in-error").plan()
	var rules []string
	for _, f := range p.Refusals() {
		rules = append(rules, f.Rule)
		if f.Rule == "backbone/issues-in-error" && !strings.Contains(f.Detail, "SP2-") {
			t.Errorf("it does not say which issue: %+v", f)
		}
	}
	if strings.Join(rules, " ") != "backbone/issues-in-error" {
		t.Fatalf("refused by %v: %s", rules, text(t, p))
	}
}
