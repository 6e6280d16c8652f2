package cli

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
)

// counted is a file system that never dies, and says how many writes there were.
func counted() (fsys afero.Fs, writes func() int) {
	left := 1 << 30
	return killed{afero.NewOsFs(), &left}, func() int { return 1<<30 - left }
}

// taken is what a site has of its run, without times: the journals, but for the processes that opened its own, the
// names and contents of the run's files, and the last bundle of the other site.
func (c *courier) taken(site string) string {
	c.t.Helper()
	other := otherSite(site)
	key, err := os.ReadFile(filepath.Join(c.dir, site+".user", "key"))
	if err != nil {
		c.t.Fatal(err)
	}
	store := &executor.Store{Fs: afero.NewOsFs(), Dir: filepath.Join(c.dir, site, ".syncctl", "runs"), Now: c.clock.Now,
		Site: site, Key: func() ([]byte, error) { return key, nil }}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	ids, err := store.IDs()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, id := range ids {
		r, err := store.Load(id)
		if err != nil || r.Damage != nil {
			c.fail("the run is damaged: %v, %v", err, r)
		}
		for _, s := range sites {
			for _, e := range r.Chains[s] {
				if e.Event != executor.EventOpened {
					_ = enc.Encode([]any{s, e.Key, e.Event, e.Data})
				}
			}
		}
		err = filepath.WalkDir(filepath.Join(r.Dir, "files"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				var text []byte
				text, err = os.ReadFile(path)
				_ = enc.Encode([]string{filepath.Base(path), string(text)})
			}
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	last, err := (&command{app: &app{fs: afero.NewOsFs(), env: func(string) (string, bool) { return "", false }},
		dir: filepath.Join(c.dir, site)}).inbox().From(other).Last()
	if err != nil {
		c.t.Fatal(err)
	}
	_ = enc.Encode(last)
	for _, pattern := range []string{"received/.receiving", "runs/.*"} {
		left, err := filepath.Glob(filepath.Join(c.dir, site, ".syncctl", pattern))
		if err != nil || len(left) > 0 {
			c.fail("left behind: %q, %v", left, err)
		}
	}
	return b.String()
}

// TestStartOverAfterRestore: one site's folder was restored to a time before its run, and it has begun another: once
// both have given up theirs, they can begin again, although one of them does not know the other's.
func TestStartOverAfterRestore(t *testing.T) {
	c, whole := newCourier(t, drivertest.Random(t)), afero.NewOsFs()
	hand := func(from string) (int, string) {
		if code, out := c.send(whole, from); code != exitDone {
			c.fail("exit code %d: %s", code, out)
		}
		return c.deliver(whole, otherSite(from), c.sent[from][len(c.sent[from])-1].content)
	}
	hand("acme")
	c.backUp("globex")
	c.apply(whole, "globex")
	hand("globex")
	c.restore("globex")
	c.apply(whole, "globex")
	c.apply(whole, "acme")
	if code, out := hand("acme"); code != exitRefused {
		c.fail("exit code %d: %s", code, out)
	}
	c.startOver()
	if why := c.finish(); why != "" || !c.world.moved() {
		c.fail("%s", why)
	}
}

// TestReceiveKilled: a process that dies at any write of receiving what servers showed, a run, or the rest of one with
// a file, has taken in nothing that is wrong, and leaves nothing behind: receiving the same bundle again ends as if it
// had not died, and the run goes on to its end.
func TestReceiveKilled(t *testing.T) {
	random := drivertest.Random(t)
	c := newCourier(t, random)
	ok := func(code int, out string) {
		t.Helper()
		if code != exitDone && code != exitWaiting {
			c.fail("exit code %d: %s", code, out)
		}
	}
	whole := afero.NewOsFs()
	from := "acme"
	for turn := 0; ; turn++ {
		if turn > 0 {
			ok(c.apply(whole, from))
		}
		ok(c.send(whole, from))
		to, content := otherSite(from), c.sent[from][len(c.sent[from])-1].content
		c.backUp(to)
		fsys, writes := counted()
		ok(c.deliver(fsys, to, content))
		want, n := c.taken(to), writes()
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		t.Logf("bundle %d of %s: %d writes", len(c.sent[from]), from, n)
		for _, at := range drivertest.Sample(random, all, 10) {
			c.restore(to)
			left := at
			code, out := c.deliver(killed{whole, &left}, to, content)
			if code == exitDone && at < n-3 { // at the end it only tidies up
				c.fail("write %d fails, and nothing is said: %s", at, out)
			}
			if code, out := c.run(whole, to, "status"); code != exitDone && code != exitWaiting && code != exitStopped {
				c.fail("after a death at write %d, status ends with %d: %s", at, code, out)
			}
			ok(c.deliver(whole, to, content))
			if got := c.taken(to); got != want {
				c.fail("died at write %d:\n%s\nundisturbed:\n%s", at, got, want)
			}
		}
		if c.world.moved() {
			break
		}
		if turn > 6 {
			c.fail("it goes on for ever: %v", c.world.shelves)
		}
		from = to
	}
	if why := c.finish(); why != "" || c.world.sent["put"] != 1 || c.world.sent["remove"] != 1 {
		c.fail("%s, sent %v", why, c.world.sent)
	}
}

// TestEndThatNobodyWasTold: where the process died between the end of a run and the bundle that says so, apply tells of
// the end again. It does not plan by what the other site has shown before, until a bundle was written.
func TestEndThatNobodyWasTold(t *testing.T) {
	c, whole := newCourier(t, drivertest.Random(t)), afero.NewOsFs()
	from, code, out := "acme", -1, ""
	for turn := range 20 {
		if turn > 0 {
			if code, out = c.apply(whole, from); code == exitDone {
				break
			}
		}
		if code, out := c.send(whole, from); code != exitDone {
			c.fail("exit code %d: %s", code, out)
		}
		to := otherSite(from)
		c.deliver(whole, to, c.sent[from][len(c.sent[from])-1].content)
		from = to
	}
	for range 2 {
		if code != exitDone || !strings.Contains(out, "Apply complete!") {
			c.fail("exit code %d: %s", code, out)
		}
		code, out = c.run(whole, from, "apply", "-auto-approve")
	}
	if code, out := c.send(whole, from); code != exitDone {
		c.fail("exit code %d: %s", code, out)
	}
	if code, out = c.run(whole, from, "apply", "-auto-approve"); strings.Contains(out, "Apply complete!") {
		c.fail("told again: exit code %d: %s", code, out)
	}
	ids, err := c.command(from).store().IDs()
	if err != nil || len(ids) != 1 {
		c.fail("%q, %v", ids, err)
	}
	run, err := c.command(from).store().Load(ids[0])
	if err != nil {
		c.fail("%v", err)
	}
	for _, to := range [][]string{{otherSite(from)}, {otherSite(from), "third"}} { // to which nothing was written
		if told, err := c.command(from).toldOf(run, run.Chains[from][:1], to); told != (len(to) == 1) || err != nil {
			c.fail("%q are told: %v, %v", to, told, err)
		}
	}
	c.deliver(whole, otherSite(from), c.sent[from][len(c.sent[from])-1].content)
	if code, out = c.run(whole, otherSite(from), "apply", "-auto-approve"); strings.Contains(out, "Apply complete!") {
		c.fail("a site that has learned of the end tells it: exit code %d: %s", code, out)
	}
}

// TestEndBeforeOtherFiles: where the files were changed since, no bundle can tell of the end any more, and apply does
// not ask for it.
func TestEndBeforeOtherFiles(t *testing.T) {
	c, whole := newCourier(t, drivertest.Random(t)), afero.NewOsFs()
	from := "acme"
	for turn, code := 0, -1; turn < 20 && code != exitDone; turn++ {
		if sent, out := c.send(whole, from); sent != exitDone {
			c.fail("exit code %d: %s", sent, out)
		}
		c.deliver(whole, otherSite(from), c.sent[from][len(c.sent[from])-1].content)
		from = otherSite(from)
		code, _ = c.apply(whole, from)
	}
	name := filepath.Join(c.dir, from, "main.sync.hcl")
	text, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, append(text, "\nsyncctl {\n  parallelism = 3\n}\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, out := c.run(whole, from, "apply", "-auto-approve"); code == exitStale || strings.Contains(out, "resume") {
		c.fail("exit code %d: %s", code, out)
	}
}

// TestChangedBeforeAnotherRun: what the other site showed before it changed something in a run is not planned from,
// also where a later run has changed nothing there.
func TestChangedBeforeAnotherRun(t *testing.T) {
	c, whole := newCourier(t, drivertest.Random(t)), afero.NewOsFs()
	from, code, out := "globex", -1, "" // both have seen the other's servers before the run
	for turn := 0; turn < 20 && code != exitDone; turn++ {
		if sent, out := c.send(whole, from); sent != exitDone {
			c.fail("exit code %d: %s", sent, out)
		}
		c.deliver(whole, otherSite(from), c.sent[from][len(c.sent[from])-1].content)
		if from = otherSite(from); turn > 0 {
			code, out = c.apply(whole, from)
		}
	}
	if sent, out := c.send(whole, from); code != exitDone || sent != exitDone {
		c.fail("exit codes %d, %d: %s", code, sent, out)
	}
	changed := func(when string) {
		t.Helper()
		if code, out = c.run(whole, from, "plan"); code != exitWaiting || !strings.Contains(out, "before a change") {
			c.fail("%s: exit code %d: %s", when, code, out)
		}
	}
	changed("after the run")
	if _, err := c.command(from).store().Create(c.plan(from), nil); err != nil {
		t.Fatal(err)
	}
	if code, out = c.run(whole, from, "resolve", "-abandon", "-auto-approve"); code != exitDone {
		c.fail("exit code %d: %s", code, out)
	}
	changed("after another run")
}
