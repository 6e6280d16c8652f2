package schema

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	version "github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// settleOwners finds the owner of each declaration, the one that carries it out, and reports declarations with two.
func (l *loader) settleOwners(order []*node) {
	type claim struct {
		by  *Resource
		rng hcl.Range
	}
	claims := map[Addr]claim{}
	for _, r := range l.resources(order) {
		for _, o := range r.owns {
			was, taken := claims[o.addr]
			if taken && was.by != r {
				r.failed = true
				l.add(WithAddr(problem(o.rng, "Two declarations own the same one",
					"%s is already owned by %s, at %s. A declaration has one owner.", o.addr, was.by.Addr, place(was.rng)), r.Addr))
				continue
			}
			claims[o.addr] = claim{by: r, rng: o.rng}
			if target := l.made[o.addr]; target != nil {
				target.Owner = r.Addr
			}
		}
	}
}

// resources returns all evaluated resources, by address.
func (l *loader) resources(order []*node) []*Resource {
	var out []*Resource
	for _, n := range order {
		if n.decl != nil {
			for _, made := range n.decl.made {
				out = append(out, made...)
			}
		}
	}
	slices.SortFunc(out, func(a, b *Resource) int { return cmp.Compare(a.Addr.String(), b.Addr.String()) })
	return out
}

// check applies the products' own rules to each declaration that is valid so far and refers only to valid ones. A rule
// reads these too, and would report their mistakes again.
func (l *loader) check(order []*node) {
	wrong := map[*node]bool{} // dependencies come first, or are part of a cycle
	var right []*Resource
	for _, n := range order {
		for _, e := range n.needs {
			wrong[n] = wrong[n] || wrong[e.to]
		}
		if n.decl == nil {
			continue
		}
		needs := wrong[n] || n.decl.failed || n.decl.shape == nil
		for _, made := range n.decl.made {
			for _, r := range made {
				if !needs && !r.failed {
					right = append(right, r)
				}
				wrong[n] = wrong[n] || r.failed
			}
		}
		wrong[n] = wrong[n] || needs
	}
	introduce(right)
	for _, r := range right {
		if r.Type.Check == nil {
			continue
		}
		for _, d := range r.Type.Check(r) {
			if d.Subject == nil {
				c := *d
				c.Subject = &r.Range
				d = &c
			}
			if AddrOf(d) == (Addr{}) {
				d = WithAddr(d, r.Addr)
			}
			l.add(ofObject(d, frame{res: r}, ""))
		}
	}
}

// introduce sets each declaration's group of declarations of the same kind and type.
func introduce(all []*Resource) {
	type typed struct {
		kind Kind
		name string
	}
	groups := map[typed][]*Resource{}
	for _, r := range all {
		k := typed{r.Addr.Kind, r.Addr.Type}
		groups[k] = append(groups[k], r)
	}
	for _, group := range groups {
		slices.SortFunc(group, func(a, b *Resource) int { return cmp.Compare(a.Addr.String(), b.Addr.String()) })
		for _, r := range group {
			r.group = group
		}
	}
}

// settings evaluates the syncctl blocks. There may be several, but each setting is given once.
func (l *loader) settings() Settings {
	var out Settings
	seen := map[string]hcl.Range{}
	once := func(name string, rng hcl.Range) bool {
		if was, dup := seen[name]; dup {
			l.add(problem(rng, "Duplicate setting", "%q was already set at %s.", name, place(was)))
			return false
		}
		seen[name] = rng
		return true
	}
	for _, s := range l.setBlock {
		val := l.object(s, frame{in: l.root.instances[0]}, "")
		if attr := s.attrs["required_version"]; attr != nil && once(attr.Name, attr.NameRange) {
			if v, ok := l.open(val.GetAttr(attr.Name), attr); ok {
				out.RequiredVersion = v.AsString()
				l.requireVersion(out.RequiredVersion, attr.Expr.Range())
			}
		}
		if attr := s.attrs["parallelism"]; attr != nil && once(attr.Name, attr.NameRange) {
			if v, ok := l.open(val.GetAttr(attr.Name), attr); ok {
				out.Parallelism = l.parallelism(v, attr.Expr.Range())
			}
		}
		for _, blk := range s.blocks["operator"] {
			if once("operator", blk.header) {
				out.Operator = l.operator(Get(val, "operator"), blk)
			}
		}
	}
	return out
}

