package teamworkcloud_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/syncctl/syncctl/sandbox"
)

// fleet is a world in which n models on a are copied to b, each by its own synchronization. With copies, b already has
// all of them as declared.
func fleet(n int, copies bool) *world {
	w := newWorld("")
	w.servers["a"]["resources"] = []any{}
	w.add("b", "categories", j{"path": "From A"})
	var configurations []any
	var hcl strings.Builder
	for i := range n {
		name := fmt.Sprintf("M%04d", i)
		id := fmt.Sprintf("0a000000-0000-4000-8000-%012d", i)
		w.add("a", "resources", resource(name, "Cars", "id", id))
		if copies {
			w.add("b", "resources", resource(name, "From A", "id", id, "read_only", true))
			configurations = append(configurations, j{"source": "a", "resource": name, "target_category": "From A",
				"user": "syncctl"})
		}
		fmt.Fprintf(&hcl, `
sync "teamwork_cloud" "m%04d" {
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.b
  resources       = ["Cars/%s"]
  target_category = "From A"
}
`, i, name)
	}
	if copies {
		w.set("b", "configurations", configurations)
	}
	w.hcl = hcl.String()
	return w
}

// accessLog records the requests to servers.
type accessLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *accessLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines returns the completed requests.
func (l *accessLog) lines(t *testing.T) []sandbox.AccessLine {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []sandbox.AccessLine
	for dec := json.NewDecoder(bytes.NewReader(l.b.Bytes())); dec.More(); {
		var line sandbox.AccessLine
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}

// askedOnce returns how many requests were sent, and fails if one was sent twice.
func askedOnce(t *testing.T, log *accessLog) int {
	t.Helper()
	lines, asked := log.lines(t), map[string]int{}
	for _, l := range lines {
		what := l.Server + " " + l.Method + " " + l.Path + "?" + l.Query
		if asked[what]++; asked[what] == 2 {
			t.Errorf("asked twice: %s", what)
		}
	}
	return len(lines)
}

// TestRequests is the table of how many requests a command sends to both servers together, including the login and
// logout at each. It also checks that none is sent twice. Validating sends none. A plan asks each server for its
// version, health, categories and resources; the source for what its user may read in the category, and the target for
// rights (3). If a server lists resources only by their IDs, each has to be read: its name may be the declared one, or
// be taken. A history takes 5 requests: the numbers of its revisions, the revisions, the branches, the one branch, the
// tags.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		what      string
		pairs     bool        // servers describe what they list
		copies    bool        // b has them all
		unrelated int         // further models on a
		want      map[int]int // by number of synchronizations
	}{
		{"plan, nothing there yet", true, false, 0, map[int]int{1: 21, 10: 66}},
		{"plan, all there", true, true, 0, map[int]int{1: 26, 10: 116, 100: 1016}},
		{"plan, beside unrelated models", true, false, 100, map[int]int{1: 21}},
		{"plan, nothing there yet, ids alone", false, false, 0, map[int]int{1: 25, 10: 79}},
		{"plan, all there, ids alone", false, true, 0, map[int]int{1: 31, 10: 139, 100: 1219}},
		{"plan, beside unrelated models, ids alone", false, false, 100, map[int]int{1: 125}},
	} {
		for n, want := range c.want {
			t.Run(fmt.Sprintf("%s, %d", c.what, n), func(t *testing.T) {
				t.Parallel()
				w := fleet(n, c.copies)
				for i := range c.unrelated {
					w.add("a", "resources", resource(fmt.Sprintf("U%04d", i), "Bikes"))
				}
				if c.pairs {
					w.set("a", "answers", "pairs").set("b", "answers", "pairs")
				}
				s := w.open(t)
				_, d := s.load(w.hcl)
				s.close(d)
				if lines := s.log.lines(t); len(lines) > 0 {
					t.Errorf("validating made %d requests", len(lines))
				}
				p := s.plan(w.hcl)
				if err := s.box.Close(); err != nil {
					t.Error(err)
				}
				if len(p.Changes) != n+3 || (len(p.Steps) == 0) != c.copies || len(p.Refusals()) > 0 {
					t.Errorf("%d changes, %d steps, %+v", len(p.Changes), len(p.Steps), p.Refusals())
				}
				if got := askedOnce(t, s.log); got != want {
					t.Errorf("%d requests, want %d", got, want)
				}
			})
		}
	}
}

