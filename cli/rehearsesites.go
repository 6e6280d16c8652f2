package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
	"github.com/syncctl/syncctl/signing"
)

// sitesRehearsal is a rehearsal over sites. Each site has its own process, folder and SSH key, and only bundles are
// carried between them. One process runs at a time, and during that everything outside of its site is unreachable.
type sitesRehearsal struct {
	*scratch

	self     string // the program
	sites    []*rehearsedSite
	planner  *rehearsedSite
	lanes    *view.Lanes
	contacts *contacts
	carried  int // bundles

	exchanges int // from one turn of the plan to the next
}

// rehearsedSite is one site of a rehearsal.
type rehearsedSite struct {
	name    string
	dir     string   // with everything that the site has
	reaches []string // names of reachable simulated servers and machines: its own
	env     []string // of its processes
	sent    int      // the number of its latest bundle

	received bool // it has received a bundle
}

func (s *rehearsedSite) work() string { return filepath.Join(s.dir, "work") }
func (s *rehearsedSite) user() string { return filepath.Join(s.dir, "user") }
func (s *rehearsedSite) key() string  { return filepath.Join(s.dir, "key") }

// rehearsedConfig returns the configuration of the scratch folder.
func (s *scratch) rehearsedConfig(ctx context.Context) (*schema.Config, error) {
	inside := s.inside()
	inside.stdout, inside.stderr, inside.tty = io.Discard, io.Discard, terminal{}
	c := &command{app: inside, log: s.log, cwd: inside.cwd, out: s.out, err: s.err}
	if err := errors.Join(c.openPolicy(), c.enter(".")); err != nil {
		return nil, err
	}
	p, diags := c.read(ctx, nil, true)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.redactor = p.cfg.Redactor()
	if diags.HasErrors() {
		return nil, errors.Join(s.diagnostics(diags, p.cfg.Files), exitQuietly(exitError))
	}
	return p.cfg, s.knownSite(p.cfg)
}

// sitesOf prepares a rehearsal over the sites of a configuration.
func (s *scratch) sitesOf(ctx context.Context, cfg *schema.Config, asked *contacts) (*sitesRehearsal, error) {
	r := &sitesRehearsal{scratch: s, contacts: asked}
	err := apart(s.box.Servers(), s.box.Machines())
	if err != nil {
		return nil, err
	}
	if r.self, err = s.app.executable(); err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	planning := cmp.Or(s.site(), firstSite(cfg))
	names, keys := make([]string, 0, len(cfg.Settings.Sites)), strings.Builder{}
	for _, site := range cfg.Settings.Sites {
		one := &rehearsedSite{name: site.Name, dir: filepath.Join(s.root, "sites", site.Name), reaches: s.reachedBy(cfg,
			site.Name)}
		line, err := s.furnish(ctx, one)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&keys, "%s %s\n", site.Name, line)
		if r.sites = append(r.sites, one); site.Name == planning {
			r.planner = one
		}
		names = append(names, site.Name)
	}
	file := filepath.Join(s.root, "site-keys")
	if err := afero.WriteFile(s.app.fs, file, []byte(keys.String()), 0o600); err != nil {
		return nil, fmt.Errorf("writing the keys of the sites: %w", err)
	}
	r.lanes = view.NewLanes(s.out, s.outStyle, names)
	for _, site := range r.sites {
		site.env = r.environmentOf(site, file)
	}
	return r, nil
}

// apart refuses simulated servers and machines of two products with the same name, because names decide what a site
// reaches and has credentials for.
func apart(servers []sandbox.Server, machines []sandbox.Machine) error {
	for _, m := range machines {
		servers = append(servers, sandbox.Server{Product: m.Product, Name: m.Name})
	}
	product := map[string]string{}
	for _, s := range servers {
		if other, taken := product[s.Name]; taken && other != s.Product {
			return failf(exitError, "%s: %s and %s both have a server or machine %q. A rehearsal over sites keeps them apart "+
				"by their names: give one of them another name", seedFile, other, s.Product, s.Name)
		}
		product[s.Name] = s.Product
	}
	return nil
}

// firstSite returns the site whose block is first in the files.
func firstSite(cfg *schema.Config) string {
	first := slices.MinFunc(cfg.Settings.Sites, func(a, b *schema.Site) int {
		return cmp.Or(cmp.Compare(a.Range.Filename, b.Range.Filename), cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte))
	})
	return first.Name
}

// reachedBy returns the simulated servers and machines that a site's process may contact: those at the addresses of
// its own declarations.
func (s *scratch) reachedBy(cfg *schema.Config, site string) []string {
	var used policy.Used
	for _, r := range cfg.Resources {
		if r.Site == site {
			declare.Use(&used, r, s.work, "")
		}
	}
	return s.box.NamesAt(slices.Collect(maps.Keys(used.Hosts)))
}

