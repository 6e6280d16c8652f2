package declare

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var (
	blockType    = reflect.TypeFor[Block]()
	secretType   = reflect.TypeFor[Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	resourceType = reflect.TypeFor[*schema.Resource]()
	valueType    = reflect.TypeFor[cty.Value]()
)

// decoder fills one struct and collects the errors. The paths that its methods take share their memory: none is kept.
type decoder struct {
	r       *schema.Resource
	diags   hcl.Diagnostics
	unknown map[*hcl.Diagnostic]bool // those that say that a value is not known
}

// usualDepth is the length of a path for which there is room at first.
const usualDepth = 8

// field is a field of a struct that is filled.
type field struct {
	index int
	name  string // of an argument or a block; "" for the fields of an embedded struct, and for a Block
	block bool
}

var known sync.Map // the fields of each struct, by its type: reflection makes new ones each time

// fieldsOf returns the fields of a struct that are filled.
func fieldsOf(t reflect.Type) []field {
	if had, ok := known.Load(t); ok {
		return had.([]field)
	}
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("decl")
		if tagged || f.Type == blockType || f.Anonymous && f.Type.Kind() == reflect.Struct {
			out = append(out, field{i, name, f.Type == blockType})
		}
	}
	known.Store(t, out)
	return out
}

// fill fills a struct from the block at path, whose value is v.
func (d *decoder) fill(into reflect.Value, v cty.Value, path []string) {
	for _, f := range fieldsOf(into.Type()) {
		switch to := into.Field(f.index); {
		case f.block:
			*to.Addr().Interface().(*Block) = Block{r: d.r, path: slices.Clone(path)}
		case f.name != "":
			d.value(to, schema.Get(v, f.name), append(path, f.name))
		default:
			d.fill(to, v, path)
		}
	}
}

// value sets one field. A null does not change it.
func (d *decoder) value(into reflect.Value, v cty.Value, path []string) {
	if v.IsNull() {
		return
	}
	if into.Type() != secretType && v.IsMarked() { // known or not
		d.problem(path, "Sensitive value where a plain one is needed",
			"%s is sent to servers or shown in plans, so it cannot be sensitive. Take it from a source that is not sensitive, "+
				"or from an environment variable whose name does not tell of a secret.", strings.Join(path, "."))
		return
	}
	if !v.IsKnown() {
		d.notKnown(path)
		return
	}
	switch {
	case into.Type() == secretType:
		d.secret(into, v, path)
	case into.Type() == valueType:
		d.any(into, v, path)
	case into.Type() == resourceType:
		if addr, err := schema.ParseAddr(v.AsString()); err == nil {
			if to := d.r.Referred(addr); to != nil {
				into.Set(reflect.ValueOf(to))
			}
		}
	case into.Type() == durationType:
		d.duration(into, v, path)
	case into.Kind() == reflect.Pointer:
		p := reflect.New(into.Type().Elem())
		before := len(d.diags)
		d.value(p.Elem(), v, path)
		if len(d.diags) == before || p.Elem().Kind() == reflect.Struct {
			into.Set(p)
		}
	case into.Kind() == reflect.Struct:
		d.fill(into, v, path)
	case into.Kind() == reflect.Map || into.Kind() == reflect.Slice:
		d.elements(into, v, path)
	default:
		d.scalar(into, v, path)
	}
}

// secret sets a Secret byte for byte. cty converts strings to one Unicode form, but in another form a password is a
// different one.
func (d *decoder) secret(into reflect.Value, v cty.Value, path []string) {
	hidden := schema.IsSensitive(v)
	v = schema.Reveal(v)
	if v.Type() != cty.String {
		d.problem(path, "Value of the wrong type", "%s must be a text.", strings.Join(path, "."))
		return
	}
	text, ok := d.r.Spelling(v.AsString())
	if !ok {
		d.problem(path, "Two spellings of one value",
			"Two values from files, variables or the environment differ in their Unicode "+
				"form only, so it is unknown which one %s means. Bring them into the same form.", strings.Join(path, "."))
		return
	}
	if hidden && text != "" && len(text) < redact.MinLength {
		d.diags = append(d.diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "The secret is too short to be masked", Subject: d.r.RangeOf(path...),
			Detail: fmt.Sprintf("%s has fewer than %d characters. Texts that servers repeat are not searched for it, "+
				"because it would be found everywhere.", strings.Join(path, "."), redact.MinLength),
		})
	}
	if hidden && strings.Count(text, "\n") == 1 && strings.HasSuffix(text, "\n") {
		d.diags = append(d.diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "The secret ends with a newline", Subject: d.r.RangeOf(path...),
			Detail: fmt.Sprintf("%s is one line with a newline behind it, as editors write files. The newline is part of it: "+
				"use chomp() or trimspace() if it is not meant.", strings.Join(path, ".")),
		})
	}
	into.Set(reflect.ValueOf(Secret{value: text, hidden: hidden}))
}

func (d *decoder) any(into reflect.Value, v cty.Value, path []string) {
	switch {
	case schema.IsSensitive(v):
		d.problem(path, "Sensitive value where a plain one is needed", "%s cannot hold a sensitive value.",
			strings.Join(path, "."))
	case !v.IsWhollyKnown():
		d.notKnown(path)
	default:
		into.Set(reflect.ValueOf(v))
	}
}

