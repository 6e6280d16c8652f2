package keystore

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// brokenFs fails every access to one name.
type brokenFs struct {
	afero.Fs

	name string
	err  error
}

func (f brokenFs) Stat(name string) (os.FileInfo, error) {
	if name == f.name {
		return nil, &os.PathError{Op: "stat", Path: name, Err: f.err}
	}
	return f.Fs.Stat(name)
}

// TestUnknownIsNotMissing checks that it is an error if a machine cannot tell about a file or its folder. A file that
// cannot be opened has a state of its own. Neither is taken for a missing file.
func TestUnknownIsNotMissing(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	body, files := f.full(t)
	lost := errors.New("connection lost")
	for name, c := range map[string]struct {
		broken string // the name whose accesses fail
		there  []byte
		state  State // "": an error
		fact   string
	}{
		"missing":              {state: Missing, fact: "absent"},
		"file not asked":       {broken: file},
		"folder not asked":     {broken: "/keys"},
		"wrong password":       {there: recorded(t, "keytool17.jks"), state: Unusable, fact: "sha256:"},
		"no keystore":          {there: []byte("text"), state: Unusable, fact: "sha256:"},
		"too large to be read": {there: make([]byte, mostBytes+1), state: Unusable, fact: "unreadable"},
		"opened": {there: newBench(t).written(&Store{Format: PKCS12}, password), state: Opened,
			fact: "sha256:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t).declare(PKCS12, body, files)
			if c.there != nil {
				b.put(file, string(c.there))
			}
			cfg, d, diags := b.load(brokenFs{b.fs, c.broken, lost})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			r := cfg.Resources[0]
			got, err := d.Observe(t.Context(), r, Need(r))
			if c.state == "" {
				if !errors.Is(err, lost) {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			o, ok := got.(*Observed)
			unusable := c.state == Unusable
			if !ok || o.State != c.state || !strings.HasPrefix(o.fact(), c.fact) || (o.Problem != nil) != unusable {
				t.Errorf("%+v", got)
			}
			facts, err := d.Facts(t.Context(), r, []string{"file"})
			if err != nil || facts["file"] != o.fact() {
				t.Errorf("fact %v, %v; observed %q", facts, err, o.fact())
			}
		})
	}
}

// TestNotPlannedFromNothing checks that an observation without a state is not taken for a missing file.
func TestNotPlannedFromNothing(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	body, files := f.full(t)
	cfg, d := newBench(t).declare(PKCS12, body, files).config()
	r := cfg.Resources[0]
	for name, seen := range map[string]string{
		"no observation": "",
		"no state":       `{"server":"keystore.pkcs12.server","what":"file","at":"2027-06-01T00:00:00Z","body":{}}`,
	} {
		o, err := planner.DecodeObservations(strings.NewReader(seen))
		if err != nil {
			t.Fatal(err)
		}
		if out, diags := d.Plan(planner.Change{Resource: r, Seen: o}); !diags.HasErrors() {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

// TestNoKeyIsObserved checks that neither the observation nor its encoded form has a key or the password.
func TestNoKeyIsObserved(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	body, files := f.full(t)
	b := newBench(t).declare(PKCS12, body, files)
	b.apply()
	cfg, d := b.config()
	r := cfg.Resources[0]
	got, err := d.Observe(t.Context(), r, Need(r))
	if err != nil {
		t.Fatal(err)
	}
	o, ok := got.(*Observed)
	if !ok || len(o.Store.Entries) != 1 {
		t.Fatalf("%+v", got)
	}
	if e := o.Store.Entries[0]; e.key != nil || e.sealed != nil || o.Store.password != "" || o.Store.source != nil {
		t.Error("the observation has a key")
	}
	seen := planner.NewObservations()
	seen.Put(Need(r), b.now, "", o)
	var text bytes.Buffer
	if err := seen.Encode(&text); err != nil {
		t.Fatal(err)
	}
	b.clean(cfg, text.String())
}

// TestDrift checks that exactly the differences between the file and its declaration are shown.
func TestDrift(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	other := issue(t, "other.test.example", f.root)
	body, files := f.full(t)
	for _, format := range []Format{PKCS12, JKS} {
		b := newBench(t).declare(format, body+ownEntry+"\nkeep_others = false", files)
		if got := slices.Sorted(maps.Keys(drift(b.plan()))); !slices.Contains(got, "entry.server.certificate") ||
			!slices.Contains(got, "path") {
			t.Errorf("without a file: %v", got)
		}
		b.apply()
		if got := drift(b.plan()); len(got) > 0 {
			t.Errorf("right after it was written: %v", got)
		}
		live, err := Open(context.Background(), b.read(file), password)
		if err != nil {
			t.Fatal(err)
		}
		own := *live.Entry("own")
		own.Alias = "old"
		b.written(&Store{Format: format, Trusted: []Trusted{{Alias: "CA", Certificate: other.Certificate}},
			Entries: []Entry{other.entry(t, "server"), own}}, password)
		want := map[string]string{
			"entry.server.certificate": `"` + other.Certificate.String() + `"`,
			"trust.ca.certificate":     `"` + other.Certificate.String() + `"`,
			"entry.old":                `"` + own.Chain[0].String() + `"`,
		}
		got := drift(b.plan())
		maps.DeleteFunc(got, func(path, _ string) bool { return strings.HasPrefix(path, "entry.own.") })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}

// drift returns the differences of a plan's only declaration, by path.
func drift(p *planner.Plan) map[string]string {
	out := map[string]string{}
	for _, d := range p.Changes[0].Diff {
		out[d.Path] = d.Actual
	}
	return out
}

// TestSecretWhereItWouldShow: a secret in an argument that plans show is refused at its line.
func TestSecretWhereItWouldShow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.put("/conf/main.sync.hcl", `
variable "secret" {
  type      = string
  sensitive = true
  default   = "/keys/a.p12"
}
keystore "pkcs12" "server" {
  path     = var.secret
  password = env("PASSWORD")
  names    = [var.secret]
}
`)
	_, diags := schema.Load(context.Background(), schema.Options{
		Fs: b.fs, Dir: "/conf", Catalog: (&Driver{}).Types(),
		Env: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok },
	})
	var lines []int
	for _, d := range diags {
		lines = append(lines, d.Subject.Start.Line)
	}
	slices.Sort(lines)
	if !slices.Equal(lines, []int{8, 10}) {
		t.Errorf("lines %v: %v", lines, diags)
	}
}
