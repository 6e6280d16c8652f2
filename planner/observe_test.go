package planner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// yard is a driver whose declarations need observations of the servers north and south.
type yard struct {
	depot
	needs   func(r *schema.Resource, seen *planner.Observations) []planner.Need
	observe func(ctx context.Context, n planner.Need) (any, error)

	mu   sync.Mutex
	made []string
}

func (y *yard) Needs(r *schema.Resource, seen *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return y.needs(r, seen), nil
}

func (y *yard) Observe(ctx context.Context, _ *schema.Resource, n planner.Need) (any, error) {
	y.mu.Lock()
	y.made = append(y.made, n.String())
	y.mu.Unlock()
	if y.observe == nil {
		return &box{}, nil
	}
	return y.observe(ctx, n)
}

func (y *yard) Plan(planner.Change) (planner.Outline, hcl.Diagnostics) { return planner.Outline{}, nil }

const twoServers = "server \"depot\" \"north\" {\n url = \"n\"\n}\nserver \"depot\" \"south\" {\n url = \"s\"\n}\n" +
	"sync \"depot\" \"a\" {}\nsync \"depot\" \"b\" {}\n"

const north, south = "server.depot.north", "server.depot.south"

func yardInput(t *testing.T, y *yard) planner.Input {
	in := input(load(t, twoServers), &y.depot)
	in.Drivers = func(schema.Addr) planner.Driver { return y }
	return in
}

// TestObservedOnce: what several declarations need is asked once, and what depends on an answer in the next round.
func TestObservedOnce(t *testing.T) {
	list := planner.Need{Server: north, What: "list"}
	y := &yard{needs: func(r *schema.Resource, seen *planner.Observations) []planner.Need {
		if r.Addr.Kind == schema.Server {
			return nil
		}
		if !seen.Has(list) {
			return []planner.Need{list}
		}
		return []planner.Need{list, {Server: south, What: "part", Of: r.Addr.Name}, {Server: south, What: "part", Of: "both"}}
	}}
	in := yardInput(t, y)
	in.Observations, in.By = planner.NewObservations(), "me@here"
	in.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	made(t, in)
	if len(y.made) != 4 || y.made[0] != "list of "+north {
		t.Errorf("observed %q", y.made)
	}
	var file bytes.Buffer
	if err := in.Observations.Encode(&file); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(file.String(), "\n"); lines != 4 ||
		strings.Count(file.String(), "2026-01-02T03:04:05Z\",\"by\":\"me@here") != 4 {
		t.Errorf("the file is %s", file.String())
	}
	// From the file nothing is asked.
	y.made = nil
	read, err := planner.DecodeObservations(&file)
	if err != nil {
		t.Fatal(err)
	}
	in.Observations = read
	made(t, in)
	if len(y.made) != 0 {
		t.Errorf("observed again: %q", y.made)
	}
	if _, err := planner.Observed[box](read, list); err != nil {
		t.Error(err)
	}
	if _, err := planner.Observed[struct{ Size int }](planner.NewObservations(), list); !errors.Is(err,
		planner.ErrNotObserved) {
		t.Errorf("want ErrNotObserved, got %v", err)
	}
	if _, err := planner.Observed[struct{ Size int }](read, list); err == nil || errors.Is(err, planner.ErrNotObserved) {
		t.Errorf("a body of another type: %v", err)
	}
}

