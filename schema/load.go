// Package schema turns the HCL text of one folder into checked, evaluated, secret-marked declarations. It knows no
// product: what may be written inside a block comes from the Catalog.
package schema

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/redact"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Options is what Load needs of the world.
type Options struct {
	Fs      afero.Fs
	Dir     string  // the folder with the *.sync.hcl and *.sync.hcl.json files
	Catalog Catalog // the types that may be declared

	// Version of the program, compared with required_version. "dev", "" and anything that is not a version satisfy every
	// constraint.
	Version string

	Env  func(name string) (string, bool) // nil: an empty environment
	Vars []VarSource                      // values of variables from the command line, later ones win

	// Ask asks a person for the value of a variable that has no default and was given none, unless AllowUnset is set or
	// something is wrong already. sensitive: the answer must not be shown. The time that it takes is not limited. With an
	// error, or where Ask is nil, the variable is refused. It ends when ctx does.
	Ask func(ctx context.Context, name, description string, sensitive bool) (string, error)

	// Site is the site that the process acts for; "": none, or the configuration has no sites. What only declarations of
	// other sites use need not have a value.
	Site string

	// SiteRequired: servers are to be contacted, so that where there are sites one must be named.
	SiteRequired bool

	// SiteKeys are public SSH keys by site, which stand for the signers and recipients of its block: a rehearsal has no
	// private half of those that are declared.
	SiteKeys map[string][]string

	Access Access // what a policy permits
	Room   Room   // how much reading it may take

	// Run is the run of a test that the configuration is loaded for, whose variables come before all others; nil for none.
	Run *TestRun

	// AllowUnset leaves a variable without value, and an environment variable that is not set, unknown instead of refusing
	// it: for checking files on their own.
	AllowUnset bool
}

// VarSource is one -var-file, -var or -var-command of the command line: File, Assign, or Name with Read.
type VarSource struct {
	File   string // path of a *.syncvars.hcl file, as Fs knows it
	Assign string // "name=value"

	// Name is the variable that Read gives a value, which is sensitive whatever its declaration says. Read is called only
	// for a declared variable that no later source gives a value; the time that it takes is not limited. It ends when ctx
	// does, and its error is shown.
	Name string
	Read func(ctx context.Context) (string, error)
}

// Load reads, checks and evaluates one folder. It reports everything that is wrong in all files at once, ordered by
// place. The Config is never nil; with errors it holds what could be made out, enough for Files and Redactor.
func Load(ctx context.Context, opts Options) (*Config, hcl.Diagnostics) {
	out, ctx := newOutside(ctx, opts.Room)
	defer out.close()
	l := newLoader(ctx, opts, out)
	type loaded struct {
		cfg   *Config
		diags hcl.Diagnostics
		fault error
	}
	done := make(chan loaded, 1)
	go func() {
		var got loaded
		defer func() { done <- got }()
		defer fault.Catch(&got.fault)
		got.cfg, got.diags = l.load(ctx)
	}()
	select {
	case got := <-done:
		l.raise(got.fault)
		return got.cfg, got.diags
	case <-ctx.Done():
		out.finish()
		return l.interrupted(context.Cause(ctx))
	}
}

// newLoader makes the loader of one folder. Nothing is read yet.
func newLoader(ctx context.Context, opts Options, out *outside) *loader {
	if opts.Env == nil {
		opts.Env = func(string) (string, bool) { return "", false }
	}
	l := &loader{
		outside: out,
		meter:   &meter{ctx: ctx},
		ctx:     ctx,
		opts:    opts,
		files:   map[string]*hcl.File{},
		folders: map[string]parsedFolder{},
		root:    newModule(nil, "", ""),
		made:    map[Addr]*Resource{},

		importedTo: map[Addr]hcl.Range{}, importedIDs: map[string]hcl.Range{},

		targets: map[*hcl.Attribute]target{},
		bad:     map[*hcl.Attribute]bool{},
	}
	l.modules = []*module{l.root}
	l.root.instances = []*instance{{of: l.root}}
	l.spellings = spellings{}
	l.foreign = newForeignTexts()
	l.secrets = newSecretSet(l.spellings)
	l.functions = l.newFunctions()
	return l
}

