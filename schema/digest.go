package schema

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Digest returns the SHA-256, in lower-case hex, of everything that is declared: every address with its value and
// depends_on, the settings that have an effect, such as the operator, and the content of the folder's files that
// commands on this machine name. Comments, formatting and the distribution of declarations over files do not change
// it. Neither do secrets, which enter it as "(sensitive value)". Every other value does.
func (c *Config) Digest() string { return c.digest(sha256.New(), false) }

// KeyedDigest is like Digest, but also covers secrets, and the folder's files named by arguments ending in _file,
// which may differ from site to site. It is an HMAC with a key: without the key, it reveals nothing about the secrets.
func (c *Config) KeyedDigest(key []byte) string { return c.digest(hmac.New(sha256.New, key), true) }

func (c *Config) digest(h hash.Hash, secrets bool) string {
	c.canonical(h, secrets)
	return hex.EncodeToString(h.Sum(nil))
}

// canonical writes the JSON that the digests hash, one declaration at a time, since the whole may be large; with
// secrets in the clear if secrets is set. Writing to w must not fail.
func (c *Config) canonical(w io.Writer, secrets bool) {
	head := marshal(struct {
		Operator    *Operator
		Parallelism int
	}{c.Settings.Operator, c.Settings.Parallelism})
	rest := struct {
		Sites     []*Site           `json:",omitempty"`
		Commands  map[string]string `json:",omitempty"`
		Arguments map[string]string `json:",omitempty"`
	}{Sites: c.Settings.Sites, Commands: c.acting.commands}
	if secrets {
		rest.Arguments = c.acting.arguments
	}
	b := append(head[:len(head)-1], `,"Resources":[`...)
	for i, e := range c.entries() {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendTo(b, secrets)
		_, _ = w.Write(b)
		b = b[:0]
	}
	b = append(b, ']')
	tail := marshal(rest)
	if len(tail) > len("{}") {
		b = append(b, ',')
	}
	_, _ = w.Write(append(b, tail[1:]...))
}

// entry is a declaration, and its address as text.
type entry struct {
	addr string
	*Resource
}

// entries returns all declarations, sorted by address.
func (c *Config) entries() []entry {
	all := make([]entry, 0, len(c.Resources))
	for _, r := range c.Resources {
		all = append(all, entry{r.Addr.String(), r})
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.addr, b.addr) })
	return all
}

func (e entry) appendTo(b []byte, secrets bool) []byte {
	b = appendText(append(b, `{"addr":`...), e.addr)
	value := e.Value
	if secrets {
		value = Reveal(value)
	} else {
		value = e.withoutPrivate(e.ofItsSite())
	}
	b = appendPlain(append(b, `,"value":`...), value)
	b = append(b, `,"depends_on":[`...)
	for i, d := range e.DependsOn {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, d.String())
	}
	b = append(b, ']')
	if e.PreventDestroy { // an older plan may remove it
		b = append(b, `,"prevent_destroy":true`...)
	}
	if e.Site != "" {
		b = appendText(append(b, `,"site":`...), e.Site)
	}
	return append(b, '}')
}

// Arguments returns the hashes of a declaration's arguments by name ("url", "field.summary.mapping"). Arguments inside
// of blocks and maps are listed one by one, and depends_on is included. Null arguments are left out. Like the digest,
// the hashes reveal nothing about secrets.
func (r *Resource) Arguments() map[string]string {
	out := map[string]string{}
	var add func(name string, v cty.Value)
	add = func(name string, v cty.Value) {
		switch {
		case v == cty.NilVal || !v.IsMarked() && v.IsNull():
			return
		case !v.IsMarked() && v.IsKnown() && named(v.Type()) && v.LengthInt() > 0:
			for it := v.ElementIterator(); it.Next(); {
				key, inner := it.Element()
				add(strings.TrimPrefix(name+"."+key.AsString(), "."), inner)
			}
		default:
			out[name] = ArgumentHash(v)
		}
	}
	add("", r.withoutPrivate(r.ofItsSite()))
	for _, a := range r.DependsOn {
		add("depends_on", cty.StringVal(out["depends_on"]+a.String()))
	}
	return out
}

// ArgumentHash returns the hash that Arguments computes for an argument with this value. The value must be neither an
// object nor a map.
func ArgumentHash(v cty.Value) string {
	sum := sha256.Sum256(appendPlain(nil, v))
	return hex.EncodeToString(sum[:16])
}

// named reports whether the parts of a value of this type have names.
func named(ty cty.Type) bool { return ty.IsObjectType() || ty.IsMapType() }

// appendPlain writes a value as JSON, always the same bytes. Secrets and unknown values become words.
func appendPlain(b []byte, v cty.Value) []byte {
	switch {
	case v == cty.NilVal || !v.IsMarked() && v.IsNull():
		return append(b, "null"...)
	case v.IsMarked():
		return appendText(b, sensitiveText)
	case !v.IsKnown():
		return append(b, `{"`+unknownText+`":true}`...)
	}
	ty := v.Type()
	switch {
	case ty == cty.String:
		return appendText(b, v.AsString())
	case ty == cty.Bool:
		return strconv.AppendBool(b, v.True())
	case ty == cty.Number:
		text := numberText(v)
		if json.Valid([]byte(text)) {
			return append(b, text...)
		}
		return append(b, `{"number":"`+text+`"}`...) // infinite, or too large for decimal digits
	case !v.CanIterateElements():
		return appendText(b, ty.FriendlyName())
	}
	open, end := byte('['), byte(']')
	if named(ty) {
		open, end = '{', '}'
	}
	b = append(b, open)
	for it := v.ElementIterator(); it.Next(); { // sorted
		key, elem := it.Element()
		if b[len(b)-1] != open {
			b = append(b, ',')
		}
		if named(ty) {
			b = append(appendText(b, key.AsString()), ':')
		}
		b = appendPlain(b, elem)
	}
	return append(b, end)
}

// appendText writes a text as encoding/json does, which takes several times as long for the usual ones.
func appendText(b []byte, text string) []byte {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || strings.IndexByte(`"\\<>&`, c) >= 0 {
			return append(b, marshal(text)...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// marshal returns the JSON of a value that always has some.
func marshal(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic("schema: plain values always marshal: " + err.Error())
	}
	return out
}