func (d *decoder) duration(into reflect.Value, v cty.Value, path []string) {
	t, err := time.ParseDuration(v.AsString())
	if err != nil || t <= 0 {
		d.problem(path, "Invalid duration",
			"%q is not a duration: write a positive number with a unit, such as \"90s\", \"15m\" or \"2h\".", v.AsString())
		return
	}
	into.SetInt(int64(t))
}

// elements fills a map or a slice.
func (d *decoder) elements(into reflect.Value, v cty.Value, path []string) {
	if into.Kind() == reflect.Map {
		into.Set(reflect.MakeMap(into.Type()))
	}
	n := 0
	for it := v.ElementIterator(); it.Next(); n++ {
		key, elem := it.Element()
		name := strconv.Itoa(n)
		if key.Type() == cty.String {
			name = key.AsString()
		}
		e := reflect.New(into.Type().Elem()).Elem()
		d.value(e, elem, append(path, name))
		if into.Kind() == reflect.Map {
			into.SetMapIndex(reflect.ValueOf(name), e)
		} else {
			into.Set(reflect.Append(into, e))
		}
	}
}

func (d *decoder) scalar(into reflect.Value, v cty.Value, path []string) {
	switch into.Kind() {
	case reflect.String:
		into.SetString(schema.Text(v))
		return
	case reflect.Bool:
		if v.Type() == cty.Bool {
			into.SetBool(v.True())
			return
		}
	case reflect.Int:
		if v.Type() == cty.Number {
			n, exact := v.AsBigFloat().Int64()
			if exact == big.Exact {
				into.SetInt(n)
				return
			}
		}
	case reflect.Float64:
		if v.Type() == cty.Number {
			f, _ := v.AsBigFloat().Float64()
			into.SetFloat(f)
			return
		}
	default: // a kind that no declaration can have; reported below
	}
	d.problem(path, "Value of the wrong type", "%s must be a %s.", strings.Join(path, "."), into.Kind())
}

func (d *decoder) notKnown(path []string) {
	d.problem(path, "Value is not known", "%s depends on a value that is not known yet.", strings.Join(path, "."))
	if d.unknown == nil {
		d.unknown = map[*hcl.Diagnostic]bool{}
	}
	d.unknown[d.diags[len(d.diags)-1]] = true
}

func (d *decoder) problem(path []string, summary, format string, args ...any) {
	d.diags = append(d.diags, Block{r: d.r}.Problem(summary, fmt.Sprintf(format, args...), path...))
}

// settled returns the errors that remain if every value is known.
func (d *decoder) settled() hcl.Diagnostics {
	return slices.DeleteFunc(slices.Clone(d.diags), func(diag *hcl.Diagnostic) bool { return d.unknown[diag] })
}

// mismatches compares the tags of a struct with a body. It returns what only one of the two has, or has in another
// shape.
func mismatches(body schema.Body, t reflect.Type, path []string) []string {
	fields := map[string]reflect.Type{}
	collect(t, fields)
	var bad []string
	say := func(name, format string) {
		bad = append(bad, fmt.Sprintf(format, strings.Join(append(append([]string{}, path...), name), ".")))
	}
	for _, a := range body.Attributes {
		f, ok := fields[a.Name]
		delete(fields, a.Name)
		switch {
		case !ok:
			say(a.Name, "%s is never decoded")
		case a.Secret && f != secretType:
			say(a.Name, "%s is secret, and its field is not a Secret")
		case (a.Ref != nil) != (f == resourceType):
			say(a.Name, "%s: references, and they alone, decode into *schema.Resource")
		case (a.Unit == schema.Duration) != (f == durationType):
			say(a.Name, "%s: arguments of the unit schema.Duration, and they alone, decode into time.Duration")
		}
	}
	for _, b := range body.Blocks {
		f, ok := fields[b.Name]
		delete(fields, b.Name)
		if !ok {
			say(b.Name, "%s is never decoded")
			continue
		}
		switch {
		case b.Label != "" && f.Kind() == reflect.Map, b.Label == "" && b.Many && f.Kind() == reflect.Slice:
			f = f.Elem()
		case b.Label == "" && !b.Many && f.Kind() == reflect.Pointer:
			f = f.Elem()
		}
		if f.Kind() != reflect.Struct {
			say(b.Name, "%s: a block decodes into a struct or a pointer to one, labelled blocks into a map, repeated ones "+
				"into a slice")
			continue
		}
		bad = append(bad, mismatches(b.Body, f, append(append([]string{}, path...), b.Name))...)
	}
	for i := range t.NumField() { // in the order of the struct
		if name, ok := t.Field(i).Tag.Lookup("decl"); ok && fields[name] != nil {
			say(name, "%s is not in the body")
			delete(fields, name)
		}
	}
	for name := range fields { // fields of embedded structs
		say(name, "%s is not in the body")
	}
	return bad
}

// collect returns the tagged fields of a struct, including those of embedded structs.
func collect(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		if name, ok := f.Tag.Lookup("decl"); ok {
			into[name] = f.Type
		} else if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Type != blockType {
			collect(f.Type, into)
		}
	}
}
