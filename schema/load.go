// Package schema turns the HCL text of one folder into checked, evaluated, secret-marked declarations. It knows no
// product: what may be written inside a block comes from the Catalog.
package schema

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/redact"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Options are the inputs of Load.
type Options struct {
	Fs      afero.Fs
	Dir     string  // the folder with the *.sync.hcl and *.sync.hcl.json files
	Catalog Catalog // the types that may be declared

	// Added holds texts in the native syntax that are read as if they were files of Dir, by their names, which end in
	// .sync.hcl.
	Added map[string][]byte

	// Version of the program, compared with required_version. "dev", "" and anything that is not a version satisfy every
	// constraint.
	Version string

	Env  func(name string) (string, bool) // nil: an empty environment
	Vars []VarSource                      // values of variables from the command line, later ones win

	// Ask asks a person for the value of a variable that has no default and no value. It is not called if AllowUnset
	// is set or an error was found before. If sensitive is set, the answer must not be shown. The time that it takes
	// is not limited. If it returns an error, or Ask is nil, the variable is refused. It ends when ctx does.
	Ask func(ctx context.Context, name, description string, sensitive bool) (string, error)

	// Site is the site that the process acts for; "" if there is none, or the configuration has no sites. Values that
	// only declarations of other sites use may be missing.
	Site string

	// SiteRequired is set if servers are to be contacted. If the configuration has sites, one must then be named.
	SiteRequired bool

	// SiteKeys are public SSH keys by site, which replace the signers and recipients of its block: a rehearsal does
	// not have the private keys of the declared ones.
	SiteKeys map[string][]string

	Access Access // what a policy permits; the zero value: no policy
	Room   Room   // limits of reading

	// Run is the test run that the configuration is loaded for, or nil. Its variables override all others.
	Run *TestRun

	// AllowUnset leaves variables without a value, and environment variables that are not set, unknown instead of
	// refusing them. It is for checking files on their own.
	AllowUnset bool

	// Ended is called once nothing of the Load goes on any more. If its context has ended, that may be after it has
	// returned, since the libraries cannot be interrupted. nil: nobody waits for it.
	Ended func()

	namesOnly bool // see Names
}

// VarSource is one -var-file, -var or -var-command of the command line: File, Assign, or Name with Read.
type VarSource struct {
	File   string // path of a *.syncvars.hcl file, or of one in JSON, as Fs knows it
	Assign string // "name=value"

	// Name is the variable that Read returns the value of. The value is sensitive, whatever the declaration says. Read
	// is called only for a declared variable that no later source sets. The time that it takes is not limited. It ends
	// when ctx does, and its error is shown.
	Name string
	Read func(ctx context.Context) (string, error)
}

// Load reads, checks and evaluates one folder. It reports all problems in all files at once, ordered by position. The
// Config is never nil; after errors it holds what could be read, enough for Files and Redactor.
func Load(ctx context.Context, opts Options) (*Config, hcl.Diagnostics) {
	return readWith(ctx, opts, (*loader).load)
}

