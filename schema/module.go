package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// module is the files of one folder as used by one module block. The root module has no block.
type module struct {
	path   string // module.share.module.x, without keys; "" for the root
	dir    string // relative to the folder of the configuration, with slashes; "" for the root
	parent *module
	call   *call // nil for the root

	vars    map[string]*variable
	nodes   map[string]*node // by the names that references in this module use
	lost    lostNames        // names declared in unreadable files
	keys    []string         // of nodes, sorted, once all are known
	outputs []*node          // sorted by name
	done    int              // number of outputs that are evaluated
	plain   []*plainHeader   // of which there are no nodes; see Names

	instances []*instance
}

// instance is a module for one key of its block's for_each. Without for_each there is one instance.
type instance struct {
	of     *module
	parent *instance // nil for the root
	index  int       // in of.instances
	addr   string    // module.share["north"]; "" for the root
	names  map[string]cty.Value
	made   map[*call][]*instance          // instances of the modules inside of it
	keyed  map[*call]map[string]*instance // the same, by key
}

// call is one module block.
type call struct {
	name    string
	in      *module // the module in which the block is
	of      *module // the module that it uses
	node    *node   // its evaluation makes the instances
	rng     hcl.Range
	source  hcl.Range // of the value of the argument source
	meta    meta
	inputs  map[string]*hcl.Attribute
	failed  bool
	depends []target               // of depends_on
	results map[*instance]*results // by the instance in which the block is
}

// results caches the value of a reference to a module as long as no further output is evaluated.
type results struct {
	outputs int // number of evaluated outputs
	val     cty.Value
}

// maxModules is the maximum nesting depth of modules.
const maxModules = 20

func newModule(parent *module, name, dir string) *module {
	m := &module{dir: dir, parent: parent, vars: map[string]*variable{}, nodes: map[string]*node{}}
	if parent != nil {
		m.path = strings.TrimPrefix(parent.path+".module."+name, ".")
	}
	return m
}

// depth returns the number of modules around a module.
func (m *module) depth() int {
	n := 0
	for at := m.parent; at != nil; at = at.parent {
		n++
	}
	return n
}

// keysSorted returns the keys of the nodes, sorted. It is called once all are collected.
func (m *module) keysSorted() []string {
	if len(m.keys) != len(m.nodes) {
		m.keys = slices.Sorted(maps.Keys(m.nodes))
	}
	return m.keys
}

// full returns a key that is unique in the whole configuration.
func (m *module) full(key string) string {
	if m.path == "" {
		return key
	}
	return m.path + "." + key
}

// notReadable explains why the folder of a module cannot be read.
func (c *call) notReadable(dir string, err error) *hcl.Diagnostic {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem(c.source, "No such folder", "There is no folder %q. The source is a path from the folder of this "+
			"file.", dir)
	case errors.Is(err, ErrOutside):
		return problem(c.source, "Module outside of the configuration", "%q is outside of the configuration's folder, where "+
			"the path or a link leads. Modules lie within the folder of the whole configuration: copy the folder there, or "+
			"add it as a git submodule.", dir)
	case isConfiguration(path.Base(dir)):
		return problem(c.source, "Not a folder", "%q is a file. The source of a module is the folder that its files are in.",
			dir)
	}
	return problem(c.source, "Folder not readable", "Reading the configuration folder %q: %s.", dir, err)
}

// moduleArgs are the arguments of a module block that are not variables of the module.
var moduleArgs = moduleBody.names()

// collectModule reads a module block and the files of its folder.
func (l *loader) collectModule(m *module, b *hcl.Block) {
	name := b.Labels[0]
	c := &call{name: name, in: m, rng: b.DefRange, results: map[*instance]*results{}}
	if !l.validName(name, b.LabelRanges[0]) {
		return
	}
	n := &node{key: "module." + name, rng: b.DefRange, call: c}
	if !l.declare(m, n, "module", b.LabelRanges[0]) {
		return
	}
	c.node = n
	dir, ok := l.moduleDir(m, b)
	if !ok || !l.roomForModule(b) {
		l.maskModule(b)
		c.failed, n.broken = true, true
		return
	}
	c.source = b.Body.MissingItemRange()
	if attrs, _ := b.Body.JustAttributes(); attrs["source"] != nil { // other mistakes are reported elsewhere
		c.source = attrs["source"].Expr.Range()
	}
	c.of = newModule(m, name, dir)
	c.of.call = c
	l.modules = append(l.modules, c.of)
	l.collectFolder(c.of)
	if c.of.lost.everything { // its variables are unknown
		l.maskModule(b)
		c.failed, n.broken = true, true
		return
	}
	before := len(l.diags)
	sc := scope{where: fmt.Sprintf("in module %q", name), args: slices.Clone(moduleArgs), secret: map[string]bool{}}
	for _, v := range slices.Sorted(maps.Keys(c.of.vars)) {
		if !slices.Contains(moduleArgs, v) {
			sc.args = append(sc.args, v)
			sc.secret[v] = c.of.vars[v].masked()
		}
	}
	content := l.content(b.Body, sc)
	c.meta = metaOf(content)
	c.inputs = content.Attributes
	for _, v := range slices.Sorted(maps.Keys(c.of.vars)) {
		l.collectInput(c, c.of.vars[v])
	}
	c.failed = l.diags[before:].HasErrors()
}

