package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/signing"
)

// private is the SSH key of a site.
func (c *courier) private(site string) *signing.Private {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, site+".key"))
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := signing.ParsePrivate(text, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return key
}

// opened is what a bundle brings, and its manifest.
func (c *courier) opened(content []byte, to string) (h *handed, m bundle.Manifest, files []bundle.Source) {
	c.t.Helper()
	in := &bundle.Inbox{FS: afero.NewMemMapFs(), Dir: "inbox"}
	o := bundle.Options{Keys: []*signing.Private{c.private(to)}, Limits: bundle.DefaultLimits, Site: to,
		Signers: func(site string) []string { return []string{c.lines[site]} }}
	_, _, err := in.Take(c.t.Context(), bytes.NewReader(content), o, func(s *bundle.Staged) (err error) {
		m = s.Manifest
		for _, p := range s.Parts {
			if strings.HasPrefix(p.Name, partFile) {
				text, err := readPart(s, p)
				if err != nil {
					return err
				}
				files = append(files, source(p.Name, text))
			}
		}
		h, err = unpack(s)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return h, m, files
}

// changed is a bundle of a site whose administrator has changed what it brings: all hashes fit, and it is signed with
// the site's own key.
func (c *courier) changed(content []byte, to string, change func(*handed)) []byte {
	c.t.Helper()
	h, m, files := c.opened(content, to)
	was := m.Plan
	change(h)
	reprint(c.t, h.Cargo.Plan)
	hash, err := h.Cargo.Plan.Hash()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range h.Chain {
		if e.Data["plan"] == was {
			e.Data["plan"] = hash
		}
	}
	if h.Chain, err = journal.Rechain(h.Chain, nil); err != nil {
		c.t.Fatal(err)
	}
	m.Plan, h.Handover.Plan, h.Head = hash, hash, h.Chain[len(h.Chain)-1].Hash
	parts, err := h.parts()
	if err != nil {
		c.t.Fatal(err)
	}
	signer, err := c.private(m.From).Signer()
	if err != nil {
		c.t.Fatal(err)
	}
	var b bytes.Buffer
	receivers := []bundle.Receiver{{Site: to, Keys: []string{c.lines[to]}}}
	_, err = bundle.Write(c.t.Context(), &b, m, receivers, append(parts, files...), func(text []byte) ([]byte, error) {
		return signing.Sign(rand.Reader, signer, bundle.Namespace, text)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return b.Bytes()
}

// reprint gives each step the fingerprint of what it says now, as planner.Decode wants it.
func reprint(t *testing.T, p *planner.Plan) {
	t.Helper()
	prints := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Print = ""
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		h.Write([]byte(p.Digest))
		h.Write(body)
		for _, n := range s.Needs {
			h.Write([]byte(prints[n]))
		}
		s.Print = hex.EncodeToString(h.Sum(nil)[:16])
		prints[s.ID] = s.Print
	}
}

// alter makes another value of one.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + int64(time.Second))
	case reflect.Slice:
		one := reflect.New(v.Type().Elem()).Elem()
		alter(one)
		v.Set(reflect.Append(v, one))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"x": "y"}))
	case reflect.Struct:
		alter(v.Field(0))
	case reflect.Pointer:
		if !v.IsNil() {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		alter(v.Elem())
	}
}

// fieldChanges are those of each field of each step, by names. A step that is renamed is renamed everywhere.
func fieldChanges(p *planner.Plan) map[string]func(*handed) {
	out := map[string]func(*handed){}
	for i := range p.Steps {
		of := reflect.TypeFor[planner.Step]()
		for f := range of.NumField() {
			name := of.Field(f).Name
			if name == "Print" || name == "ID" || name == "Needs" && len(p.Steps[i].Needs) == 0 {
				continue // the first two follow from the others
			}
			out[p.Steps[i].Op+"."+name] = func(h *handed) {
				s := &h.Cargo.Plan.Steps[i]
				was := s.ID
				if name == "Needs" { // to need more is to wait only
					s.Needs = nil
				} else {
					alter(reflect.ValueOf(s).Elem().Field(f))
				}
				s.ID = planner.StepID(s.Addr, s.Op)
				for k := range h.Cargo.Plan.Steps {
					for _, ids := range [][]string{h.Cargo.Plan.Steps[k].Needs, h.Cargo.Plan.Steps[k].Guards} {
						if at := slices.Index(ids, was); at >= 0 {
							ids[at] = s.ID
						}
					}
				}
				for k := range h.Chain {
					if h.Chain[k].Key == was {
						h.Chain[k].Key = s.ID
					}
				}
			}
		}
	}
	return out
}

