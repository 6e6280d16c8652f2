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
	Resources []*Resource // what others need comes first; where nothing decides, by address
	Outputs   []Output    // of the root module, by name
	Settings  Settings
	Site      string // the site that the process acts for; "" without sites
	Moves     []Move
	Imports   []Import
	Removed   []Move // without To

	files    func() map[string]*hcl.File
	acting   acting // files of the folder
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
	Environment []string // names of the variables that it gets beside those of every program

	// Files are the words of the command that name files of the configuration's folder, with what Folder.Sums says of
	// each.
	Files map[string]string `json:",omitempty"`
}

// Lookup finds a declaration by its address, or returns nil.
func (c *Config) Lookup(a Addr) *Resource { return c.byAddr[a] }

// SecretVariable says whether the value of a variable must not be shown: it is declared sensitive, sounds like a
// secret and is not declared plain, or is not declared, so that nothing is known about it.
func (c *Config) SecretVariable(name string) bool { return !c.openVars[name] }

// Variables are the names of the variables that are declared, sorted.
func (c *Config) Variables() []string { return slices.Sorted(maps.Keys(c.openVars)) }

// Redactor returns what takes the secrets of this configuration out of text. It is there after a failed Load too, and
// then knows the secrets that were found before the failure.
func (c *Config) Redactor() *redact.Set { return c.redactor }

// Digest is the SHA-256, in lower-case hex, of all that is declared: every address with its value and depends_on, and
// the settings that act, such as the operator; and the content of the folder's files that commands on this machine
// name. Comments, formatting, and how declarations are spread over files do
// not change it; neither do secrets, which stand in it as "(sensitive value)". Every other value does.
func (c *Config) Digest() string {
	sum := sha256.Sum256(c.canonical(false))
	return hex.EncodeToString(sum[:])
}

// KeyedDigest is as Digest, but secrets enter it too, and the folder's files that arguments ending in _file name, which
// may differ from site to site; and it is an HMAC with a key: who has not got the key learns
// nothing of the secrets.
func (c *Config) KeyedDigest(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(c.canonical(true))
	return hex.EncodeToString(mac.Sum(nil))
}

// canonical is the text that the digests hash. secrets: with secrets in the clear.
func (c *Config) canonical(secrets bool) []byte {
	type entry struct {
		Addr      string   `json:"addr"`
		Value     any      `json:"value"`
		DependsOn []string `json:"depends_on"`
		Protected bool     `json:"prevent_destroy,omitempty"` // a plan of before may remove it
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

// Arguments are the hashes of a declaration's arguments by their names ("url", "field.summary.mapping"), those inside
// of blocks and maps one by one, with depends_on among them. An argument that is null is left out. Like the digest they
// tell nothing of secrets.
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

// ArgumentHash is the hash that Arguments has for an argument of this value, which is neither an object nor a map.
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
