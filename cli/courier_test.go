package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	randv2 "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/signing"
	"golang.org/x/crypto/ssh"
)

// ticking is a clock on which every look takes a second.
type tickingClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *tickingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Second)
	return c.now
}

func (*tickingClock) After(time.Duration) <-chan time.Time { return time.After(0) }

// killed is the file system of a process that dies at its nth write: nothing is written any more.
type killed struct {
	afero.Fs
	left *int
}

var errDied = errors.New("the process has died")

func (k killed) dies() error {
	if *k.left--; *k.left < 0 {
		return errDied
	}
	return nil
}

func (k killed) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		if err := k.dies(); err != nil {
			return nil, err
		}
	}
	f, err := k.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return killedFile{f, k}, nil
}

func (k killed) Create(name string) (afero.File, error) {
	return k.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (k killed) Rename(from, to string) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Fs.Rename(from, to)
}

func (k killed) Remove(name string) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Fs.Remove(name)
}

func (k killed) RemoveAll(name string) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Fs.RemoveAll(name)
}

func (k killed) MkdirAll(name string, perm fs.FileMode) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Fs.MkdirAll(name, perm)
}

type killedFile struct {
	afero.File
	k killed
}

func (f killedFile) Write(p []byte) (int, error) {
	if err := f.k.dies(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

// courier is one history: two sites, and everything that was ever sent between them.
type courier struct {
	t       *testing.T
	random  *randv2.Rand
	world   *library
	dir     string
	clock   *tickingClock
	lines   map[string]string // of authorized_keys, by site
	sent    map[string][]sentFile
	backups map[string]string
	log     []string
}

type sentFile struct {
	content []byte
	to      string
}

var sites = []string{"acme", "globex"}

func otherSite(site string) string { return sites[1-slices.Index(sites, site)] }

// keyFor writes the SSH key that a name stands for, and returns its public half.
func keyFor(t *testing.T, name, path string) string {
	t.Helper()
	seed := bytes.Repeat([]byte{name[0]}, ed25519.SeedSize)
	secret := ed25519.NewKeyFromSeed(seed)
	block, err := ssh.MarshalPrivateKey(secret, "")
	signer, err2 := ssh.NewSignerFromKey(secret)
	if err := errors.Join(err, err2, os.WriteFile(path, pem.EncodeToMemory(block), 0o600)); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " admin@" + name
}

func newCourier(t *testing.T, random *randv2.Rand) *courier {
	t.Helper()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	c := &courier{t: t, random: random, world: newLibrary(t), dir: t.TempDir(), clock: &tickingClock{now: now},
		lines: map[string]string{}, sent: map[string][]sentFile{}, backups: map[string]string{}}
	var cfg strings.Builder
	for _, site := range sites {
		c.lines[site] = keyFor(t, site, filepath.Join(c.dir, site+".key"))
		fmt.Fprintf(&cfg, "site %q {\n  signers = [%q]\n}\n\n", site, c.lines[site])
		fmt.Fprintf(&cfg, "server \"shelf\" %q {\n  url = \"https://%s.example\"\n  user = \"u\"\n", site, site)
		fmt.Fprintf(&cfg, "  password = env(%q)\n  site = %q\n}\n\n", strings.ToUpper(site)+"_PASSWORD", site)
	}
	cfg.WriteString("sync \"shelf\" \"atlas\" {\n  from = server.shelf.acme\n  to = server.shelf.globex\n" +
		"  book = \"atlas\"\n}\n")
	for _, site := range sites {
		dir, user := filepath.Join(c.dir, site), filepath.Join(c.dir, site+".user")
		err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(user, 0o700),
			os.WriteFile(filepath.Join(user, "key"), bytes.Repeat([]byte{1}, keyLength), 0o600))
		file := filepath.Join(dir, "main.sync.hcl")
		if err := errors.Join(err, os.WriteFile(file, []byte(cfg.String()), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// run carries out a command as the people of a site. fsys is what the process has of the disk.
func (c *courier) run(fsys afero.Fs, site string, args ...string) (int, string) {
	var out bytes.Buffer
	a := &app{
		stdout: &out, stderr: &out, fs: fsys, cwd: filepath.Join(c.dir, site), clock: c.clock, random: rand.Reader,
		interrupts: &interrupt.Interrupts{},
		env: func(name string) (string, bool) {
			v, ok := map[string]string{
				"SYNCCTL_CONFIG_DIR": filepath.Join(c.dir, site+".user"), "SYNCCTL_SITE": site, "SYNCCTL_INPUT": "0",
				strings.ToUpper(site) + "_PASSWORD": "password-of-" + site,
			}[name]
			return v, ok
		},
		environ:  func() []string { return nil },
		products: []Product{{Name: "shelf", Driver: func(driver.Env) driver.Driver { return mover{c.world, site} }}},
	}
	code := a.run(context.WithoutCancel(c.t.Context()), args)
	c.log = append(c.log, fmt.Sprintf("%s %s: %d", site, strings.Join(args, " "), code))
	if strings.Contains(out.String(), "password-of") {
		c.t.Errorf("a secret is shown: %s", out.String())
	}
	return code, out.String()
}

// disk is what a process has of it: now and then one that dies.
func (c *courier) disk() afero.Fs {
	if c.random.IntN(5) > 0 {
		return afero.NewOsFs()
	}
	left := c.random.IntN(40)
	c.log = append(c.log, fmt.Sprintf("(dies at write %d)", left))
	return killed{afero.NewOsFs(), &left}
}

func (c *courier) key(site string) string { return "-key=" + filepath.Join(c.dir, site+".key") }

// command has the folder of a site at hand.
func (c *courier) command(site string) *command {
	dir := filepath.Join(c.dir, site)
	return &command{dir: dir, app: &app{fs: afero.NewOsFs(), clock: c.clock, env: func(name string) (string, bool) {
		v, ok := map[string]string{"SYNCCTL_CONFIG_DIR": dir + ".user", "SYNCCTL_SITE": site}[name]
		return v, ok
	}}}
}

// plan is that of a site's only run.
func (c *courier) plan(site string) *planner.Plan {
	names, err := filepath.Glob(filepath.Join(c.dir, site, ".syncctl", "runs", "*", "plan.json"))
	if err != nil || len(names) != 1 {
		c.fail("runs of %s: %q, %v", site, names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		c.fail("%v", err)
	}
	p, err := planner.Decode(bytes.NewReader(text))
	if err != nil {
		c.fail("%v", err)
	}
	return p
}

func (c *courier) apply(fsys afero.Fs, site string) (int, string) {
	code, out := c.run(fsys, site, "plan")
	if code == exitDone {
		c.world.applied[site] = true // whoever applies a plan that can be made has approved it
		code, out = c.run(fsys, site, "apply", "-auto-approve")
	}
	return code, out
}

// send gives the newest bundle of a site; nil: none was written.
func (c *courier) send(fsys afero.Fs, site string) (int, string) {
	out := filepath.Join(c.dir, "bundle")
	_ = os.Remove(out)
	code, said := c.run(fsys, site, "send", c.key(site), "-out="+out)
	if content, err := os.ReadFile(out); err == nil {
		c.sent[site] = append(c.sent[site], sentFile{content, otherSite(site)})
	}
	return code, said
}

func (c *courier) deliver(fsys afero.Fs, to string, content []byte) (int, string) {
	in := filepath.Join(c.dir, "arrived")
	if err := os.WriteFile(in, content, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return c.run(fsys, to, "receive", c.key(to), in)
}

// forge is a bundle that somebody else makes in a site's name, with all that she has seen of one.
func (c *courier) forge(from string) []byte {
	path := filepath.Join(c.dir, "eve.key")
	keyFor(c.t, "eve", path)
	text, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	var b bytes.Buffer
	m := bundle.Manifest{From: from, Number: 1, Created: c.clock.Now()}
	to := []bundle.Receiver{{Site: otherSite(from), Keys: []string{c.lines[otherSite(from)]}}}
	_, err = bundle.Write(c.t.Context(), &b, m, to,
		nil, func(manifest []byte) ([]byte, error) {
			key, err := signing.ParsePrivate(text, nil)
			if err != nil {
				return nil, err
			}
			signer, err := key.Signer()
			if err != nil {
				return nil, err
			}
			return signing.Sign(rand.Reader, signer, bundle.Namespace, manifest)
		})
	if err != nil {
		c.t.Fatal(err)
	}
	return b.Bytes()
}

// damaged is a bundle as a bad courier brings it.
func (c *courier) damaged(content []byte) []byte {
	content = bytes.Clone(content)
	at := c.random.IntN(len(content))
	switch c.random.IntN(3) {
	case 0:
		return content[:at]
	case 1:
		content[at] ^= 1 << c.random.IntN(8)
		return content
	}
	return append(content, content[at:]...)
}

// act does one thing of a history at random.
func (c *courier) act() {
	site := sites[c.random.IntN(2)]
	switch c.random.IntN(16) {
	case 0, 1, 2:
		c.apply(c.disk(), site)
	case 3, 4, 5:
		c.send(c.disk(), site)
	case 6, 7, 8, 9: // the newest arrives
		if all := c.sent[site]; len(all) > 0 {
			c.deliver(c.disk(), otherSite(site), all[len(all)-1].content)
		}
	case 10: // one of those before arrives late, or again
		if all := c.sent[site]; len(all) > 0 {
			c.deliver(c.disk(), otherSite(site), all[c.random.IntN(len(all))].content)
		}
	case 11: // it arrives changed, or at somebody else's
		if all := c.sent[site]; len(all) > 0 {
			content, to := c.damaged(all[c.random.IntN(len(all))].content), otherSite(site)
			if c.random.IntN(3) == 0 {
				content, to = all[len(all)-1].content, site
			}
			if code, out := c.deliver(afero.NewOsFs(), to, content); code != exitRefused {
				c.fail("a damaged or foreign bundle: exit code %d: %s", code, out)
			}
		}
	case 12:
		if code, out := c.deliver(afero.NewOsFs(), otherSite(site), c.forge(site)); code != exitRefused {
			c.fail("a forged bundle: exit code %d: %s", code, out)
		}
	case 13, 14:
		c.backUp(site)
	case 15:
		c.restore(site)
	}
}

// backUp copies what a site has on its disk.
func (c *courier) backUp(site string) {
	c.log = append(c.log, site+" is backed up")
	to, err := os.MkdirTemp(c.dir, "backup")
	if err == nil {
		err = os.CopyFS(filepath.Join(to, "site"), os.DirFS(filepath.Join(c.dir, site)))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.backups[site] = filepath.Join(to, "site")
}

// restore replaces it with the backup.
func (c *courier) restore(site string) {
	from := c.backups[site]
	if from == "" {
		return
	}
	c.log = append(c.log, site+" is restored")
	dir := filepath.Join(c.dir, site)
	err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(from)))
	if err != nil {
		c.t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *courier) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(c.log, "\n"))
}

// finish carries all bundles as they should be, until both sites have nothing to do. It gives the refusal that
// stopped them.
func (c *courier) finish() string {
	for range 8 {
		for _, site := range sites {
			if code, out := c.apply(afero.NewOsFs(), site); code != exitDone && code != exitWaiting && !needsOther(out) {
				return out
			}
			if code, out := c.send(afero.NewOsFs(), site); code != exitDone {
				return out
			}
			all := c.sent[site]
			if code, out := c.deliver(afero.NewOsFs(), otherSite(site), all[len(all)-1].content); code != exitDone {
				return out
			}
		}
		done := true
		for _, site := range sites {
			code, out := c.run(afero.NewOsFs(), site, "plan", "-detailed-exitcode")
			done = done && code == exitDone && strings.Contains(out, "No changes")
		}
		if done {
			return ""
		}
	}
	return "it goes on for ever"
}

// needsOther tells whether a plan could not be made because the other site has to send something.
func needsOther(out string) bool { return strings.Contains(out, "has to run `syncctl send`") }

// startOver is the way on that refusals name: the run is abandoned at both sites, and what was exchanged forgotten.
func (c *courier) startOver() {
	c.log = append(c.log, "both start over")
	c.world.applied = map[string]bool{}
	for _, site := range sites {
		c.run(afero.NewOsFs(), site, "resolve", "-abandon", "-auto-approve")
		for _, name := range []string{"received", "sent"} {
			if err := os.RemoveAll(filepath.Join(c.dir, site, ".syncctl", name)); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// TestCourier: whatever happens to the bundles, to processes and to one site's disk: a history ends with the world as
// one process would have left it, or stops with a reason, and the way on that is named leads there. Nothing is sent
// twice, and nothing is removed that not both have approved.
func TestCourier(t *testing.T) {
	histories := 10
	if drivertest.TestsAll() {
		histories = 2000
	}
	random := drivertest.Random(t)
	ended := map[string]int{}
	for n := range histories {
		c := newCourier(t, random)
		for range 4 + random.IntN(20) {
			c.act()
		}
		why := c.finish()
		if why != "" {
			ended["stopped"]++
			if !strings.Contains(why, "[bundle/") && !strings.Contains(why, "resolve") {
				c.fail("history %d stops without a reason and a way on: %s", n, why)
			}
			c.startOver()
			if why := c.finish(); why != "" {
				c.fail("history %d does not end after starting over: %s", n, why)
			}
		}
		ended["done"]++
		if !c.world.moved() || c.world.sent["put"] != 1 || c.world.sent["remove"] != 1 {
			c.fail("history %d: %v, sent %v", n, c.world.shelves, c.world.sent)
		}
		if t.Failed() {
			c.fail("history %d", n)
		}
	}
	t.Logf("%v", ended)
}

// TestWordForAnotherSite: a person's word does not stand for a check on which a step of another site rests.
func TestWordForAnotherSite(t *testing.T) {
	c := newCourier(t, drivertest.Random(t))
	osFs := afero.NewOsFs()
	c.send(osFs, "globex")
	c.deliver(osFs, "acme", c.sent["globex"][0].content)
	c.apply(osFs, "acme")
	c.send(osFs, "acme")
	c.deliver(osFs, "globex", c.sent["acme"][0].content)
	for op, want := range map[string]string{"look": `guards sync.shelf.atlas/remove of site "acme"`, "put": "Recorded"} {
		if code, out := c.run(osFs, "globex", "resolve", op, "-done", "-auto-approve"); !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d: %s", op, code, out)
		}
	}
}

// TestObservationsOfServersDeclaredLater: what a site sent of a server before the server was declared, at another
// site, does not stand for asking it.
func TestObservationsOfServersDeclaredLater(t *testing.T) {
	c := newCourier(t, drivertest.Random(t))
	osFs := afero.NewOsFs()
	c.send(osFs, "globex")
	c.deliver(osFs, "acme", c.sent["globex"][0].content)
	store := c.command("acme").store()
	sent, err := store.Seen("globex")
	if err != nil || sent == nil {
		t.Fatalf("%v, %v", sent, err)
	}
	before := planner.Need{Server: "server.shelf.acme", What: "book", Of: "atlas"}
	later := planner.Need{Server: "server.shelf.later", What: "book", Of: "atlas"}
	sent.Put(later, c.clock.Now(), "mallory", &seenBook{There: false})
	sent.Put(before, c.clock.Now().Add(time.Hour), "mallory", &seenBook{There: false})
	if err := store.KeepSeen(t.Context(), "globex", sent); err != nil {
		t.Fatal(err)
	}
	if code, out := c.run(osFs, "acme", "plan"); code != exitDone || !strings.Contains(out, "remove it here") {
		t.Errorf("exit code %d: %s", code, out)
	}
	c.send(osFs, "acme")
	h, _, _ := c.opened(c.sent["acme"][0].content, "globex")
	if got := h.Observations.Servers(); !slices.Equal(got, []string{"server.shelf.acme"}) {
		t.Errorf("acme sends on what globex says of %q", got)
	}
}
