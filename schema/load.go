// Package schema turns the HCL text of one folder into checked, evaluated, secret-marked declarations. It knows no
// product: what may be written inside a block comes from the Catalog.
package schema

import (
	"context"
	"sort"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
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

	Access Access // what a policy permits

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
	if opts.Env == nil {
		opts.Env = func(string) (string, bool) { return "", false }
	}
	out, ctx := newOutside(ctx)
	defer out.close()
	l := &loader{
		outside: out,
		meter:   &meter{ctx: ctx},
		opts:    opts,
		files:   map[string]*hcl.File{},
		vars:    map[string]*variable{},
		nodes:   map[string]*node{},
		targets: map[*hcl.Attribute]Addr{},
		bad:     map[*hcl.Attribute]bool{},
	}
	l.spellings = spellings{}
	l.foreign = foreignTexts{}
	l.secrets = newSecretSet(l.spellings)
	l.functions = l.newFunctions()
	type loaded struct {
		cfg   *Config
		diags hcl.Diagnostics
	}
	done := make(chan loaded, 1)
	go func() {
		cfg, diags := l.load(ctx)
		done <- loaded{cfg, diags}
	}()
	select {
	case got := <-done:
		return got.cfg, got.diags
	case <-ctx.Done():
		out.finish()
		return l.interrupted(context.Cause(ctx))
	}
}

// interrupted is what Load returns when it is not waited for any more. The libraries cannot be interrupted inside of a
// function: that goroutine is left behind, and ends with the process, or when the function does.
func (l *loader) interrupted(err error) (*Config, hcl.Diagnostics) {
	var rng hcl.Range
	if at := l.now.Load(); at != nil {
		rng = *at
	}
	d := problem(rng, "Interrupted", "Reading the configuration was ended: %s. It takes at most %s.", err, maxTime)
	return &Config{Files: map[string]*hcl.File{}, byAddr: map[Addr]*Resource{}, openVars: map[string]bool{},
		redactor: newSecretSet(spellings{}).redactor()}, hcl.Diagnostics{d}
}

func (l *loader) load(ctx context.Context) (*Config, hcl.Diagnostics) {
	sources := l.readConfiguration(ctx)
	for _, src := range sources {
		l.collect(src)
	}
	l.readValues(ctx)
	l.resolve()
	order := l.order()
	for _, n := range order {
		l.evaluateNode(n)
	}
	l.settleOwners(order)
	l.check(order)
	settings := l.settings()
	return l.finish(order, settings)
}

// loader is the state of one Load.
type loader struct {
	opts      Options
	outside   *outside
	meter     *meter
	now       atomic.Pointer[hcl.Range] // what is evaluated
	diags     hcl.Diagnostics
	files     map[string]*hcl.File
	functions map[string]function.Function
	secrets   *secretSet
	read      int64        // bytes of configuration files so far
	masked    []hcl.Range  // source that snippets must not show
	spellings spellings    // of texts from outside
	foreign   foreignTexts // what env() and file() gave

	vars     map[string]*variable
	varsVal  cty.Value
	nodes    map[string]*node // locals and declarations by what references call them
	setBlock []*shaped        // the syncctl blocks

	lost    lostNames               // what stands in files too broken to read
	targets map[*hcl.Attribute]Addr // reference attributes -> what they point at
	bad     map[*hcl.Attribute]bool // attributes whose expression has been reported already
}

// node is one thing that others refer to and that is evaluated once: a local value or a declaration.
type node struct {
	key   string    // "local.x" or an address
	rng   hcl.Range // where it is declared
	needs []edge    // in source order, one for each target

	local *hcl.Attribute // a local value
	decl  *decl          // a declaration

	done   bool
	broken bool // part of a cycle or not readable; whatever depends on it is left in peace
	val    cty.Value
}

// edge is a reference from one node to another.
type edge struct {
	to  *node
	rng hcl.Range
}

// decl is the declaration behind a node.
type decl struct {
	res    *Resource
	shape  *shaped // nil when the type is unknown or the file was not readable
	failed bool    // an error has been reported for it
}

func (l *loader) add(diags ...*hcl.Diagnostic) { l.diags = append(l.diags, diags...) }

// finish puts the Config together and takes secrets out of all that is handed on.
func (l *loader) finish(order []*node, settings Settings) (*Config, hcl.Diagnostics) {
	cfg := &Config{Settings: settings, byAddr: map[Addr]*Resource{}, openVars: map[string]bool{}}
	for name, v := range l.vars {
		cfg.openVars[name] = !v.masked() && !v.broken
	}
	for _, n := range order {
		if n.decl == nil {
			l.secrets.collect(n.val)
			continue
		}
		if n.decl.shape == nil {
			continue
		}
		cfg.Resources = append(cfg.Resources, n.decl.res)
		cfg.byAddr[n.decl.res.Addr] = n.decl.res
		l.secrets.collect(n.decl.res.Value)
	}
	cfg.redactor = l.secrets.redactor()
	cfg.Files = l.maskFiles(cfg.redactor)
	for i, d := range l.diags {
		c := *d
		c.Summary, c.Detail = cfg.redactor.String(d.Summary), l.foreign.hide(cfg.redactor.String(d.Detail), l.files)
		if len(l.foreign) > 0 && d.EvalContext != nil {
			c.Extra = foreignExtra{texts: l.foreign, inner: d.Extra}
		}
		l.diags[i] = &c
	}
	return cfg, arrange(l.diags)
}

// arrange orders diagnostics by file, line and column, as found where these are equal, and folds repeated ones.
func arrange(diags hcl.Diagnostics) hcl.Diagnostics {
	type key struct {
		severity        hcl.DiagnosticSeverity
		summary, detail string
		subject         hcl.Range
		addr            Addr
	}
	seen := map[key]bool{}
	var out hcl.Diagnostics
	for _, d := range diags {
		k := key{severity: d.Severity, summary: d.Summary, detail: d.Detail, addr: AddrOf(d)}
		if d.Subject != nil {
			k.subject = *d.Subject
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, d)
		}
	}
	at := func(d *hcl.Diagnostic) hcl.Range {
		if d.Subject == nil {
			return hcl.Range{}
		}
		return *d.Subject
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := at(out[i]), at(out[j])
		if a.Filename != b.Filename {
			return a.Filename < b.Filename
		}
		return a.Start.Byte < b.Start.Byte
	})
	return out
}
