package schema

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/redact"
	"github.com/zclconf/go-cty/cty"
)

// Config is what the files of one folder declare, evaluated.
type Config struct {
	Resources []*Resource // dependencies first, otherwise by address
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

// Digest returns the SHA-256, in lower-case hex, of everything that is declared: every address with its value and
// depends_on, the settings that have an effect, such as the operator, and the content of the folder's files that
// commands on this machine name. Comments, formatting and the distribution of declarations over files do not change
// it. Neither do secrets, which enter it as "(sensitive value)". Every other value does.
func (c *Config) Digest() string {
	sum := sha256.Sum256(c.canonical(false))
	return hex.EncodeToString(sum[:])
}

// KeyedDigest is like Digest, but also covers secrets, and the folder's files named by arguments ending in _file,
// which may differ from site to site. It is an HMAC with a key: without the key, it reveals nothing about the secrets.
func (c *Config) KeyedDigest(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(c.canonical(true))
	return hex.EncodeToString(mac.Sum(nil))
}

// canonical returns the text that the digests hash; with secrets in the clear if secrets is set.
func (c *Config) canonical(secrets bool) []byte {
	type entry struct {
		Addr      string   `json:"addr"`
		Value     any      `json:"value"`
		DependsOn []string `json:"depends_on"`
		Protected bool     `json:"prevent_destroy,omitempty"` // an older plan may remove it
		Site      string   `json:"site,omitempty"`
	}
	all := struct {
		Operator    *Operator
		Parallelism int
		Resources   []entry
		Sites       []*Site           `json:",omitempty"`
		Commands    map[string]string `json:",omitempty"`
		Arguments   map[string]string `json:",omitempty"`
	}{
		Operator: c.Settings.Operator, Parallelism: c.Settings.Parallelism, Resources: make([]entry, 0, len(c.Resources)),
		Sites: c.Settings.Sites, Commands: c.acting.commands,
	}
	if secrets {
		all.Arguments = c.acting.arguments
	}
	for _, r := range c.Resources {
		value := r.Value
		if secrets && value != cty.NilVal {
			value, _ = value.UnmarkDeep()
		}
		e := entry{Addr: r.Addr.String(), Value: plain(value), DependsOn: []string{}, Protected: r.PreventDestroy,
			Site: r.Site}
		if !secrets {
			e.Value = r.withoutPrivate(e.Value)
		}
		for _, d := range r.DependsOn {
			e.DependsOn = append(e.DependsOn, d.String())
		}
		all.Resources = append(all.Resources, e)
	}
	sort.Slice(all.Resources, func(i, j int) bool { return all.Resources[i].Addr < all.Resources[j].Addr })
	out, err := json.Marshal(all)
	if err != nil {
		panic("schema: plain values always marshal: " + err.Error()) // plain yields only what encoding/json takes
	}
	return out
}

// Arguments returns the hashes of a declaration's arguments by name ("url", "field.summary.mapping"). Arguments inside
// of blocks and maps are listed one by one, and depends_on is included. Null arguments are left out. Like the digest,
// the hashes reveal nothing about secrets.
func (r *Resource) Arguments() map[string]string {
	out := map[string]string{}
	var add func(name string, value any)
	add = func(name string, value any) {
		if value == nil {
			return
		}
		if m, ok := value.(map[string]any); ok && len(m) > 0 {
			for key, inner := range m {
				add(strings.TrimPrefix(name+"."+key, "."), inner)
			}
			return
		}
		out[name] = hashOf(value)
	}
	add("", r.withoutPrivate(plain(r.Value)))
	for _, a := range r.DependsOn {
		add("depends_on", out["depends_on"]+a.String())
	}
	return out
}

func hashOf(plain any) string {
	text, err := json.Marshal(plain)
	if err != nil {
		panic("schema: plain values always marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// ArgumentHash returns the hash that Arguments computes for an argument with this value. The value must be neither an
// object nor a map.
func ArgumentHash(v cty.Value) string { return hashOf(plain(v)) }

// plain turns a value into what encoding/json writes deterministically. Secrets and unknown values become words.
func plain(v cty.Value) any {
	switch {
	case v == cty.NilVal || v.IsNull() && !v.IsMarked():
		return nil
	case v.IsMarked():
		return sensitiveText
	case !v.IsKnown():
		return map[string]bool{unknownText: true}
	}
	ty := v.Type()
	switch {
	case ty == cty.String:
		return v.AsString()
	case ty == cty.Bool:
		return v.True()
	case ty == cty.Number:
		if text := numberText(v); json.Valid([]byte(text)) {
			return json.Number(text)
		}
		return map[string]string{"number": numberText(v)} // infinite, or too large for decimal digits
	case ty.IsObjectType() || ty.IsMapType():
		m := map[string]any{}
		for it := v.ElementIterator(); it.Next(); {
			key, elem := it.Element()
			m[key.AsString()] = plain(elem)
		}
		return m
	case ty.IsListType() || ty.IsSetType() || ty.IsTupleType():
		list := []any{}
		for it := v.ElementIterator(); it.Next(); {
			_, elem := it.Element()
			list = append(list, plain(elem))
		}
		return list
	}
	return ty.FriendlyName()
}
