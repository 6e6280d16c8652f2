package record_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
)

// painted is a plan of two steps from a configuration, with servers that may be anywhere.
func painted(url string) *planner.Plan {
	a := planner.Act("paint", planner.MarkChange, planner.CheckFirst, "paint at "+url)
	b := planner.Check("look", "it is red", 0)
	a.ID, a.Addr, a.Args = "x/paint", "x", map[string]string{"url": url}
	a.Facts = []planner.Fact{{Name: "color", Value: url}}
	b.ID, b.Addr, b.Needs = "x/look", "x", []string{"x/paint"}
	return &planner.Plan{Format: planner.Format, Digest: "d", Steps: []planner.Step{a, b}}
}

// rehearsal of a plan, from the files of the sample.
func rehearsal(t testing.TB, plan *planner.Plan, result string) []byte {
	t.Helper()
	configuration := map[string][]byte{}
	for name, content := range parts(t) {
		if strings.HasPrefix(name, "configuration/") {
			configuration[name] = content
		}
	}
	r, err := record.NewRehearsal(plan, configuration)
	if err != nil {
		t.Fatal(err)
	}
	r.At, r.Syncctl, r.Result = at, "1.2.3", result
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestRehearsal: a rehearsal belongs to a plan of the same steps from the same files; one that has failed is told; any
// other is refused, also by who reads the record.
func TestRehearsal(t *testing.T) {
	with := func(rehearsal []byte, change func(map[string][]byte)) error {
		files := parts(t)
		files[record.RehearsalName] = rehearsal
		if change != nil {
			change(files)
		}
		out, err := record.Write(manifest, files, nil)
		if err != nil {
			return err
		}
		r, err := record.Read(out, nil)
		if err == nil && (r.Rehearsed == nil || r.Rehearsal != r.Rehearsed.Result) {
			t.Errorf("%+v", r)
		}
		return err
	}
	simulated := &planner.Plan{Digest: "that of simulated servers"}
	good := rehearsal(t, simulated, record.RehearsalComplete)
	for name, c := range map[string]struct {
		rehearsal []byte
		change    func(map[string][]byte)
		refused   bool
	}{
		"complete":          {good, nil, false},
		"failed":            {rehearsal(t, simulated, record.RehearsalFailed), nil, false},
		"half":              {rehearsal(t, simulated, "half"), nil, true},
		"spelled again":     {append(good, '\n'), nil, true},
		"no JSON":           {[]byte("x"), nil, true},
		"another format":    {bytes.Replace(good, []byte(`"format": 1`), []byte(`"format": 9`), 1), nil, true},
		"another exit code": {bytes.Replace(good, []byte(`"exit": 0`), []byte(`"exit": 8`), 1), nil, true},
		"another number":    {bytes.Replace(good, []byte(`"steps": 0`), []byte(`"steps": 9`), 1), nil, true},
		"other steps":       {rehearsal(t, painted("https://127.0.0.1:1"), record.RehearsalComplete), nil, true},
		"another file":      {good, func(f map[string][]byte) { f["configuration/ä.sync.hcl"] = []byte("x = 2\n") }, true},
		"one more file":     {good, func(f map[string][]byte) { f["configuration/b.sync.hcl"] = []byte("y = 2\n") }, true},
		"a file less": {good, func(f map[string][]byte) {
			f["configuration/b.sync.hcl"] = f["configuration/ä.sync.hcl"]
			delete(f, "configuration/ä.sync.hcl")
		}, true},
		"no files": {good, func(f map[string][]byte) { delete(f, "configuration/ä.sync.hcl") }, true},
	} {
		if err := with(c.rehearsal, c.change); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := record.Read(written(t, parts(t)), nil)
	if err != nil || r.Rehearsed != nil || r.Rehearsal != record.NoRehearsal {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestCourse: the course of a plan covers its steps, their order and whose they are, and no value.
func TestCourse(t *testing.T) {
	course := func(change func(*planner.Plan)) string {
		p := painted("https://real.example")
		change(p)
		c, err := p.Course()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	same := course(func(*planner.Plan) {})
	for name, c := range map[string]struct {
		change func(*planner.Plan)
		moves  bool
	}{
		"address":  {func(p *planner.Plan) { p.Steps[0].Args["url"] = "x"; p.Digest = "e" }, false},
		"fact":     {func(p *planner.Plan) { p.Steps[0].Facts[0].Value = "x" }, false},
		"order":    {func(p *planner.Plan) { p.Steps[0], p.Steps[1] = p.Steps[1], p.Steps[0] }, true},
		"person":   {func(p *planner.Plan) { p.Steps[0].Manual = &planner.Manual{} }, true},
		"final":    {func(p *planner.Plan) { p.Steps[0].Effect = &planner.Effect{Irreversible: true} }, true},
		"guard":    {func(p *planner.Plan) { p.Steps[0].Guards = []string{"y"} }, true},
		"needs":    {func(p *planner.Plan) { p.Steps[1].Needs = nil }, true},
		"repeat":   {func(p *planner.Plan) { p.Steps[0].Repeat = planner.Once }, true},
		"site":     {func(p *planner.Plan) { p.Steps[0].Site = "acme" }, true},
		"servers":  {func(p *planner.Plan) { p.Steps[0].Servers = []string{"server.depot.x"} }, true},
		"one less": {func(p *planner.Plan) { p.Steps = p.Steps[:1] }, true},
	} {
		if got := course(c.change); (got != same) != c.moves {
			t.Errorf("%s: moves the course: %v, want %v", name, got != same, c.moves)
		}
	}
}