// mostModules is the maximum number of module blocks, each counted once for each use of the module in which it is.
const mostModules = 10_000

// roomForModule refuses a module too many: with folders that name each other twice, modules double with each level.
func (l *loader) roomForModule(b *hcl.Block) bool {
	if len(l.modules) < mostModules {
		return true
	}
	if len(l.modules) == mostModules { // report it once
		l.modules = append(l.modules, newModule(l.root, "", ""))
		l.add(problem(b.DefRange, "Too many modules", "A configuration has at most %d module blocks, each counted as often "+
			"as the module that it stands in.", mostModules))
	}
	return false
}

// maskModule keeps the arguments of a module block whose variables are unknown out of snippets, as each may be a
// secret.
func (l *loader) maskModule(b *hcl.Block) {
	attrs, _ := b.Body.JustAttributes() // errors are reported elsewhere
	for name, attr := range attrs {
		if !slices.Contains(moduleArgs, name) {
			l.mask(attr.Expr)
		}
	}
}

// collectInput adds a node for a variable of a module.
func (l *loader) collectInput(c *call, v *variable) {
	n := &node{key: "var." + v.name, rng: v.rng, input: v, mod: c.of}
	c.of.nodes[n.key] = n
	l.nodes = append(l.nodes, n)
	if slices.Contains(moduleArgs, v.name) {
		l.add(problem(v.rng, "Reserved variable name", "A module block has an argument %q of its own, so that a module "+
			"cannot have a variable of that name.", v.name))
		return
	}
	attr := c.inputs[v.name]
	if attr != nil && v.masked() {
		l.mask(attr.Expr)
	}
	if attr == nil && v.def == cty.NilVal && !v.broken {
		l.add(problem(c.rng, "Missing required argument", "The argument %q is required in module %q.", v.name, c.name))
		v.broken = true
	}
}

// moduleDir returns the folder of a module, relative to that of the configuration.
func (l *loader) moduleDir(m *module, b *hcl.Block) (string, bool) {
	content, _, diags := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "source"}}})
	attr := content.Attributes["source"]
	if attr == nil {
		if !diags.HasErrors() {
			l.add(problem(b.DefRange, "Missing required argument", "The argument \"source\" is required in module %q.",
				b.Labels[0]))
		}
		l.add(diags...)
		return "", false
	}
	val, ok := l.constant(attr)
	if !ok {
		return "", false
	}
	source := Text(val)
	if source != "." && source != ".." && !strings.HasPrefix(source, "./") && !strings.HasPrefix(source, "../") ||
		val.Type() != cty.String {
		l.add(problem(attr.Expr.Range(), "Invalid module source",
			"The source of a module is a folder beside these files, written \"./NAME\" or \"../NAME\". Modules are not "+
				"downloaded: copy the folder here, or add it as a git submodule."))
		return "", false
	}
	dir := path.Join(m.dir, source)
	for at := m; at != nil; at = at.parent {
		if path.Join(at.dir, ".") == path.Join(dir, ".") {
			l.add(problem(attr.Expr.Range(), "Module inside of itself",
				"%q is the folder of this module, or of one that it is inside of. A module cannot hold itself.", source))
			return "", false
		}
	}
	if m.depth() >= maxModules {
		l.add(problem(attr.Expr.Range(), "Modules nested too deeply", "Modules are at most %d levels deep.", maxModules))
		return "", false
	}
	return dir, true
}

// parsed returns the files of a module. A folder named by several module blocks is read once.
func (l *loader) parsed(m *module) parsedFolder {
	if was, ok := l.folders[m.dir]; ok {
		m.lost = was.lost
		return was
	}
	l.plain = nil
	bodies := l.readConfiguration(m)
	l.folders[m.dir] = parsedFolder{bodies: bodies, plain: l.plain, lost: m.lost}
	return l.folders[m.dir]
}