// open returns the value of a setting, which must be known and not secret, because settings are shown.
func (l *loader) open(v cty.Value, attr *hcl.Attribute) (cty.Value, bool) {
	if IsSensitive(v) {
		l.add(problem(attr.Expr.Range(), "Sensitive setting",
			"The setting %q cannot hold a sensitive value: it is shown to people.", attr.Name))
		return v, false
	}
	return v, v.IsWhollyKnown() && !v.IsNull()
}

func (l *loader) parallelism(v cty.Value, rng hcl.Range) int {
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact || n < 1 || n > 1000 {
		l.add(problem(rng, "Invalid parallelism", "The parallelism is a whole number from 1 to 1000."))
		return 0
	}
	return int(n)
}

func (l *loader) operator(v cty.Value, blk *shapedBlock) *Operator {
	command := blk.attrs["command"]
	if command == nil {
		return nil // reported as missing
	}
	words, ok := l.words(Get(v, "command"), command)
	if !ok {
		return nil
	}
	op := &Operator{Command: words}
	if len(op.Command) == 0 || op.Command[0] == "" {
		l.add(problem(command.Expr.Range(), "Invalid operator", "The command names at least the program."))
		return nil
	}
	if names := blk.attrs["environment"]; names != nil {
		op.Environment, _ = l.words(Get(v, "environment"), names)
	}
	var err error
	if op.Files, err = l.folder().Sums(words); err != nil {
		l.add(problem(command.Expr.Range(), "Invalid operator", "%s", sentence(err)))
	}
	return op
}

// words returns the elements of a setting that is a list of texts. It returns false if the value is unknown or secret.
func (l *loader) words(v cty.Value, attr *hcl.Attribute) ([]string, bool) {
	v, ok := l.open(v, attr)
	if !ok {
		return nil, false
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, word := it.Element()
		out = append(out, Text(word))
	}
	return out, true
}

// requireVersion checks the running version. A pre-release counts as its release, which it leads to.
func (l *loader) requireVersion(text string, rng hcl.Range) {
	constraint, err := version.NewConstraint(text)
	if err != nil {
		l.add(problem(rng, "Invalid version constraint", "%q is not a version constraint, such as \">= 1.2, < 2.0\".", text))
		return
	}
	running, err := version.NewVersion(l.opts.Version)
	// A build without a version: Go calls one before any release v0.0.0-DATE-COMMIT.
	if err != nil || running.Core().String() == "0.0.0" {
		l.doubtVersion(constraint, text, rng)
		return
	}
	if !constraint.Check(running.Core()) {
		l.add(problem(rng, "Unsupported syncctl version", "%s",
			fmt.Sprintf("These files need syncctl %s; this is %s.", text, running)))
	}
}

// everyRelease holds the first release, and one later than there will ever be.
var everyRelease = []string{"0.1.0", "1000000.0.0"}

// doubtVersion warns that the version of a build without one could not be checked, unless every release fits.
func (l *loader) doubtVersion(c version.Constraints, text string, rng hcl.Range) {
	fits := true
	for _, r := range everyRelease {
		fits = fits && c.Check(version.Must(version.NewVersion(r)))
	}
	if fits {
		return
	}
	d := problem(rng, "Version not checked",
		"This is a development build, which has no version: required_version was not checked, and these files ask for "+
			"syncctl %s.", text)
	d.Severity = hcl.DiagWarning
	l.add(d)
}