// TestRequestsOfShapes: what a plan asks a server for once, it asks once however many declarations use the server, and
// what it asks for each model on it, once however many share or copy that model.
func TestRequestsOfShapes(t *testing.T) {
	onward := func(w *world, n int) { // from b to c
		w.add("c", "categories", j{"path": "From B"})
		var configurations []any
		for i := range n {
			name, id := fmt.Sprintf("M%04d", i), fmt.Sprintf("0a000000-0000-4000-8000-%012d", i)
			w.add("c", "resources", resource(name, "From B", "id", id, "read_only", true))
			configurations = append(configurations, j{"source": "b", "resource": name, "target_category": "From B",
				"user": "syncctl"})
			w.hcl += fmt.Sprintf(between, fmt.Sprint("on", i), "b", "c", fmt.Sprintf(`"From A/%s"`, name), "From B")
		}
		w.set("c", "configurations", configurations)
	}
	for _, c := range []struct {
		what      string
		change    func(w *world, n int)
		any, each int // requests for any number of models, and for each of them
	}{
		{"a declaration each", func(*world, int) {}, 16, 10},
		{"one declaration of all", func(w *world, n int) {
			var all []string
			for i := range n {
				all = append(all, fmt.Sprintf(`"Cars/M%04d"`, i))
			}
			w.hcl = fmt.Sprintf(between, "all", "a", "b", strings.Join(all, ", "), "From A")
		}, 16, 10},
		{"a chain of three servers", onward, 26, 15}, // two copies, and a history on each server
	} {
		for _, n := range []int{1, 2, 9} {
			t.Run(fmt.Sprintf("%s, %d", c.what, n), func(t *testing.T) {
				t.Parallel()
				w := fleet(n, true)
				c.change(w, n)
				for _, server := range []string{"a", "b", "c"} {
					w.set(server, "answers", "pairs")
				}
				s := w.open(t)
				if p := s.plan(w.hcl); len(p.Steps)+len(p.Refusals()) > 0 {
					t.Errorf("%s, %+v", ops(p), p.Refusals())
				}
				if err := s.box.Close(); err != nil {
					t.Error(err)
				}
				if got, want := askedOnce(t, s.log), c.any+n*c.each; got != want {
					t.Errorf("%d requests, want %d", got, want)
				}
			})
		}
	}
}

// between is a declaration of resources: its name, its servers, the resources, and the category on the target.
const between = `
sync "teamwork_cloud" "%s" {
  source          = server.teamwork_cloud.%s
  target          = server.teamwork_cloud.%s
  resources       = [%s]
  target_category = "%s"
}
`