// furnish creates the folder of a site, with an SSH key for the rehearsal, and returns the key's public half.
func (s *scratch) furnish(ctx context.Context, site *rehearsedSite) (string, error) {
	if err := s.app.fs.MkdirAll(site.user(), 0o700); err != nil {
		return "", fmt.Errorf("creating the folder of site %s: %w", site.name, err)
	}
	if err := s.copyExample(ctx, s.work, site.work()); err != nil {
		return "", err
	}
	private, public, err := signing.Generate(s.app.random, site.name)
	if err == nil {
		err = afero.WriteFile(s.app.fs, site.key(), private, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("giving site %s a key: %w", site.name, err)
	}
	return public, nil
}

// environmentOf returns the complete environment of a site's processes. It contains only the site's own simulated
// servers.
func (r *sitesRehearsal) environmentOf(site *rehearsedSite, keys string) []string {
	env := r.box.EnvironmentOf(site.reaches)
	foreign := r.box.Environment() // including other sites' variables: the files may read them, and find nothing
	names := slices.Sorted(maps.Keys(foreign))
	maps.Copy(env, map[string]string{
		sandbox.EnvRehearsal: strings.Join(names, ","), sandbox.EnvSiteKeys: keys, siteVariable: site.name,
		siteKeyVariable: site.key(), "SYNCCTL_CONFIG_DIR": site.user(), "SYNCCTL_INPUT": "0",
	})
	if r.flags.untrusted {
		env[sandbox.EnvUntrusted] = "1"
	}
	if name, asked := r.policyFile(); asked || r.foundPolicy {
		env["SYNCCTL_POLICY"] = name
	}
	if room := r.lanes.Room(); room > 0 {
		env["COLUMNS"] = fmt.Sprint(room)
	}
	var out []string
	for _, v := range r.app.environ() {
		name, _, _ := strings.Cut(v, "=")
		_, simulated := foreign[name]
		_, set := env[name]
		own := strings.HasPrefix(name, "SYNCCTL_CLI_ARGS") || name == "SYNCCTL_DATA_DIR" || name == "SYNCCTL_POLICY"
		if !simulated && !set && !own && name != "COLUMNS" {
			out = append(out, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, name+"="+env[name])
	}
	return out
}

// rehearsedKeys returns the SSH keys of the sites in a rehearsal, or nil outside of one.
func (c *command) rehearsedKeys() (map[string][]string, error) {
	name, _ := c.app.env(sandbox.EnvSiteKeys)
	if name == "" || !c.simulated() {
		return nil, nil
	}
	text, err := schema.ReadBounded(c.app.fs, c.app.abs(name), mostOfKey)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		site, key, _ := strings.Cut(strings.TrimSpace(line), " ")
		keys[site] = append(keys[site], key)
	}
	return keys, nil
}

// run carries out a command as a site, with all servers of other sites out of reach, and returns its exit code.
func (r *sitesRehearsal) run(ctx context.Context, site *rehearsedSite, args ...string) (int, error) {
	lane := r.lanes.Lane(site.name)
	fmt.Fprintln(lane, r.outStyle.Bold("$ syncctl "+strings.Join(args, " ")))
	out := io.Writer(lane)
	var whole bytes.Buffer
	brief := args[0] == "receive" && site.received
	if brief {
		out = &whole
	}
	if r.outStyle.Color {
		args = append(args, "-color=always")
	} else {
		args = append(args, "-color=never")
	}
	signals := make(chan os.Signal, 4)
	restore := r.app.interrupts.During(func(s os.Signal) {
		select {
		case signals <- s:
		default: // several signals are waiting already
		}
	})
	defer restore()
	r.box.Isolate(site.reaches)
	r.contacts.begin(r.app.clock.Now(), site)
	code, err := sandbox.Process{
		Executable: r.self, Args: args, Dir: site.work(), Env: site.env, Stdout: out, Stderr: out, Signals: signals,
	}.Run(context.WithoutCancel(ctx)) // the process itself handles an interrupt
	if brief { // the contents of a bundle were shown before
		said := whole.String()
		if code == exitDone {
			said = said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:]
		}
		fmt.Fprint(lane, said)
	}
	site.received = site.received || args[0] == "receive"
	if err := errors.Join(err, lane.Close(), r.contacts.strayed()); err != nil {
		return code, err
	}
	fmt.Fprintln(lane)
	return code, ctx.Err()
}

// must is like run, but returns an error unless the command exits with one of the given codes.
func (r *sitesRehearsal) must(ctx context.Context, site *rehearsedSite, codes []int, args ...string) (int, error) {
	code, err := r.run(ctx, site, args...)
	if err == nil && !slices.Contains(codes, code) {
		return code, exitQuietly(max(code, exitError))
	}
	return code, err
}

// hand makes a site send what the others lack, carries the bundle to each of them, and makes them receive it.
func (r *sitesRehearsal) hand(ctx context.Context, from *rehearsedSite) error {
	if _, err := r.must(ctx, from, []int{exitDone}, "send"); err != nil {
		return err
	}
	from.sent++
	return r.carry(ctx, from)
}

