package schema

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// newFunctions is the table of all functions, under the names that Terraform gives them.
func (l *loader) newFunctions() map[string]function.Function {
	table := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "chomp": stdlib.ChompFunc,
		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
		"csvdecode": stdlib.CSVDecodeFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc,
		"flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc, "format": stdlib.FormatFunc,
		"formatdate": stdlib.FormatDateFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
		"index": stdlib.IndexFunc, "join": stdlib.JoinFunc, "jsondecode": jsonDecode,
		"jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc, "length": lengthFunc,
		"log": stdlib.LogFunc, "lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc,
		"max": stdlib.MaxFunc, "merge": stdlib.MergeFunc, "min": stdlib.MinFunc,
		"parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "range": stdlib.RangeFunc,
		"regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc, "replace": replaceFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc,
		"setproduct": stdlib.SetProductFunc, "setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc,
		"signum": stdlib.SignumFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "split": stdlib.SplitFunc,
		"strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "timeadd": stdlib.TimeAddFunc,
		"title": stdlib.TitleFunc, "tobool": stdlib.MakeToFunc(cty.Bool),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":  stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tonumber": stdlib.MakeToFunc(cty.Number),
		"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc, "values": stdlib.ValuesFunc,
		"zipmap":       stdlib.ZipmapFunc,
		"startswith":   testFunc("prefix", strings.HasPrefix),
		"endswith":     testFunc("suffix", strings.HasSuffix),
		"base64encode": textFunc(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
		"base64decode": textFunc(decodeBase64),
		"sha256": textFunc(func(s string) (string, error) {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		}),
		"env":          l.envFunc(),
		"file":         l.fileFunc(),
		"sensitive":    markFunc(func(v cty.Value) (cty.Value, error) { return Sensitive(v), nil }),
		"nonsensitive": l.nonsensitiveFunc(),
	}
	for name, f := range table {
		table[name] = l.discreet(name, f)
	}
	table["try"] = tryfunc.TryFunc // these two evaluate their arguments themselves
	table["can"] = tryfunc.CanFunc
	return table
}

// discreet keeps what a function says about a sensitive argument out of its errors: functions quote what they cannot
// use. It also makes secrets that come out of a function known.
func (l *loader) discreet(name string, f function.Function) function.Function {
	open := func(p function.Parameter) function.Parameter {
		p.Type = cty.DynamicPseudoType // it is converted within the limits
		p.AllowDynamicType, p.AllowMarked, p.AllowNull, p.AllowUnknown = true, true, true, true
		return p
	}
	spec := &function.Spec{Description: f.Description()}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := f.VarParam(); p != nil {
		v := open(*p)
		spec.VarParam = &v
	}
	spec.Type = func(args []cty.Value) (cty.Type, error) {
		args, err := l.fit(name, f, args)
		if err != nil {
			return cty.DynamicPseudoType, l.hush(err, args)
		}
		ty, err := f.ReturnTypeForValues(args)
		return ty, l.hush(err, args)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		args, err := l.fit("", f, args)
		if err != nil {
			return cty.DynamicVal, l.hush(err, args)
		}
		val, err := f.Call(args)
		if err != nil {
			return cty.DynamicVal, l.hush(err, args)
		}
		l.secrets.collect(val)
		return val, nil
	}
	return function.New(spec)
}

// hush replaces the text of an error when an argument is sensitive, and arguments from outside in it.
func (l *loader) hush(err error, args []cty.Value) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, a := range args {
		if IsSensitive(a) {
			text = "the call failed (details are left out, because an argument is sensitive)"
			break
		}
		if a.Type() != cty.String || !a.IsKnown() || a.IsNull() || a.AsString() == "" {
			continue
		}
		if by := l.foreign.origin(a.AsString()); by != "" {
			shown := instead(a.AsString(), by)
			text = strings.ReplaceAll(text, strconv.Quote(a.AsString()), shown)
			if len(a.AsString()) >= minPart {
				text = strings.ReplaceAll(text, a.AsString(), shown)
			}
		}
	}
	if text == err.Error() {
		return err
	}
	var arg function.ArgError
	if errors.As(err, &arg) {
		return function.NewArgErrorf(arg.Index, "%s", text)
	}
	return errors.New(text)
}