// raise raises a fault. Nobody else knows the secrets yet that its text may have.
func (l *loader) raise(err error) {
	var f *fault.Error
	if errors.As(err, &f) {
		f.Text = l.secrets.redactor().String(f.Text)
	}
	fault.Raise(err)
}

// interrupted is what Load returns when it is not waited for any more. The libraries cannot be interrupted inside of a
// function: that goroutine is left behind, and ends with the process, or when the function does.
func (l *loader) interrupted(err error) (*Config, hcl.Diagnostics) {
	var rng hcl.Range
	if at := l.now.Load(); at != nil {
		rng = *at
	}
	return &Config{byAddr: map[Addr]*Resource{}, openVars: map[string]bool{},
		redactor: newSecretSet(spellings{}).redactor()}, hcl.Diagnostics{l.opts.Room.interrupted(rng, err)}
}

func (l *loader) load(ctx context.Context) (*Config, hcl.Diagnostics) {
	l.ctx = ctx
	if r := l.opts.Run; r != nil {
		l.files[r.test.path] = r.test.source
	}
	for _, body := range l.parsed(l.root) {
		l.collect(l.root, body)
	}
	if l.opts.SiteRequired && l.opts.Site == "" && len(l.sites) > 0 && !l.diags.HasErrors() {
		l.askForSite() // the values that are missing without it need not be reported
		return l.finish(nil, Settings{})
	}
	l.complete()
	if len(l.sites) > 0 { // which values need not be known here follows from who uses them
		l.resolve()
		l.readValues(ctx)
	} else {
		l.readValues(ctx)
		l.resolve()
	}
	l.resolveTest()
	l.validateRoot()
	order := l.order()
	for _, n := range order {
		l.evaluateNode(n)
	}
	l.checkDependsOn()
	l.applyRules()
	l.settleOwners(order)
	l.settleSites(order)
	l.checkMoves()
	l.check(order)
	l.evaluateImports()
	settings := l.settings()
	settings.Sites = l.evaluateSites()
	return l.finish(order, settings)
}

// loader is the state of one Load.
type loader struct {
	ctx       context.Context
	opts      Options
	outside   *outside
	meter     *meter
	now       atomic.Pointer[hcl.Range] // what is evaluated
	diags     hcl.Diagnostics
	problems  map[hcl.DiagnosticSeverity]int // how many there were, kept or not
	files     map[string]*hcl.File
	folders   map[string]parsedFolder // by the module's folder
	functions map[string]function.Function
	secrets   *secretSet
	flow      flow
	read      int64            // bytes of configuration files so far
	expanded  int64            // bytes that would have been written without for_each
	signs     int              // words and signs in them
	masked    []hcl.Range      // source that snippets must not show
	secret    []hcl.Expression // what is written there, and what goes into it, is not shown either
	spellings spellings        // of texts from outside
	foreign   *foreignTexts    // what env() and file() gave

	root     *module
	modules  []*module // the root first, parents before children
	varsVal  cty.Value // of the root module
	nodes    []*node   // of all modules
	rules    []*rule
	targets  map[*hcl.Attribute]target // reference attributes that name a declaration statically
	setBlock []*shaped                 // the syncctl blocks
	sites    []*siteBlock
	uses     uses
	lenient  bool // what is evaluated need not be known here

	ofKeystores map[*node]string
	privates    map[*node]bool // see loader.privateValue
	moved       []movedIn
	moves       []Move // of moved, with whole addresses
	removed     []Move
	importing   []*importing
	imports     []Import
	importedTo  map[Addr]hcl.Range   // where each of them stands, by its address
	importedIDs map[string]hcl.Range // and by its id

	made map[Addr]*Resource      // what was evaluated
	bad  map[*hcl.Attribute]bool // attributes whose expression has been reported already
}

// node is one thing that others refer to and that is evaluated once in each instance of its module.
type node struct {
	key   string // as references in its module call it: "local.x", "server.depot.a"
	mod   *module
	rng   hcl.Range // where it is declared
	needs []edge    // in source order, one for each target

	needed  map[*node]bool // the targets of needs
	depends []target       // of its own depends_on

	// what it is, one of these
	local    *hcl.Attribute
	decl     *decl
	input    *variable // of a module that is not the root
	output   *output
	call     *call
	defaults *defaults

	validates *variable // of the node that stands for a rule

	done   bool
	broken bool        // part of a cycle or not readable; whatever depends on it is left in peace
	vals   []cty.Value // by the index of the module's instance
}

