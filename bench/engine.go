package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// inside holds the work of this program that has a process of its own: as an entrant in its own races, where it is
// measured like any other, and making what takes much memory.
var inside = map[string]func(ctx context.Context, args []string) error{"carry": carry, "loop": loop, "runs": makeRuns,
	"library": library}

// atOnce is how many steps are carried out at the same time, and how many requests the plain loop has in progress.
const atOnce = 10

// answering serves requests that change or show something, each answered after a pause.
func answering(pause time.Duration) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(pause)
		_, _ = io.WriteString(w, `{"status":"RUNNING"}`) // the client may be gone
	}))
}

// requester sends requests over persistent connections.
type requester struct {
	url    string
	client *http.Client
}

func newRequester(url string) requester {
	return requester{url, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}}
}

func (r requester) send(ctx context.Context, method string) error {
	req, err := http.NewRequestWithContext(ctx, method, r.url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// loop sends the requests of n steps, ten at a time, and does nothing else. Its arguments are URL N.
func loop(ctx context.Context, args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	r := newRequester(args[0])
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for range n {
		g.Go(func() error {
			return errors.Join(r.send(ctx, http.MethodPost), r.send(ctx, http.MethodGet))
		})
	}
	return g.Wait()
}

// carry carries out a plan of n steps whose driver sends the same requests as loop. Its arguments are URL N SHAPE DIR.
// The journal is in DIR.
func carry(ctx context.Context, args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	shape, dir := args[2], args[3]
	cfg, err := migrations(ctx, dir, n)
	if err != nil {
		return err
	}
	fsys := afero.NewOsFs()
	j, err := journal.Open(fsys, filepath.Join(dir, "journal"), journal.Options{Now: time.Now})
	if err != nil {
		return err
	}
	driver := sending{newRequester(args[0])}
	rep, err := executor.Carry(ctx, executor.Options{Plan: steps(n, shape), Config: cfg, Journal: j, Clock: clock{},
		Parallelism: atOnce, Drivers: func(schema.Addr) executor.Driver { return driver }})
	if err == nil && !rep.Finished {
		err = fmt.Errorf("only %d of %d steps are done", rep.Count(executor.PhaseDone), n)
	}
	return errors.Join(err, j.Close(), os.Remove(filepath.Join(dir, "journal")))
}

// migrations returns a configuration, written to a folder, whose plan has n steps.
func migrations(ctx context.Context, dir string, n int) (*schema.Config, error) {
	err := write(filepath.Join(dir, "main.sync.hcl"), func(w *bufio.Writer) {
		for i := 0; i < n; i += stepsEach {
			fmt.Fprintln(w, "migration \"bench\" \"m"+strconv.Itoa(i/stepsEach)+"\" {}")
		}
	})
	if err != nil {
		return nil, err
	}
	cfg, diags := schema.Load(ctx, schema.Options{Fs: afero.NewOsFs(), Dir: dir,
		Catalog: schema.Catalog{{Kind: schema.Migration, Name: "bench"}}})
	if diags.HasErrors() {
		return nil, diags
	}
	return cfg, nil
}

// stepsEach is the number of steps per declaration.
const stepsEach = 4

// steps returns a plan of n steps, either in a chain or independent.
func steps(n int, shape string) *planner.Plan {
	p := &planner.Plan{Steps: make([]planner.Step, 0, n)}
	for i := range n {
		s := planner.Step{Addr: fmt.Sprintf("migration.bench.m%d", i/stepsEach), Op: fmt.Sprint("s", i%stepsEach),
			Repeat: planner.Idempotent}
		s.ID = planner.StepID(s.Addr, s.Op)
		if shape == "chain" && i > 0 {
			s.Needs = []string{p.Steps[i-1].ID}
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// sending is a driver: each step is one request, and another one to verify it.
type sending struct{ requester }

func (sending) Facts(context.Context, *schema.Resource, []string) (map[string]string, error) {
	return nil, nil
}

func (s sending) Execute(ctx context.Context, _ *executor.Task) (executor.Result, error) {
	return executor.Result{}, s.send(ctx, http.MethodPost)
}

func (s sending) Verify(ctx context.Context, _ *executor.Task) (executor.Verdict, error) {
	return executor.Verdict{State: executor.Done}, s.send(ctx, http.MethodGet)
}

type clock struct{}

func (clock) Now() time.Time                         { return time.Now() }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }
