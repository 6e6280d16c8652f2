package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/signing"
)

// colleagues are Ada, who signs plans, and Bob, whose policy takes her signature. Both have the same files.
type colleagues struct {
	*testing.T

	world *library
	dir   string
}

func newColleagues(t *testing.T) *colleagues {
	t.Helper()
	c := &colleagues{t, newLibrary(t), t.TempDir()}
	c.world.applied = map[string]bool{"acme": true, "globex": true}
	line := keyFor(t, "ada", filepath.Join(c.dir, "ada.key"))
	var cfg strings.Builder
	for _, name := range sites {
		fmt.Fprintf(&cfg, "server \"shelf\" %q {\n  url = \"https://%s.example\"\n  user = \"u\"\n", name, name)
		cfg.WriteString("  password = \"canary-4711\"\n}\n")
	}
	cfg.WriteString("sync \"shelf\" \"atlas\" {\n  from = server.shelf.acme\n  to = server.shelf.globex\n" +
		"  book = \"atlas\"\n}\n")
	for i, who := range []string{"ada", "bob"} {
		c.write(filepath.Join(who, "main.sync.hcl"), []byte(cfg.String()))
		c.write(filepath.Join(who+".user", "key"), bytes.Repeat([]byte{byte(i + 1)}, keyLength))
	}
	c.write("bob.user/policy.hcl", fmt.Appendf(nil, "signers = [%q]\nhost \"*\" {\n}\n", line))
	return c
}

func (c *colleagues) write(name string, text []byte) {
	c.Helper()
	name = filepath.Join(c.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, text, 0o600)); err != nil {
		c.Fatal(err)
	}
}

func (c *colleagues) run(who string, args ...string) (int, string) {
	var out bytes.Buffer
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	a := &app{
		stdout: &out, stderr: &out, fs: afero.NewOsFs(), cwd: filepath.Join(c.dir, who), clock: &tickingClock{now: now},
		random: rand.Reader, interrupts: &interrupt.Interrupts{},
		env: func(name string) (string, bool) {
			v, ok := map[string]string{
				"SYNCCTL_CONFIG_DIR": filepath.Join(c.dir, who+".user"), "SYNCCTL_INPUT": "0",
			}[name]
			return v, ok
		},
		environ:  func() []string { return nil },
		products: []Product{{Name: "shelf", Driver: func(driver.Env) driver.Driver { return mover{c.world, ""} }}},
	}
	code := a.run(context.WithoutCancel(c.Context()), args)
	return code, out.String()
}