// value is what expressions in one instance of the module see. It is unknown before the node is evaluated.
func (n *node) value(in *instance) cty.Value {
	if !n.done || in.index >= len(n.vals) || n.vals[in.index] == cty.NilVal {
		return cty.DynamicVal
	}
	return n.vals[in.index]
}

// edge is a reference from one node to another.
type edge struct {
	to  *node
	rng hcl.Range
}

// decl is the declaration behind a node: one resource for each key of its for_each, in each instance of its module.
type decl struct {
	addr    Addr // without keys
	mod     *module
	typ     *Type
	meta    meta
	site    *hcl.Attribute // nil where it has none, or where its type has an argument of that name
	shape   *shaped        // nil when the type is unknown or the file was not readable
	rng     hcl.Range
	life    lifecycle
	failed  bool                 // an error has been reported for it
	depends []target             // of depends_on, also of the modules that it is in
	waits   map[*instance][]Addr // what these are, by the instance of the module
	private map[string]bool      // see privateArguments
	inMade  map[string]bool      // the arguments that are private in one of made
	made    [][]*Resource        // by the index of the module's instance, in the order of the keys
}

// maxProblems is how many errors are kept, and how many warnings: more take minutes to write, and nobody reads them.
const maxProblems = 500

// hideSecrets takes secrets, and texts from outside, out of the diagnostics.
func (l *loader) hideSecrets(secrets *redact.Set) {
	foreign := l.foreign.without(l.ownText)
	for i, d := range l.diags {
		c := *d
		c.Summary, c.Detail = secrets.String(d.Summary), foreign.hide(secrets.String(d.Detail), l.ownText)
		if !l.foreign.empty() && d.EvalContext != nil {
			c.Extra = foreignExtra{texts: l.foreign, inner: d.Extra}
		}
		l.diags[i] = &c
	}
}

// add keeps diagnostics. With too many of a kind the rest is only counted: there are errors if there was one.
func (l *loader) add(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		if l.problems == nil {
			l.problems = map[hcl.DiagnosticSeverity]int{}
		}
		if l.problems[d.Severity]++; l.problems[d.Severity] <= maxProblems {
			l.diags = append(l.diags, d)
		}
	}
}

// leftOut says how many diagnostics were not kept.
func (l *loader) leftOut() {
	for _, severity := range []hcl.DiagnosticSeverity{hcl.DiagError, hcl.DiagWarning} {
		if n := l.problems[severity] - maxProblems; n > 0 {
			d := problem(hcl.Range{}, "Too many problems",
				"There are %d more of this kind. Mend the ones that are shown first.", n)
			d.Severity = severity
			l.diags = append(l.diags, d)
		}
	}
}

// finish puts the Config together and takes secrets out of all that is handed on.
func (l *loader) finish(order []*node, settings Settings) (*Config, hcl.Diagnostics) {
	cfg := &Config{Settings: settings, byAddr: map[Addr]*Resource{}, openVars: map[string]bool{}}
	for name, v := range l.root.vars {
		cfg.openVars[name] = !v.masked() && !v.broken
	}
	for _, n := range order {
		for _, val := range n.vals {
			if n.decl == nil {
				l.secrets.collect(val)
			}
		}
		if n.decl == nil || n.decl.shape == nil {
			continue
		}
		for _, made := range n.decl.made {
			for _, r := range made {
				cfg.Resources = append(cfg.Resources, r)
				cfg.byAddr[r.Addr] = r
				l.secrets.collect(r.Value)
			}
		}
	}
	cfg.acting = l.acting(cfg.Resources)
	if len(settings.Sites) > 0 {
		cfg.Site = l.opts.Site
	}
	cfg.Outputs, cfg.Moves, cfg.Removed, cfg.Imports = l.outputs(), l.moves, l.removed, l.imports
	cfg.redactor = l.secrets.redactor()
	cfg.show(l)
	cfg.loader = l
	l.hideSecrets(cfg.redactor)
	l.diags = arrange(l.diags)
	l.leftOut()
	return cfg, l.diags
}