// TestBodiesAreReadOneAfterTheOther: bodies share a decoder. What is wrong in one is not met in the next, and
// a body more takes only its own memory.
func TestBodiesAreReadOneAfterTheOther(t *testing.T) {
	const n = 200
	var file strings.Builder
	for i := range n {
		body := `{"color": "red"}`
		if i%2 == 1 {
			body = []string{`{"color": 7}`, `{"colour": "red"}`, `["red"]`}[i%3]
		}
		fmt.Fprintf(&file, `{"server": "server.depot.s%d", "what": "box", "at": "2026-01-01T00:00:00Z", "body": %s}`, i, body)
	}
	need := func(i int) planner.Need { return planner.Need{Server: fmt.Sprint("server.depot.s", i), What: "box"} }
	var all []*planner.Observations // one for each time that AllocsPerRun calls
	for range 4 {
		seen, err := planner.DecodeObservations(strings.NewReader(file.String()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, seen)
	}
	for i := range n {
		b, err := planner.Observed[box](all[0], need(i))
		if wrong := i%2 == 1; wrong != (err != nil) || !wrong && *b.Color != "red" {
			t.Fatalf("%d: %v, %v", i, b, err)
		}
	}
	if testing.Short() {
		return // the race detector, which runs with -short, allocates too
	}
	all = all[1:]
	got := testing.AllocsPerRun(len(all)-1, func() {
		for i := 0; i < n; i += 2 {
			if _, err := planner.Observed[box](all[0], need(i)); err != nil {
				t.Error(err)
			}
		}
		all = all[1:]
	}) / (n / 2)
	if got > 6 {
		t.Errorf("%.0f allocations a body, at most 6", got)
	}
}

// TestServersAreAskedSideBySide: one that answers late holds up no other, and all that fail are reported at once.
func TestServersAreAskedSideBySide(t *testing.T) {
	both := func(*schema.Resource, *planner.Observations) []planner.Need {
		return []planner.Need{{Server: north, What: "x"}, {Server: south, What: "x"}}
	}
	answered := make(chan struct{})
	y := &yard{needs: both, observe: func(ctx context.Context, n planner.Need) (any, error) {
		if n.Server == north {
			select {
			case <-answered: // south's
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		} else {
			close(answered)
		}
		return nil, errors.New("no answer from " + n.Server)
	}}
	p, diags := planner.Make(t.Context(), yardInput(t, y))
	if p != nil || len(diags) != 2 {
		t.Fatalf("plan %v, diagnostics %v", p, diags)
	}
	for i, want := range []string{north, south} {
		if got := schema.AddrOf(diags[i]).String(); got != want || diags[i].Subject == nil {
			t.Errorf("problem %d is about %s, want %s: %v", i+1, got, want, diags[i])
		}
	}
}

func TestForeignObservations(t *testing.T) {
	const good = `{"server":"server.depot.north","what":"x","at":"2026-01-02T03:04:05Z","body":{}}`
	if _, err := planner.DecodeObservations(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"twice": good + good, "half": good[:40], "another member": strings.Replace(good, `"at"`, `"when"`, 1),
		"no body": strings.Replace(good, "{}", "null", 1), "no server": strings.Replace(good, north, "", 1), "no JSON": "x",
	} {
		if _, err := planner.DecodeObservations(strings.NewReader(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzDecodeObservations(f *testing.F) {
	f.Add(
		[]byte(`{"server":"server.depot.north","what":"x","of":"y","at":"2026-01-02T03:04:05Z","by":"z","body":{"a":[1]}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		o, err := planner.DecodeObservations(bytes.NewReader(src))
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := o.Encode(&once); err != nil {
			return // such as a time that JSON cannot hold
		}
		again, err := planner.DecodeObservations(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, once.Bytes())
		}
		if err := again.Encode(&twice); err != nil || once.String() != twice.String() {
			t.Fatalf("it does not come back: %v\n%s\n%s", err, once.Bytes(), twice.Bytes())
		}
	})
}

// TestFaultBesideAnError: the first error of a server does not hide a fault in another observation of it.
func TestFaultBesideAnError(t *testing.T) {
	both := func(*schema.Resource, *planner.Observations) []planner.Need {
		return []planner.Need{{Server: north, What: "fails"}, {Server: north, What: "panics"}}
	}
	started := make(chan struct{})
	y := &yard{needs: both, observe: func(ctx context.Context, n planner.Need) (any, error) {
		if n.What == "fails" {
			<-started // one that had not begun would not be read at all
			return nil, errors.New("no answer")
		}
		close(started)
		<-ctx.Done() // the error is there
		panic("impossible")
	}}
	_, err := func() (p *planner.Plan, err error) {
		defer fault.Catch(&err)
		p, _ = planner.Make(t.Context(), yardInput(t, y))
		return p, nil
	}()
	if !fault.Is(err) {
		t.Errorf("%v", err)
	}
}
