package schema

import (
	"cmp"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/signing"
	"github.com/zclconf/go-cty/cty"
)

// Site is one site block: a network with its people and secrets. A process acts for one site, and contacts only the
// servers of that site. Where there are sites, every server is in one.
type Site struct {
	Name string

	// Signers are the SSH keys, as lines of authorized_keys, whose signatures stand for the site. At least one.
	Signers []string
	// Recipients are the SSH keys that files sent to the site are encrypted for; the signers' keys if the block names
	// none.
	Recipients []string
	// MaxAge is the maximum age of the site's observations and verifications when other sites rely on them.
	MaxAge time.Duration

	Range hcl.Range `json:"-"` // the block's header
}

// defaultMaxAge is the MaxAge of a site that does not set it.
const defaultMaxAge = 24 * time.Hour

// siteBody is the grammar of a site block.
var siteBody = Body{Attributes: []Attribute{
	{Name: "signers", Type: cty.List(cty.String), Required: true, Doc: "The public SSH keys of the site's people, each " +
		"as the line in its .pub file. What is signed with one of them counts as sent by the site."},
	{Name: "recipients", Type: cty.List(cty.String), Doc: "The public SSH keys, Ed25519 or RSA, for which what is sent " +
		"to the site is encrypted. Without it: the signers."},
	{Name: "max_age", Type: cty.String, Unit: Duration, Default: cty.StringVal("24h"), Doc: "How old what the site's " +
		"servers showed, or what the site has verified, may be when another site relies on it."},
}}

// siteArgument is an argument of servers and keystores, in addition to those of their types.
var siteArgument = Attribute{Name: "site", Type: cty.String, Doc: "The site that its machine is in: the name of a " +
	"site block, or site.NAME. A keystore without it is in the site of the servers that use it. Where sites are " +
	"declared, every server has it."}

// siteBlock is a site block that is not evaluated yet.
type siteBlock struct {
	name  string
	shape *shaped
}

func (l *loader) collectSite(m *module, b *hcl.Block) {
	name := b.Labels[0]
	switch {
	case m != l.root:
		l.add(problem(b.DefRange, "Site in a module", "A site block stands in the folder of the whole configuration, not "+
			"in a module."))
		return
	case !l.validName(name, b.LabelRanges[0]):
		return
	}
	s, _ := l.shape(b.Body, &siteBody, b.DefRange, spot{name: "a site block"}, nil)
	if at := slices.IndexFunc(l.sites, func(was *siteBlock) bool { return was.name == name }); at >= 0 {
		l.add(problem(b.LabelRanges[0], "Duplicate site", "The site %q was already declared at %s. Each is declared once.",
			name, place(l.sites[at].shape.header)))
		return
	}
	l.requireAll(s, func(string) bool { return false })
	l.sites = append(l.sites, &siteBlock{name: name, shape: s})
}

