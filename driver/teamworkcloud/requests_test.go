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

// fleet is a world in which n models of a are each brought to b by a synchronization of its own. With copies b has
// them all, as they are declared.
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

// accessLog keeps what servers were asked.
type accessLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *accessLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines are the requests that have ended.
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

// TestRequests is the table of how many requests a command makes of both servers together, with the login and the
// logout at each, and that none asks for the same twice. Validating asks for nothing. A plan asks each server for its
// version, health, categories and resources; the source for what its user may read in the category, the target for
// rights (3). Where a server lists resources by their ids alone, each has to be asked for: its name may be the one that
// is meant, or be taken. A history is 5 requests: the numbers of its revisions, the revisions, the branches, the one
// branch, the tags.
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
				lines, asked := s.log.lines(t), map[string]int{}
				for _, l := range lines {
					what := l.Server + " " + l.Method + " " + l.Path + "?" + l.Query
					if asked[what]++; asked[what] == 2 {
						t.Errorf("asked twice: %s", what)
					}
				}
				if len(lines) != want {
					t.Errorf("%d requests, want %d", len(lines), want)
				}
			})
		}
	}
}