// TestApplyRequests is the table of how many requests to both servers a plan, its run and the second plan send,
// including the login and logout at each. The number grows with the number of synchronizations, and not with its
// square, even if each resource and category has to be read by itself. An offload reads whole servers before it stops
// or removes something, since anything on them may collide with what is moved, and a cached listing must not be used.
// If servers list only IDs, a run therefore sends a number of requests for each pair of offloads, too. If categories
// have to be read one by one, so does the check that the source lists none of the resources any more.
func TestApplyRequests(t *testing.T) {
	const removing = "remove_from_source { allow = 1 }"
	for _, c := range []struct {
		what     string
		pairs    bool         // servers describe what they list
		world    func(*world) // changes it
		lines    string       // of each offload; "": there is none
		any, one requests     // of any number of synchronizations, and of each of them
		two      int          // of the run, for each two of them
	}{
		{"synchronizations", true, nil, "",
			requests{16, 8, 16}, requests{5, 47, 10}, 0},
		{"synchronizations, ids alone", false, nil, "",
			requests{19, 11, 19}, requests{6, 48, 12}, 0},
		{"into a new category, with a new right", true, prepared, "",
			requests{16, 28, 16}, requests{5, 54, 10}, 0},
		{"into a new category, with a new right, ids alone", false, prepared, "",
			requests{18, 33, 19}, requests{6, 55, 12}, 0},
		{"a category each", true, apart, "",
			requests{15, 8, 12}, requests{6, 63, 14}, 0},
		{"a category each, ids alone", false, apart, "",
			requests{18, 11, 15}, requests{8, 68, 18}, 0},
		{"offloads", true, nil, removing,
			requests{17, 7, 16}, requests{7, 175, 5}, 0},
		{"offloads, ids alone", false, nil, removing,
			requests{20, 8, 19}, requests{8, 206, 6}, 7},
		{"offloads of a category each, ids alone", false, apart, removing,
			requests{19, 8, 16}, requests{10, 211, 11}, 11},
		{"offloads, editable, ids alone", false, nil, removing + "\n  reactivate = true",
			requests{21, 8, 20}, requests{8, 262, 6}, 7},
	} {
		numbers := []int{2, 3, 4, 5}
		if testing.Short() {
			numbers = numbers[:1]
		}
		for _, n := range numbers {
			t.Run(fmt.Sprintf("%s, %d", c.what, n), func(t *testing.T) {
				t.Parallel()
				want := requests{c.any.plan + n*c.one.plan, c.any.apply + n*c.one.apply + n*(n-1)/2*c.two,
					c.any.again + n*c.one.again}
				if got := requestsOf(t, n, c.pairs, c.world, c.lines); got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			})
		}
	}
}

// requests holds the numbers of requests of a plan, its run, and the plan after it.
type requests struct{ plan, apply, again int }

// requestsOf applies a fleet of n, and n offloads if lines are given.
func requestsOf(t *testing.T, n int, pairs bool, change func(*world), lines string) requests {
	t.Helper()
	w := fleet(n, false)
	if change != nil {
		change(w)
	}
	for i := range n {
		if lines != "" {
			w.hcl += fmt.Sprintf("migration \"teamwork_cloud_offload\" \"m%04[1]d\" {\n  sync = "+
				"sync.teamwork_cloud.m%04[1]d\n  %[2]s\n}\n", i, lines)
		}
	}
	if pairs {
		w.set("a", "answers", "pairs").set("b", "answers", "pairs")
	}
	s := openStill(t, w.kase(t))
	s.text = func(hcl string) string {
		return strings.ReplaceAll(servers, "  url  ", "  requests_per_second = 100000\n  url  ") + hcl
	}
	p := s.plan(w.hcl)
	if r := p.Refusals(); len(r) > 0 {
		t.Fatalf("refused: %+v", r)
	}
	planned := len(s.log.lines(t))
	if rep := s.carry(p, w.hcl); !rep.Finished {
		for i := range rep.Steps {
			t.Logf("%s %s: %s", rep.Steps[i].Step.ID, rep.Steps[i].Phase, rep.Steps[i].Why)
		}
		t.Fatal("not finished")
	}
	carried := len(s.log.lines(t))
	if again := s.plan(w.hcl); len(again.Steps)+len(again.Refusals()) > 0 {
		t.Errorf("the second plan is not empty: %s %+v", ops(again), again.Findings)
	}
	if err := s.box.Close(); err != nil {
		t.Error(err)
	}
	return requests{planned, carried - planned, len(s.log.lines(t)) - carried}
}

// prepared is a world in which the target category, and the right to put something into it, are still missing.
func prepared(w *world) { w.set("b", "categories", []any{}).roles("b", everything...) }

// apart is a world in which each model has its own category, which is synchronized into its own target category.
func apart(w *world) {
	for i, r := range w.servers["a"]["resources"].([]any) {
		own := fmt.Sprintf("Cars/K%04d", i)
		w.add("a", "categories", j{"path": own})
		r.(j)["category"] = own
		w.hcl = strings.Replace(w.hcl, fmt.Sprintf("resources       = [\"Cars/M%04d\"]\n  target_category = \"From A\"", i),
			fmt.Sprintf("categories      = [%q]\n  target_category = \"From A/K%04d\"", own, i), 1)
	}
}
