package machine

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/redact"
)

// startedHost is a machine whose services somebody starts once so many commands of Data Manager have run.
type startedHost struct {
	host.Host // other methods are not used

	after    int
	says     string
	commands int
	asked    int
}

func (h *startedHost) Name() string { return "admin@twc" }

func (h *startedHost) Run(_ context.Context, c host.Command) (host.Output, error) {
	if c.Args[0] == "status" {
		if h.asked++; h.commands < h.after {
			return host.Output{Stdout: "inactive\n", Code: 3}, nil
		}
		return host.Output{Stdout: "active\n"}, nil
	}
	h.commands++
	return host.Output{Stdout: h.says}, nil
}

// TestNoBatchWhileServicesRun checks that each batch but the first begins with one question: whether the services are
// still stopped. If not, no further batch is run.
func TestNoBatchWhileServicesRun(t *testing.T) {
	ids := manyIDs()
	for after, asked := range map[int]int{1: 1, 2: 2, 9: 3} {
		h := &startedHost{after: after}
		m := New(h, CommandsOf("server.x.a", Declared{Status: []string{"status"}}, osmc.Release{}))
		err := m.batches(t.Context(), task("remove"), ids, Remove, &strings.Builder{})
		if h.commands != min(after, 4) || h.asked != asked || (err == nil) != (after > 4) {
			t.Errorf("started after %d: %d commands, %d questions, %v", after, h.commands, h.asked, err)
		}
	}
}

// lostHost is a machine to which the connection breaks when a command has been sent, or before.
type lostHost struct {
	host.Host // other methods are not used

	started host.Started
}

func (lostHost) Name() string { return "admin@twc" }

func (h lostHost) Run(context.Context, host.Command) (host.Output, error) {
	return host.Output{}, &host.Error{Host: h.Name(), Started: h.started}
}

// TestManagerUnended checks that nothing follows by itself on a command that may still run on the machine.
func TestManagerUnended(t *testing.T) {
	for started, want := range map[host.Started][2]bool{host.StartedMaybe: {true, false}, host.StartedNo: {false, true}} {
		m := New(lostHost{started: started}, CommandsOf("server.x.a", Declared{}, osmc.Release{}))
		err := m.batches(t.Context(), task("remove"), manyIDs(), Remove, &strings.Builder{})
		if got := [2]bool{executor.MayContinue(err), executor.WasNotSent(err)}; got != want {
			t.Errorf("started %v: %v, %v", started, got, err)
		}
	}
	for _, open := range []bool{true, false} { // whether something that it has started has its output open
		h := &fakeHost{fs: afero.NewMemMapFs(), answers: map[string]host.Output{"dm -dr a": {Truncated: open, Code: 1}}}
		m := New(h, CommandsOf("server.x.a", Declared{DataManager: []string{"dm"}}, osmc.Release{}))
		err := m.batches(t.Context(), task("remove"), []string{"a"}, Remove, &strings.Builder{})
		if err == nil || executor.MayContinue(err) != open {
			t.Errorf("open %v: %v", open, err)
		}
	}
}

// manyIDs returns ids for four batches.
func manyIDs() (ids []string) {
	for i := range 3*batchSize + 1 {
		ids = append(ids, fmt.Sprintf("%08d-0000-0000-0000-000000000000", i))
	}
	return ids
}

// TestLongOutput checks that of what Data Manager says a part is kept, and each command however much was said before:
// whoever reads the file must not take a command for one that was not run.
func TestLongOutput(t *testing.T) {
	h, ids := &startedHost{after: 9, says: strings.Repeat("x", mostSaid/2)}, manyIDs()
	declared := Declared{DataManager: []string{"dm"}, Status: []string{"status"}}
	m := New(h, CommandsOf("server.x.a", declared, osmc.Release{}))
	var said strings.Builder
	if err := m.batches(t.Context(), task("remove"), ids, Remove, &said); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count("\n"+said.String(), "\n$ dm "); n != h.commands || n != 4 {
		t.Errorf("%d of %d commands", n, h.commands)
	}
	if said.Len() > mostSaid+100*len(ids) {
		t.Errorf("%d bytes", said.Len())
	}
}

// TestSecretsInOutput checks that the file of what Data Manager said has no secret that the machine repeats.
func TestSecretsInOutput(t *testing.T) {
	const id = "00000000-0000-0000-0000-000000000000"
	h := &fakeHost{fs: afero.NewMemMapFs(), answers: map[string]host.Output{
		"dm -dr " + id: {Stdout: "logged in with 0pen-sesame\n"},
	}}
	m := New(h, CommandsOf("server.x.a", Declared{DataManager: []string{"dm"}}, osmc.Release{}))
	files := executor.NewFiles(afero.NewMemMapFs(), "/")
	work := task("remove")
	work.Files, work.Log = files, hclog.NewNullLogger()
	work.Redact = redact.New("(hidden)", "0pen-sesame").String
	if _, err := m.Change(t.Context(), work, []string{id}, Remove); err != nil {
		t.Fatal(err)
	}
	f, err := files.Open("remove.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil || !strings.Contains(string(text), "logged in with (hidden)") {
		t.Errorf("%s: %v", text, err)
	}
}