// siteNames returns the names of all sites, sorted.
func (l *loader) siteNames() []string {
	var names []string
	for _, s := range l.sites {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return names
}

func (l *loader) isSite(name string) bool {
	return slices.ContainsFunc(l.sites, func(s *siteBlock) bool { return s.name == name })
}

// siteValue returns the value of the word site in expressions: an object in which each site's name is its own value.
func (l *loader) siteValue() cty.Value {
	names := map[string]cty.Value{}
	for _, name := range l.siteNames() {
		names[name] = cty.StringVal(name)
	}
	return cty.ObjectVal(names)
}

// bySite resolves site.NAME.
func (l *loader) bySite(t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	name, ok := stepName(t, 1)
	switch {
	case !ok:
		return nil, problem(t.SourceRange(), "Invalid reference", "A reference to a site is written site.NAME.")
	case !l.isSite(name):
		return nil, problem(t.SourceRange(), "Reference to undeclared site", "There is no site %q.%s", name,
			l.sitesHint(name))
	}
	return &reference{rng: t.SourceRange()}, nil
}

func (l *loader) sitesHint(name string) string {
	if l.problems[hcl.DiagError] >= maxProblems { // it is only counted
		return ""
	}
	names := l.siteNames()
	if hint := l.didYouMean(name, func() []string { return names }); hint != "" {
		return hint
	}
	switch len(names) {
	case 0:
		return " No site block is declared."
	case 1:
		return " The only site is " + quoteList(names, "and") + "."
	}
	return " The sites are " + quoteList(names, "and") + "."
}

// askForSite reports that no site was named.
func (l *loader) askForSite() {
	l.add(problem(l.sites[0].shape.header, "No site named", "The servers of this configuration are in several sites, and "+
		"a command contacts those of one: say with -site=NAME or SYNCCTL_SITE which one you are in.%s",
		l.sitesHint("")))
}

// evaluateSites evaluates the site blocks.
func (l *loader) evaluateSites() []*Site {
	var out []*Site
	for _, b := range l.sites {
		s := &Site{Name: b.name, Range: b.shape.header, MaxAge: defaultMaxAge}
		val := l.object(b.shape, frame{in: l.root.instances[0]}, "")
		s.Signers = l.siteKeys(val, b.shape, "signers", b.shape.attrs["recipients"] == nil)
		if s.Recipients = s.Signers; b.shape.attrs["recipients"] != nil {
			s.Recipients = l.siteKeys(val, b.shape, "recipients", true)
		}
		if keys := l.opts.SiteKeys[b.name]; keys != nil {
			s.Signers, s.Recipients = keys, keys
		}
		if attr := b.shape.attrs["max_age"]; attr != nil {
			if v, ok := l.open(val.GetAttr("max_age"), attr); ok {
				age, err := time.ParseDuration(v.AsString())
				if err != nil || age <= 0 {
					l.add(problem(attr.Expr.Range(), "Invalid duration", "max_age is a duration above zero, such as \"24h\"."))
				}
				s.MaxAge = age
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Site) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// siteKeys returns the keys that an argument of a site block lists.
func (l *loader) siteKeys(val cty.Value, s *shaped, name string, decrypts bool) []string {
	attr := s.attrs[name]
	if attr == nil {
		return nil // reported as missing
	}
	keys, ok := l.words(val.GetAttr(name), attr)
	if ok && len(keys) == 0 {
		l.add(problem(attr.Expr.Range(), "No key", "The argument %q lists at least one public SSH key.", name))
	}
	for i, key := range keys {
		if err := signing.CheckPublic(key, decrypts); err != nil {
			rng := attr.Expr.Range()
			if exprs, diags := hcl.ExprList(attr.Expr); !diags.HasErrors() && i < len(exprs) {
				rng = exprs[i].Range()
			}
			l.add(problem(rng, "Invalid SSH key", "%s number %d cannot be used: %s.", name, i+1, err))
		}
	}
	return keys
}

// isElsewhere reports whether a site is another one than the process acts for.
func (l *loader) isElsewhere(site string) bool {
	return l.opts.Site != "" && site != "" && site != l.opts.Site
}

// siteArg returns the argument that sets a declaration's site: its own, or that of its type's defaults.
func (n *node) siteArg() *hcl.Attribute {
	d := n.decl
	switch {
	case d.site != nil:
		return d.site
	case d.shape == nil:
		return nil
	case d.shape.attrs["site"] != nil:
		return d.shape.attrs["site"]
	}
	for _, given := range n.mod.defaultsOf(d.addr.Kind, d.addr.Type) {
		if attr := given.defaults.shape.attrs["site"]; attr != nil {
			return attr
		}
	}
	return nil
}

// hasSite reports whether declarations of a kind may have a site.
func hasSite(k Kind) bool { return k == Server || k == Keystore }

// siteOf returns the site of a declaration in a frame, or "" if it has none or an invalid one.
func (l *loader) siteOf(n *node, r *Resource, f frame) string {
	d := n.decl
	if len(l.sites) == 0 || !hasSite(d.addr.Kind) {
		if d.site != nil && len(l.sites) == 0 && !l.bad[d.site] {
			l.add(problem(d.site.Expr.Range(), "Reference to undeclared site", "No site block is declared."))
		}
		return ""
	}
	val, rng := r.Get("site"), *r.RangeOf("site")
	if d.site != nil {
		if l.bad[d.site] {
			return ""
		}
		val, rng = l.converted(&siteArgument, d.site, f), d.site.Expr.Range()
	}
	switch {
	case val.IsNull():
		r.siteless = true
		return ""
	case !val.IsKnown():
		return ""
	case IsSensitive(val):
		l.add(problem(rng, "Sensitive site", "The name of a site is shown: it cannot be sensitive."))
		return ""
	}
	name := Text(val)
	if !l.isSite(name) {
		l.add(problem(rng, "Reference to undeclared site", "There is no site %q.%s", name, l.sitesHint(name)))
		return ""
	}
	return name
}

// settleSites gives each keystore without a site the site of the servers that use it, and marks what is elsewhere.
func (l *loader) settleSites(order []*node) {
	if len(l.sites) == 0 {
		return
	}
	all := l.resources(order)
	users := map[*Resource]*Resource{} // for each keystore, its first user that has a site
	for _, r := range all {
		if r.Addr.Kind != Server {
			continue
		}
		for _, to := range r.Refs {
			if r.Site == "" { // not known yet, or reported for the server
				to.siteless = to.siteless && to.Addr.Kind != Keystore
				continue
			}
			if to.Addr.Kind != Keystore || to.Site != "" && users[to] == nil {
				continue
			}
			if was := users[to]; was != nil && was.Site != r.Site {
				l.add(WithAddr(problem(to.Range, "Keystore of two sites", "%s is used by %s of site %q and by %s of site %q. "+
					"Say with site which one its machine is in, or declare it for each.", to.Addr, was.Addr, was.Site, r.Addr,
					r.Site), to.Addr))
				to.failed = true
				continue
			}
			users[to], to.Site = r, r.Site
		}
	}
	for _, r := range all {
		r.Elsewhere = l.isElsewhere(r.Site)
		l.requireSite(r)
	}
}

// requireSite reports a server or keystore without a site. No site would answer for what it shows: whoever plans could
// say anything of it, and nobody would have to look.
func (l *loader) requireSite(r *Resource) {
	if !r.siteless || r.Site != "" || r.failed {
		return
	}
	what := "site = site.NAME says which one its machine is in. If several reach it, name the one that answers for it."
	if r.Addr.Kind == Keystore {
		what = "no server uses this one, so " + what
	}
	l.add(WithAddr(problem(r.Range, "No site", "Where sites are declared, every server and keystore is in one: %s%s", what,
		l.sitesHint("")), r.Addr))
	r.failed = true
}
