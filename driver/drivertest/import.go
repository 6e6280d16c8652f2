package drivertest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// checkImport imports from each server and keystore of a case in which only those are declared. It checks that the
// result is a configuration with nothing to change, and that importing changes nothing, gives the same result again,
// and leaves out what is already declared.
func checkImport(t *testing.T, b Bench, c Case) {
	if _, ok := b.New(driver.Env{}).(driver.Importer); !ok {
		return
	}
	c.Dir = serversOnly(t, c.Dir)
	w := open(t, b, c)
	found := 0
	defer func() { b.imported.add(found) }()
	before, planned := w.state(), w.plan()
	cfg, _ := w.load()
	sources := slices.DeleteFunc(slices.Clone(cfg.Resources), func(r *schema.Resource) bool { return !isSource(r) })
	for _, r := range sources {
		x := w.importFrom(r.Addr, planned)
		w.clean("what is imported from "+r.Addr.String(), string(x.text))
		found += len(declaration.FindAll(x.text, -1))
		if again := w.importFrom(r.Addr, planned); !bytes.Equal(x.text, again.text) {
			t.Errorf("imported again, it is another text:\n%s\n%s", x.text, again.text)
		}
		if formatted, diags := schema.Format("imported", x.text); diags.HasErrors() || !bytes.Equal(x.text, formatted) {
			t.Errorf("what is imported is not formatted: %v\n%s", diags, x.text)
		}
		if err := os.WriteFile(x.file, x.content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range sources {
		if w.importFrom(r.Addr, planned).declares {
			t.Errorf("what was imported from %s is imported once more", r.Addr)
		}
	}
	w.nothingMore(planned)
	if after := w.state(); after != before {
		t.Errorf("importing left the servers in another state: %s", firstDifference(after, before))
	}
	w.close()
	if done := w.changes(); len(done) > 0 {
		t.Errorf("importing changed the servers: %v", done)
	}
	shut := openWith(t, b, c, sandbox.Fault{Kind: sandbox.Fail, Status: 401, First: 1, Last: forever})
	shut.importRefused()
}

// nothingMore checks that a new plan has no steps that the plan before did not have, and no more refusals.
func (w *world) nothingMore(before *planner.Plan) {
	w.t.Helper()
	known := map[string]bool{}
	for i := range before.Steps {
		known[before.Steps[i].ID] = true
	}
	after := w.plan()
	for i := range after.Steps {
		if !known[after.Steps[i].ID] {
			w.t.Errorf("what is imported has something to be done: %s", after.Steps[i].ID)
		}
	}
	if more := after.Refusals(); len(more) > len(before.Refusals()) {
		w.t.Errorf("what is imported is refused: %+v", more)
	}
}

// isSource reports whether something can be imported from a declaration.
func isSource(r *schema.Resource) bool {
	return r.Addr.Kind == schema.Server || r.Addr.Kind == schema.Keystore
}

// draft is what was imported, and the file in which it is declared then.
type draft struct {
	text     []byte
	declares bool // something in it, besides comments, is not declared yet
	file     string
	content  []byte
}

// importFrom imports from a server or a keystore as a new process would. An error is right only for a keystore that is
// to be made, or that a plan refuses.
func (w *world) importFrom(addr schema.Addr, planned *planner.Plan) draft {
	w.t.Helper()
	cfg, d := w.load()
	defer w.release(d)
	r := cfg.Lookup(addr)
	found, err := d.(driver.Importer).Import(w.t.Context(), driver.ImportRequest{Server: r, Declared: cfg.Resources})
	if err != nil && (addr.Kind != schema.Keystore || !concerns(planned, addr)) {
		w.t.Fatalf("importing from %s: %v", addr, err)
	}
	if err != nil {
		w.clean("the error of importing", err.Error())
	}
	if addr.Kind == schema.Server {
		text := schema.WriteDrafts(cfg, found)
		return draft{text, bytes.Contains(text, []byte("\nsync ")),
			filepath.Join(w.dir, "imported_"+addr.Name+".sync.hcl"), text}
	}
	out := draft{file: r.Range.Filename}
	if out.content, err = os.ReadFile(out.file); err != nil {
		w.t.Fatal(err)
	}
	for _, one := range found {
		if !one.Completes || one.Addr != addr || len(found) > 1 {
			w.t.Fatalf("importing from %s completes another declaration than its own: %+v", addr, found)
		}
		add := schema.AddingDraft(cfg, one, w.redactor.String)
		out.text, out.declares = []byte(add.String()), add.Added > 0
		if out.content, err = add.To(out.content); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// concerns reports whether a plan has a step or a refusal of a declaration.
func concerns(p *planner.Plan, addr schema.Addr) bool {
	return slices.ContainsFunc(p.Steps, func(s planner.Step) bool { return s.Addr == addr.String() }) ||
		slices.ContainsFunc(p.Refusals(), func(f planner.Finding) bool { return f.Addr == addr.String() })
}

// importRefused checks importing from servers and machines that refuse all requests: there must be an error or a
// comment that says so, never an empty result. Errors must not contain a secret.
func (w *world) importRefused() {
	w.t.Helper()
	cfg, d := w.load()
	defer w.release(d)
	for _, r := range cfg.Resources {
		if !isSource(r) {
			continue
		}
		found, err := d.(driver.Importer).Import(w.t.Context(),
			driver.ImportRequest{Server: r, Declared: cfg.Resources})
		declares := func(f schema.Draft) bool { return f.IsDeclared() }
		if err == nil && (len(found) == 0 || slices.ContainsFunc(found, declares)) {
			w.t.Errorf("%s refuses everything, and importing from it ends well: %v", r.Addr, found)
		}
		if err != nil {
			w.clean("the error of importing", err.Error())
		}
	}
}

// serversOnly returns a copy of a folder, with a configuration without syncs, migrations, outputs, checks, moved and
// removed blocks.
func serversOnly(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil { // also the files that it reads
		t.Fatal(err)
	}
	names, err := afero.Glob(afero.NewOsFs(), filepath.Join(from, "*.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, diags := hclwrite.ParseConfig(src, name, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, b := range f.Body().Blocks() {
			if slices.Contains([]string{"sync", "migration", "output", "check", "moved", "removed"}, b.Type()) {
				f.Body().RemoveBlock(b)
			}
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), f.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// imported counts what the cases of a bench have imported.
type imported struct {
	mu           sync.Mutex
	cases, found int
}

// declaration matches the beginning of a drafted declaration, also in a comment.
var declaration = regexp.MustCompile(`(?m)^(# )?(keystore|sync|migration) "`)

func (i *imported) add(found int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cases++
	i.found += found
}

// check fails the test if the importer found nothing in any case. It only does so if all cases were run.
func (i *imported) check(t *testing.T, b Bench) {
	t.Helper()
	if !t.Failed() {
		if why := i.problem(len(b.Cases)); why != "" && !b.ImportsElsewhere {
			t.Error(why)
		}
	}
}

func (i *imported) problem(cases int) string {
	if i.cases > 0 && i.cases >= cases && i.found == 0 {
		return "nothing is imported in any case: the driver finds nothing, or no server has what nobody has declared"
	}
	return ""
}