// plan is one that Ada has made and signed.
func (c *colleagues) plan(flags ...string) *planner.Plan {
	c.Helper()
	name := filepath.Join(c.dir, "p.syncplan.json")
	flags = append(flags, "-out="+name, "-sign="+filepath.Join(c.dir, "ada.key"))
	code, out := c.run("ada", append([]string{"plan"}, flags...)...)
	content, err := os.ReadFile(name)
	if code != exitDone || err != nil {
		c.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	p, err := planner.Decode(bytes.NewReader(content))
	if err != nil {
		c.Fatal(err)
	}
	return p
}

// sign writes a plan as Ada signs it, whatever it says.
func (c *colleagues) sign(p *planner.Plan) {
	c.Helper()
	reprint(c.T, p)
	var b bytes.Buffer
	key, err := os.ReadFile(filepath.Join(c.dir, "ada.key"))
	if err := errors.Join(err, p.Encode(&b)); err != nil {
		c.Fatal(err)
	}
	private, err := signing.ParsePrivate(key, nil)
	if err != nil {
		c.Fatal(err)
	}
	signer, err := private.Signer()
	if err != nil {
		c.Fatal(err)
	}
	signature, err := signing.Sign(rand.Reader, signer, planNamespace, b.Bytes())
	if err != nil {
		c.Fatal(err)
	}
	c.write("p.syncplan.json", b.Bytes())
	c.write("p.syncplan.json"+signing.Suffix, signature)
}

// TestSignedPlans: a colleague's plan is carried out only if it is the one that is made here. Whatever a step says
// otherwise, nothing is done: also where a step with a harmless mark would remove something.
func TestSignedPlans(t *testing.T) {
	c := newColleagues(t)
	honest, err := json.Marshal(c.plan())
	if err != nil {
		t.Fatal(err)
	}
	fresh := func() (h handed) {
		if err := json.Unmarshal(honest, &h.Cargo.Plan); err != nil {
			t.Fatal(err)
		}
		return h
	}
	changes := fieldChanges(fresh().Cargo.Plan)
	for _, mark := range []planner.Mark{planner.MarkAdd, planner.MarkChange, planner.MarkDelete, planner.MarkPerson,
		planner.MarkCheck, planner.MarkFinal} {
		changes["a removal marked "+string(mark)] = func(h *handed) {
			s := &h.Cargo.Plan.Steps[0]
			s.Op, s.Verb, s.Mark, s.Summary = "remove2", "remove", mark, "count the books"
			s.Effect, s.Guards, s.Needs = nil, nil, nil
			s.ID = planner.StepID(s.Addr, s.Op)
			h.Cargo.Plan.Steps = h.Cargo.Plan.Steps[:1]
		}
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			h := fresh()
			change(&h)
			c.sign(h.Cargo.Plan)
			code, out := c.run("bob", "apply", "-auto-approve", "../p.syncplan.json")
			if code != exitStale && (code != exitError || strings.Contains(name, "removal")) {
				t.Errorf("exit code %d: %s", code, out)
			}
			runs, err := os.ReadDir(filepath.Join(c.dir, "bob", ".syncctl", "runs"))
			there := c.world.shelves["server.shelf.acme"]["atlas"] != ""
			if err != nil && !errors.Is(err, os.ErrNotExist) || len(runs) > 0 || !there {
				t.Fatalf("carried out: %v, %v", runs, err)
			}
		})
	}
	for _, flags := range [][]string{{"-target=server.shelf.acme"}, {"-exclude=server.shelf.acme"}, nil} {
		c.sign(c.plan(flags...))
		if code, out := c.run("bob", "apply", "-auto-approve", "../p.syncplan.json"); code != exitDone {
			t.Errorf("%s: as it was made: exit code %d: %s", flags, code, out)
		}
	}
	if !c.world.moved() {
		t.Error("as it was made, it is not carried out")
	}
}

// TestCarriedOutOnce: a plan that was carried out is not carried out from its file once more, and what is said to do
// instead works, also where the servers have come back to where they were.
func TestCarriedOutOnce(t *testing.T) {
	c := newColleagues(t)
	name := filepath.Join(c.dir, "own.syncplan.json")
	if code, out := c.run("bob", "plan", "-out="+name); code != exitDone {
		t.Fatalf("exit code %d: %s", code, out)
	}
	if code, out := c.run("bob", "apply", "-auto-approve", name); code != exitDone {
		t.Fatalf("exit code %d: %s", code, out)
	}
	c.world.shelves = newLibrary(t).shelves
	code, out := c.run("bob", "apply", "-auto-approve", name)
	if code != exitStale || !strings.Contains(out, "`syncctl apply` without a file") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, out := c.run("bob", "apply", "-auto-approve"); code != exitDone || !c.world.moved() {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// TestForeignPlanIsShownWhole: of a plan that somebody else has made, show tells which verbs its steps have, and what a
// person and a program are given, without -detail.
func TestForeignPlanIsShownWhole(t *testing.T) {
	c := newColleagues(t)
	p := c.plan()
	s := &p.Steps[0]
	s.Verb = "verb-4711"
	s.Manual = &planner.Manual{Where: "at the desk", Do: []string{"look-4712"}, Commands: []string{"run-4713"},
		Values: []planner.Value{{Name: "n", Label: "Name", Value: "value-4714", Shown: "shown-4715"}}}
	c.sign(p)
	_, out := c.run("bob", "show", "../p.syncplan.json")
	for _, want := range []string{"verb-4711", "look-4712", "run-4713", "value-4714", "shown-4715"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not shown: %s", want, out)
		}
	}
}