// readWith calls a function with a loader, and waits for it within the limits of opts.Room.
func readWith(ctx context.Context, opts Options,
	load func(*loader, context.Context) (*Config, hcl.Diagnostics)) (*Config, hcl.Diagnostics) {
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
		if opts.Ended != nil {
			defer opts.Ended()
		}
		var got loaded
		defer func() { done <- got }()
		defer fault.Catch(&got.fault)
		got.cfg, got.diags = load(l, ctx)
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

// newLoader makes the loader of one folder. It reads nothing yet.
func newLoader(ctx context.Context, opts Options, out *outside) *loader {
	if opts.Env == nil {
		opts.Env = func(string) (string, bool) { return "", false }
	}
	l := &loader{
		outside: out,
		meter:   &meter{ctx: ctx, most: opts.Room.orUsual().values},
		ctx:     ctx,
		opts:    opts,
		files:   map[string]source{},
		folders: map[string]parsedFolder{},
		listed:  map[string][]string{},
		infos:   map[string]fs.FileInfo{},
		scopes:  map[scopeKey]scope{},
		types:   map[*Block]cty.Type{},
		last:    map[*Type]cty.Value{},
		paths:   map[[2]string]string{},
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
	l.noNames = &hcl.EvalContext{Functions: l.functions}
	return l
}

// raise panics with a fault, after it has removed the secrets in its text, which nobody else knows yet.
func (l *loader) raise(err error) {
	var f *fault.Error
	if errors.As(err, &f) {
		f.Text = l.secrets.redactor().String(f.Text)
	}
	fault.Raise(err)
}

// interrupted returns the result of a Load whose caller no longer waits. The libraries cannot be interrupted inside of
// a function: that goroutine is left behind, and ends with the process, or when the function does.
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
	l.collectFolder(l.root)
	if l.opts.SiteRequired && l.opts.Site == "" && len(l.sites) > 0 && !l.diags.HasErrors() {
		l.askForSite() // values that are missing without a site need not be reported
		return l.finish(nil, Settings{})
	}
	l.complete()
	if len(l.sites) > 0 { // the uses of a value decide whether it must be known here
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
	l.targets = nil
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
	now       atomic.Pointer[hcl.Range] // the range being evaluated
	diags     hcl.Diagnostics
	problems  map[hcl.DiagnosticSeverity]int // their number, including those that were not kept
	files     map[string]source
	folders   map[string]parsedFolder // by the module's folder
	listed    map[string][]string     // the files in them
	infos     map[string]fs.FileInfo  // of those of the root module
	realDir   string                  // the configuration's folder without links
	scopes    map[scopeKey]scope      // what bodies permit
	types     map[*Block]cty.Type     // see blockType
	last      map[*Type]cty.Value     // see alike
	paths     map[[2]string]string    // see loader.path
	places    []written               // of the declaration that is being evaluated; its memory is used again
	functions map[string]function.Function
	noNames   *hcl.EvalContext // of expressions that refer to nothing
	secrets   *secretSet
	flow      flow
	read      int64 // bytes of configuration files read so far
	expanded  int64 // additional bytes if for_each were written out
	signs     int   // words and signs in the configuration files, or in their parsed parts

	plain     []*plainHeader   // of the folder that is being read
	masked    []hcl.Range      // source that snippets must not show
	secret    []hcl.Expression // sensitive expressions: neither they nor their inputs are shown
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
	lenient  bool // what is being evaluated need not be known here

	ofKeystores map[*node]string
	privates    map[*node]bool // see loader.privateValue
	moved       []movedIn
	moves       []Move // of moved, with whole addresses
	removed     []Move
	importing   []*importing
	imports     []Import
	importedTo  map[Addr]hcl.Range   // their ranges, by address
	importedIDs map[string]hcl.Range // and by ID

	made map[Addr]*Resource      // resources evaluated so far
	bad  map[*hcl.Attribute]bool // attributes whose expression has already been reported
}

// node is something that others refer to and that is evaluated once in each instance of its module.
type node struct {
	key   string // the name in references within its module: "local.x", "server.depot.a"
	mod   *module
	rng   hcl.Range // where it is declared
	needs []edge    // in source order, one for each target

	needed  map[*node]bool // the targets of needs
	depends []target       // of its own depends_on

	// At most one of these is set. It says what the node is.
	local    *hcl.Attribute
	decl     *decl
	input    *variable // of a module that is not the root
	output   *output
	call     *call
	defaults *defaults

	validates *variable // for the node of a validation rule

	done   bool
	broken bool        // part of a cycle or unreadable; its dependents are not reported
	vals   []cty.Value // by the index of the module's instance
}

// value returns the value for expressions in one instance of the module. It is unknown before the node is evaluated.
func (n *node) value(in *instance) cty.Value {
	switch {
	case !n.done || in.index >= len(n.vals):
		return cty.DynamicVal
	case n.vals[in.index] != cty.NilVal:
	case n.decl == nil:
		return cty.DynamicVal
	default: // few declarations are referred to by value
		n.vals[in.index] = n.decl.value(in)
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
	site    *hcl.Attribute // nil if it has none, or if its type has an argument of that name
	body    hcl.Body       // see Names; nil if the block lies in a skimmed file
	block   hcl.Range      // then where it lies
	keys    []string       // see loader.writtenKeys
	shape   *shaped        // nil if the type is unknown or the file was unreadable
	rng     hcl.Range
	life    lifecycle
	failed  bool                 // an error has been reported for it
	depends []target             // of depends_on, including those of the modules that it is in
	waits   map[*instance][]Addr // their addresses, by the instance of the module
	private map[string]bool      // see privateArguments
	inMade  map[string]bool      // the arguments that are private in at least one of made
	made    [][]*Resource        // by the index of the module's instance, in the order of the keys
}

// maxProblems is the maximum number of errors, and of warnings, that are kept: more take minutes to write, and nobody
// reads them.
const maxProblems = 500

// hideSecrets removes secrets and texts from outside from the diagnostics.
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

// add records diagnostics. After maxProblems of a severity the rest is only counted, so that an error is never lost.
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

// tooMany is the summary of the diagnostic that stands for those that were not kept.
const tooMany = "Too many problems"

// Incomplete reports whether some errors or warnings are not in diags because there were too many.
func Incomplete(diags hcl.Diagnostics) bool {
	return slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == tooMany && d.Subject == nil })
}

// leftOut reports how many diagnostics were not kept.
func (l *loader) leftOut() {
	for _, severity := range []hcl.DiagnosticSeverity{hcl.DiagError, hcl.DiagWarning} {
		if n := l.problems[severity] - maxProblems; n > 0 {
			d := problem(hcl.Range{}, tooMany,
				"There are %d more of this kind. Mend the ones that are shown first.", n)
			d.Severity = severity
			l.diags = append(l.diags, d)
		}
	}
}

// finish builds the Config and removes secrets from everything that is returned.
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
				if r.secret {
					l.secrets.collect(r.Value)
				}
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
	if cfg.redactor.Full() { // it hides all, so that this would not be shown either: nothing else is
		cfg.redactor = newSecretSet(spellings{}).redactor()
		return cfg, hcl.Diagnostics{problem(hcl.Range{}, "Too many secrets", "The sensitive values, and the lines of each, "+
			"are more than can be looked for in what is shown. A secret has few lines: do not mark large files as sensitive.")}
	}
	l.diags = arrange(l.diags)
	l.leftOut()
	return cfg, l.diags
}