// carry carries the latest bundle of a site to all others.
func (r *sitesRehearsal) carry(ctx context.Context, from *rehearsedSite) error {
	name := fmt.Sprintf("%s-%d.syncbundle", from.name, from.sent)
	content, err := afero.ReadFile(r.app.fs, filepath.Join(from.work(), name))
	if err != nil {
		return fmt.Errorf("carrying a bundle: %w", err)
	}
	for _, to := range r.sites {
		if to == from {
			continue
		}
		if err := afero.WriteFile(r.app.fs, filepath.Join(to.work(), name), content, 0o600); err != nil {
			return fmt.Errorf("carrying a bundle: %w", err)
		}
		r.carried++
		if _, err := r.must(ctx, to, []int{exitDone}, "receive", name); err != nil {
			return err
		}
	}
	return nil
}

// plan makes the plan at a site. If it lacks observations of other sites' servers, these send them. They may depend on
// what the site's own servers show, so the other sites are told that first.
func (r *sitesRehearsal) plan(ctx context.Context, site *rehearsedSite, codes []int, args ...string) (int, error) {
	for range len(r.sites) + 1 {
		code, err := r.must(ctx, site, append([]int{exitWaiting}, codes...), append([]string{"plan"}, args...)...)
		if err != nil || code != exitWaiting {
			return code, err
		}
		if err := r.hand(ctx, site); err != nil {
			return exitError, err
		}
		for _, other := range r.sites {
			if other == site {
				continue
			}
			if err := r.hand(ctx, other); err != nil {
				return exitError, err
			}
		}
	}
	return exitError, failf(exitError, "site %s cannot plan, although all other sites have sent what they can", site.name)
}

// rehearse plays all sites, from the first observations for the planning site to the second plan of each.
func (r *sitesRehearsal) rehearse(ctx context.Context) error {
	at := r.planner.name
	r.heading("1. syncctl send: what the plan needs to know of the other sites' servers")
	if err := r.lanes.Head(); err != nil {
		return err
	}
	for _, site := range r.sites {
		if site != r.planner {
			if err := r.hand(ctx, site); err != nil {
				return err
			}
		}
	}
	r.heading("2. syncctl plan at " + at + ": all sites in one plan, and who acts when")
	if _, err := r.plan(ctx, r.planner, []int{exitDone}, "-out="+rehearsedPlan); err != nil {
		return err
	}
	text, err := afero.ReadFile(r.app.fs, filepath.Join(r.planner.work(), rehearsedPlan))
	if err != nil {
		return err
	}
	plan, err := planner.Decode(bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.heading("3. syncctl apply: each site its own steps, in turn")
	if err := r.turns(ctx, plan); err != nil {
		return err
	}
	r.heading("4. syncctl plan: what is left to do, seen from each site")
	return r.second(ctx, plan.Turns)
}

func (r *sitesRehearsal) heading(text string) { r.say("\n%s\n", r.outStyle.Bold("== "+text+" ==")) }

// turns carries out a plan, whose turns say which site acts when.
func (r *sitesRehearsal) turns(ctx context.Context, plan *planner.Plan) error {
	for i, turn := range plan.Turns {
		site := r.named(turn.Site)
		args, code := []string{"apply", "-auto-approve"}, exitWaiting
		if i == 0 {
			args = append(args, rehearsedPlan)
		}
		if i == len(plan.Turns)-1 {
			code = exitDone
		}
		if _, err := r.must(ctx, site, []int{code}, args...); err != nil {
			return err
		}
		if i > 0 {
			r.exchanges++
		}
		site.sent++ // apply has written the bundle
		if err := r.carry(ctx, site); err != nil {
			return err
		}
	}
	return nil
}

func (r *sitesRehearsal) named(name string) *rehearsedSite {
	return r.sites[slices.IndexFunc(r.sites, func(s *rehearsedSite) bool { return s.name == name })]
}

// second makes all sites observe and plan again. The last bundle of a run contains the observations of its own site.
func (r *sitesRehearsal) second(ctx context.Context, turns []planner.Turn) (err error) {
	for _, site := range r.sites {
		if len(turns) > 0 && site.name == turns[len(turns)-1].Site {
			continue
		}
		if err := r.hand(ctx, site); err != nil {
			return err
		}
	}
	show := r.lanes.Together()
	defer func() { err = errors.Join(err, show()) }()
	for _, site := range r.sites {
		code, err := r.plan(ctx, site, []int{exitDone, exitChanges}, "-detailed-exitcode")
		if err != nil {
			return err
		}
		if code == exitChanges {
			return failf(exitError, "the second plan of site %s still has steps: applying the first one did not lead to what "+
				"is declared", site.name)
		}
	}
	return nil
}

// words describes how much was carried, and what the processes of each site contacted.
func (r *sitesRehearsal) words() string {
	words := wording.Plural(r.exchanges, "exchange") + " with the plan, " + wording.Plural(r.carried, "bundle") +
		" carried"
	for _, site := range r.sites {
		servers, machines := 0, 0
		for _, s := range r.box.Servers() {
			if slices.Contains(site.reaches, s.Name) {
				servers++
			}
		}
		for _, m := range r.box.Machines() {
			if slices.Contains(site.reaches, m.Name) {
				machines++
			}
		}
		asked := r.contacts.by[site.name]
		if asked == nil {
			asked = &counter{}
		}
		words += ".\n  " + site.name + ": " + asked.words(servers, machines)
	}
	return words
}