// parsedFolder holds the files of one folder.
type parsedFolder struct {
	bodies []hcl.Body
	plain  []*plainHeader // see Names
	lost   lostNames
}

// evaluateCall makes the instances of a module: one for each key of the block's for_each, in each instance of the
// module in which the block is.
func (l *loader) evaluateCall(c *call) {
	if c.of == nil || c.node.broken {
		return
	}
	for _, in := range c.in.instances {
		if l.meter.err != nil { // reported
			return
		}
		f := frame{in: in}
		addr := strings.TrimPrefix(in.addr+".module."+c.name, ".")
		l.eachKey(&c.meta, f, c.rng, func(index string, f frame) {
			made := &instance{of: c.of, parent: in, index: len(c.of.instances), addr: addr + index, names: f.names}
			c.of.instances = append(c.of.instances, made)
			if in.made == nil {
				in.made, in.keyed = map[*call][]*instance{}, map[*call]map[string]*instance{}
			}
			in.made[c] = append(in.made[c], made)
			if k, ok := made.key(); ok {
				if in.keyed[c] == nil {
					in.keyed[c] = map[string]*instance{}
				}
				in.keyed[c][k] = made
			}
		})
	}
}

// evaluateInput evaluates a variable of a module to the value that its block sets.
func (l *loader) evaluateInput(n *node, in *instance) cty.Value {
	v, c := n.input, n.mod.call
	attr := c.inputs[v.name]
	if v.broken || attr != nil && l.bad[attr] {
		return v.unknown()
	}
	var g given
	if attr != nil {
		ctx := l.context(attr.Expr, frame{in: in.parent, names: in.names})
		val, diags := l.value(attr.Expr, ctx)
		if v.sensitive {
			l.secrets.add(val)
		}
		l.add(diags...)
		if diags.HasErrors() {
			return v.unknown()
		}
		g = given{val: val, from: "module " + strings.TrimPrefix(in.addr, "module."), rng: attr.Expr.Range()}
	}
	return l.settle(v, g, attr != nil)
}

// value returns the value of a module block for expressions in one instance of a module.
func (c *call) value(in *instance) cty.Value {
	if c.of == nil {
		return cty.DynamicVal
	}
	if was := c.results[in]; was != nil && was.outputs == c.of.done {
		return was.val
	}
	byKey := map[string]cty.Value{}
	single := cty.NullVal(cty.DynamicPseudoType)
	for _, made := range in.made[c] {
		outputs := map[string]cty.Value{}
		for _, n := range c.of.outputs {
			outputs[n.output.name] = n.value(made)
		}
		single = cty.ObjectVal(outputs)
		if k, ok := made.key(); ok {
			byKey[k] = single
		}
	}
	val := single
	switch {
	case !c.node.done || c.failed || c.meta.unknown || c.of.lost.torn: // perhaps it has more outputs
		val = cty.DynamicVal
	case c.meta.forEach != nil:
		val = cty.ObjectVal(byKey)
	}
	c.results[in] = &results{outputs: c.of.done, val: val}
	return val
}

// key returns the instance's key of the for_each of its block.
func (i *instance) key() (string, bool) {
	each, ok := i.names["each"]
	if !ok {
		return "", false
	}
	return Text(each.GetAttr("key")), true
}

// pathValue returns the value of path, with path.module and path.root.
func (m *module) pathValue() cty.Value {
	dir := m.dir
	if dir == "" {
		dir = "."
	}
	return cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(dir), "root": cty.StringVal(".")})
}

// filePath returns the path of a file of the module in the file system.
func (l *loader) filePath(m *module, name string) string {
	return filepath.Join(l.dir(), filepath.FromSlash(m.dir), name)
}

// plainName reports whether a name is one in ASCII, without the library, which takes long.
func plainName(name string) bool {
	s := skimmer{src: []byte(name)}
	return s.word() && s.at == len(name)
}

// validName refuses a name that could not be written in a reference.
func (l *loader) validName(name string, rng hcl.Range) bool {
	if plainName(name) || hclsyntax.ValidIdentifier(name) && !strings.Contains(name, ".") {
		return true
	}
	l.add(problem(rng, "Invalid name",
		"%q cannot be the label of a block: a name starts with a letter or underscore and holds letters, digits, "+
			"underscores and dashes.", name))
	return false
}
