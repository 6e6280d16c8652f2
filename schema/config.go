package schema

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/redact"
)

// Config is what the files of one folder declare, evaluated.
type Config struct {
	Resources []*Resource // dependencies first, otherwise by address
	Named     []*Named    // each once; see Names
	Outputs   []Output    // of the root module, by name
	Settings  Settings
	Site      string // the site that the process acts for; "" without sites
	Moves     []Move
	Imports   []Import
	Removed   []Move // without To

	files    func() map[string]*hcl.File
	names    []string // of the files, sorted
	acting   acting   // files of the folder
	byAddr   map[Addr]*Resource
	openVars map[string]bool // the variables that are declared, and may be shown
	redactor *redact.Set
	loader   *loader // for Evaluate
}

// Settings is what the syncctl block says about the program itself.
type Settings struct {
	RequiredVersion string    // as written, "" when absent
	Operator        *Operator // nil when absent
	Parallelism     int       // 0 when absent
	Sites           []*Site   // by name
}

// Operator is a program of the user's own that carries out the steps for a person.
type Operator struct {
	Command     []string // program and arguments, at least one
	Environment []string // names of the variables that it gets in addition to those of every program

	// Files holds the words of the command that name files of the configuration's folder, with their values from
	// Folder.Sums.
	Files map[string]string `json:",omitempty"`
}

// Lookup finds a declaration by its address, or returns nil.
func (c *Config) Lookup(a Addr) *Resource { return c.byAddr[a] }

// SecretVariable reports whether the value of a variable must not be shown: it is declared sensitive, or its name
// sounds like a secret and it is not declared plain, or it is not declared, so that nothing is known about it.
func (c *Config) SecretVariable(name string) bool { return !c.openVars[name] }

// Variables returns the names of the declared variables, sorted.
func (c *Config) Variables() []string { return slices.Sorted(maps.Keys(c.openVars)) }

// Redactor returns what removes the secrets of this configuration from text. It is set after a failed Load too, and
// then knows the secrets found before the failure.
func (c *Config) Redactor() *redact.Set { return c.redactor }
