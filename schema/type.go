package schema

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
)

// Type is the grammar of one block type, supplied by a driver: what may be written in `KIND "NAME" "label" { ... }`.
type Type struct {
	Kind    Kind
	Name    string // the first label, usually the product's name
	Summary string // one sentence, shown in documentation
	Example string // a whole small configuration that declares one, shown in documentation
	Full    string // another one with the arguments that Example leaves out, also shown there; "" if it has all
	Body    Body

	// Check applies the product's own rules to one evaluated declaration. It is pure and may be given unknown values
	// (validate runs without variables). If it is nil, there are no further rules.
	Check func(*Resource) hcl.Diagnostics
}

// Body is what is allowed between one pair of braces.
type Body struct {
	Attributes []Attribute
	Blocks     []Block
}

// Attribute is one argument of a body.
type Attribute struct {
	Name     string
	Doc      string
	Type     cty.Type  // ignored when Ref is set: a reference evaluates to the address as a string
	Required bool      //
	Default  cty.Value // cty.NilVal: null when not given
	Secret   bool      // the value is marked sensitive wherever it comes from
	OneOf    []string  // the permitted strings, where the value is one of a few words
	Whole    bool      // each number in the value is whole, at least Least and below 2^31
	Least    int       // only with Whole; 0 forbids negative numbers
	Unit     string    // what a number counts, or the form of a text: "days", Duration
	Ref      *Ref      // if set, the value is a reference to another declaration
	Brief    bool      // a diagram of the declaration shows it, such as a synchronization's trigger
	Since    string    // the version of syncctl that introduced it; "": the first, see Version
}

// Version returns the version of syncctl that introduced the argument.
func (a *Attribute) Version() string { return cmp.Or(a.Since, functions.First) }

// Duration is the unit of a text such as "90s".
const Duration = "duration"

// Ref is what a reference attribute may refer to.
type Ref struct {
	Kind Kind
	Type string

	// Owns: the referring declaration carries the other one out, so the planner does not reconcile the other one by
	// itself. A migration owns the syncs that it comes from and leads to.
	Owns bool

	// MayBeGone: the other declaration may have been removed from the files. The attribute then still evaluates to its
	// address, but it is not among Resource.Refs.
	MayBeGone bool

	// Flow is the direction of data between a synchronization and the server that it refers to, for diagrams.
	Flow Flow
}

// Flow is a direction of data. "": none.
type Flow string

// The directions, as seen by the referring declaration.
const (
	FlowFrom Flow = "from" // data comes from there
	FlowTo   Flow = "to"   // data goes there
	FlowBoth Flow = "both"
)

// Block is a nested block of a body.
type Block struct {
	Name string
	Doc  string
	// Label, if set, is the documented name of the block's only label. The value is then a map keyed by the label.
	Label    string
	Required bool   // at least one must be there
	When     string // if it is not always required: where it must be there, and only there, for the reference
	Many     bool   // without Label: a list of objects rather than one object
	Body     Body
}

// Catalog is the set of types that the drivers of this program supply.
type Catalog []Type

// Lookup returns a type by kind and name, or nil if there is none.
func (c Catalog) Lookup(k Kind, name string) *Type {
	for i := range c {
		if c[i].Kind == k && c[i].Name == name {
			return &c[i]
		}
	}
	return nil
}