// planChanges are those of what a plan says beside its steps, and of what it was made from.
func planChanges() map[string]func(*handed) {
	const put = "sync.shelf.atlas/put"
	return map[string]func(*handed){
		"a check that deletes": func(h *handed) {
			s := h.Cargo.Plan.Step("sync.shelf.atlas/look")
			s.Verb, s.Mark, s.Summary = "remove", planner.MarkChange, "count the books"
		},
		"undeclared server": func(h *handed) { h.Cargo.Plan.Step(put).Servers = []string{"server.shelf.zzz"} },
		"a person's file": func(h *handed) {
			h.Cargo.Plan.Step(put).Manual = &planner.Manual{Where: "here", Do: []string{"do it"},
				Values: []planner.Value{{Name: "file", Value: "../../key", Shown: "atlas.txt", File: true}}}
		},
		"a step less": func(h *handed) {
			p := h.Cargo.Plan
			p.Steps = p.Steps[:len(p.Steps)-1]
			p.Turns[len(p.Turns)-1].Steps--
		},
		"another site plans":    func(h *handed) { h.Cargo.Plan.Turns[0].Site = "globex" },
		"old verifications":     func(h *handed) { h.Cargo.Plan.Sites[0].MaxAge *= 1000 },
		"a finding less":        func(h *handed) { h.Cargo.Plan.Findings = append(h.Cargo.Plan.Findings, planner.Finding{}) },
		"another difference":    func(h *handed) { h.Cargo.Plan.Changes[0].Action = planner.Delete },
		"a brief":               func(h *handed) { h.Cargo.Plan.Declared = nil },
		"without what it is of": func(h *handed) { h.Cargo.Origin = nil },
		"another selection":     func(h *handed) { h.Cargo.Origin.Excludes = []string{"sync.shelf.atlas"} },
		"seen otherwise": func(h *handed) {
			h.Cargo.Origin.Seen.Put(planner.Need{Server: "server.shelf.globex", What: "book", Of: "atlas"}, time.Time{}, "",
				&seenBook{})
		},
		"nothing seen": func(h *handed) { h.Cargo.Origin.Seen = planner.NewObservations() },
	}
}

// TestChangedPlans: whoever holds the other site's keys may write any plan, with hashes that fit. Whatever is changed
// in it, it is refused, and nothing is taken in; the plan as it was made is not.
func TestChangedPlans(t *testing.T) {
	c := newCourier(t, drivertest.Random(t))
	osFs := afero.NewOsFs()
	c.send(osFs, "globex")
	c.deliver(osFs, "acme", c.sent["globex"][0].content)
	c.apply(osFs, "acme")
	c.send(osFs, "acme")
	honest := c.sent["acme"][0].content
	h, _, _ := c.opened(honest, "globex")
	changes := fieldChanges(h.Cargo.Plan)
	for name, change := range planChanges() {
		changes[name] = change
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			code, out := c.deliver(osFs, "globex", c.changed(honest, "globex", change))
			want := unfoundedPlan
			if name == "write.Site" {
				want = unfitRun // its journal would have to be another one, too
			}
			if code != exitRefused || !strings.Contains(out, "[bundle/"+string(want)+"]") {
				t.Errorf("exit code %d: %s", code, out)
			}
			runs, err := os.ReadDir(filepath.Join(c.dir, "globex", ".syncctl", "runs"))
			if err != nil && !errors.Is(err, os.ErrNotExist) || len(runs) > 0 {
				t.Errorf("taken in: %v, %v", runs, err)
			}
		})
	}
	age := func(h *handed) { // it is not in the hash, and is not believed
		for i := range h.Cargo.Plan.Sites {
			h.Cargo.Plan.Sites[i].Observed = &planner.Age{At: time.Unix(0, 0).UTC(), By: "nobody-at-all"}
		}
	}
	if code, out := c.deliver(osFs, "globex", c.changed(honest, "globex", age)); code != exitDone {
		t.Errorf("another age alone: exit code %d: %s", code, out)
	}
	kept := c.plan("globex")
	for _, site := range kept.Sites {
		if o := site.Observed; (o == nil) != (site.Name == kept.Turns[0].Site) || o != nil && o.By == "nobody-at-all" {
			t.Errorf("kept of %s: %+v", site.Name, o)
		}
	}
}