func textFunc(change func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := change(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

func testFunc(param string, test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: param, Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func decodeBase64(s string) (string, error) {
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("decoding base64: %w", err)
	}
	if !utf8.Valid(out) {
		return "", errors.New("decoding base64: the result is not UTF-8 text")
	}
	return string(out), nil
}

// lengthFunc counts the elements of a collection or the characters of a string.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true,
		AllowMarked: true}}, // secrets inside of a collection do not make its length one
	Type: function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		val, marks := args[0].Unmark()
		ty := val.Type()
		switch {
		case ty == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number), nil
		case ty == cty.String:
			return stdlib.Strlen(args[0])
		case ty.IsObjectType():
			return cty.NumberIntVal(int64(len(ty.AttributeTypes()))).WithMarks(marks), nil
		case ty.IsTupleType():
			return cty.NumberIntVal(int64(ty.Length())).WithMarks(marks), nil
		case !ty.IsCollectionType():
			return cty.NilVal, function.NewArgErrorf(0, "a string or a collection is required")
		}
		return args[0].Length(), nil // of a marked value it is marked
	},
})

// replaceFunc replaces a part of a string; a part between slashes is a regular expression, as in Terraform.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "substr", Type: cty.String},
		{Name: "replace", Type: cty.String}},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		part := args[1].AsString()
		if len(part) > 1 && part[0] == '/' && part[len(part)-1] == '/' {
			return stdlib.RegexReplace(args[0], cty.StringVal(part[1:len(part)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})

func markFunc(change func(cty.Value) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType,
			AllowDynamicType: true, AllowMarked: true, AllowNull: true, AllowUnknown: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return change(args[0]) },
	})
}

// envFunc is env(NAME[, DEFAULT]). What it returns is sensitive when the name tells of a secret (secretName) or the
// value is a private key.
func (l *loader) envFunc() function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam: &function.Parameter{Name: "default", Type: cty.String, AllowNull: true, AllowMarked: true},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if len(args) > 2 {
				return cty.NilVal, errors.New("env takes a name and, if need be, one default")
			}
			name := args[0].AsString()
			if err := l.opts.Access.env(name); err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			text, set := l.opts.Env(name)
			val := l.spellings.value(text)
			switch {
			case set:
			case len(args) == 2:
				val = args[1]
			case l.opts.AllowUnset:
				val = cty.UnknownVal(cty.String) // as a variable without a value
			default:
				return cty.NilVal, function.NewArgErrorf(0,
					"the environment variable %s is not set; set it, or give a default as the second argument", name)
			}
			if set {
				l.foreign.add(Text(val), "env()")
			}
			if secretName(name) || holdsPrivateKey(text) {
				val = Sensitive(val)
			}
			return val, nil
		},
	})
}

// holdsPrivateKey recognizes a private key in PEM form.
func holdsPrivateKey(text string) bool { return strings.Contains(text, "PRIVATE KEY") }

// nonsensitiveFunc takes the mark off, unless a policy forbids it.
func (l *loader) nonsensitiveFunc() function.Function {
	return markFunc(func(v cty.Value) (cty.Value, error) {
		if err := l.opts.Access.nonsensitive(); err != nil {
			return cty.NilVal, err
		}
		v, _ = v.Unmark()
		return v, nil
	})
}

// fileFunc is file(PATH): the text of a file in the folder of the configuration (see Folder). A private key is
// sensitive.
func (l *loader) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			text, err := l.folder().Read(Reading{Path: path, By: "file()", Most: MostOfFile})
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if !filepath.IsAbs(path) {
				path = filepath.Join(l.dir(), path)
			}
			if !utf8.Valid(text) {
				return cty.NilVal, function.NewArgErrorf(0, "%s is not UTF-8 text", path)
			}
			val := l.spellings.value(string(text))
			l.foreign.add(Text(val), "file()")
			if holdsPrivateKey(string(text)) {
				val = Sensitive(val)
			}
			return val, nil
		},
	})
}
