package functions

import (
	"errors"
	"path"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// signature makes a function that package schema implements.
func signature(ty cty.Type, rest *function.Parameter, params ...function.Parameter) function.Function {
	return function.New(&function.Spec{Params: params, VarParam: rest, Type: function.StaticReturnType(ty),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
			return cty.NilVal, errors.New("it is not to be called here")
		}})
}

func files() []Function {
	const inside = "The file must be in the configuration's folder, also where links lead, unless a policy permits " +
		"more, and in no case in that folder's .git and the like; it has at most 16 MiB. "
	const key = "What holds a private key is sensitive."
	ofPath := signature(cty.String, nil, param("path", cty.String))
	hello := map[string]string{"hello.txt": "Hello World"}
	return []Function{
		{Name: "basename", Func: textFunc(func(s ...string) (string, error) { return path.Base(s[0]), nil }, "path"),
			Summary:  "The last part of a path.",
			Differs:  "Parts of a path are separated by /, on every system.",
			Examples: examples(`basename("foo/bar/baz.txt")`, `"baz.txt"`)},
		{Name: "dirname", Func: textFunc(func(s ...string) (string, error) { return path.Dir(s[0]), nil }, "path"),
			Summary:  "A path without its last part.",
			Differs:  "Parts of a path are separated by /, on every system.",
			Examples: examples(`dirname("foo/bar/baz.txt")`, `"foo/bar"`)},
		{Name: "env", Own: true, Func: signature(cty.String,
			&function.Parameter{Name: "default", Type: cty.String, AllowNull: true, AllowMarked: true},
			param("name", cty.String)),
			Summary: "The value of an environment variable, or a default where it is not set. It is sensitive where the name " +
				"tells of a secret (see secrets.md).",
			Examples: []Example{{Code: `env("PLANT")`, Result: `"north"`, Env: map[string]string{"PLANT": "north"}},
				{Code: `env("DEPOT", "south")`, Result: `"south"`}}},
		{Name: "file", Func: ofPath, Summary: "The text of a file.", Differs: inside + key,
			Examples: []Example{{Code: `file("hello.txt")`, Result: `"Hello World"`, Files: hello}}},
		{Name: "filebase64", Func: ofPath, Summary: "The bytes of a file, in base64.",
			Differs:  inside + "What is not UTF-8 text may be a key, so that it is sensitive, as private keys are.",
			Examples: []Example{{Code: `filebase64("hello.txt")`, Result: `"SGVsbG8gV29ybGQ="`, Files: hello}}},
		{Name: "filebase64sha256", Func: ofPath,
			Summary: "The SHA-256 hash of a file, in base64.", Differs: inside + key,
			Examples: []Example{{Code: `filebase64sha256("hello.txt") == base64sha256("Hello World")`, Result: `true`,
				Files: hello}}},
		{Name: "filebase64sha512", Func: ofPath,
			Summary: "The SHA-512 hash of a file, in base64.", Differs: inside + key,
			Examples: []Example{{Code: `filebase64sha512("hello.txt") == base64sha512("Hello World")`, Result: `true`,
				Files: hello}}},
		{Name: "fileexists", Func: signature(cty.Bool, nil, param("path", cty.String)), Summary: "Whether there is a file.",
			Differs: "The path must be one that file() may read: what is outside of the folder is an error, there or not.",
			Examples: []Example{{Code: `fileexists("hello.txt")`, Result: `true`, Files: hello},
				{Code: `fileexists("none.txt")`, Result: `false`}}},
		{Name: "filemd5", Func: ofPath, Summary: "The MD5 hash of a file. Not for security.", Differs: inside + key,
			Examples: []Example{{Code: `filemd5("hello.txt") == md5("Hello World")`, Result: `true`, Files: hello}}},
		fileset(hello),
		{Name: "filesha1", Func: ofPath, Summary: "The SHA-1 hash of a file. Not for security.", Differs: inside + key,
			Examples: []Example{{Code: `filesha1("hello.txt") == sha1("Hello World")`, Result: `true`, Files: hello}}},
		{Name: "filesha256", Func: ofPath, Summary: "The SHA-256 hash of a file, in hexadecimal.", Differs: inside + key,
			Examples: []Example{{Code: `filesha256("hello.txt") == sha256("Hello World")`, Result: `true`, Files: hello}}},
		{Name: "filesha512", Func: ofPath, Summary: "The SHA-512 hash of a file, in hexadecimal.", Differs: inside + key,
			Examples: []Example{{Code: `filesha512("hello.txt") == sha512("Hello World")`, Result: `true`, Files: hello}}},
		{Name: "templatefile", Func: signature(cty.DynamicPseudoType, nil, param("path", cty.String), function.Parameter{
			Name: "vars", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowMarked: true, AllowUnknown: true}),
			Summary: "The text of a file, evaluated as a template whose variables are the elements of an object.",
			Differs: inside + key + " A template cannot read another one.",
			Examples: []Example{{Code: `templatefile("query.tftpl", { keys = ["SAM2", "SP2"] })`,
				Result: `"project = SAM2 project = SP2 "`,
				Files:  map[string]string{"query.tftpl": "%{ for k in keys }project = ${k} %{ endfor }"}}}},
	}
}

func secrets() []Function {
	anything := function.Parameter{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowMarked: true,
		AllowNull: true, AllowUnknown: true}
	return []Function{
		{Name: "can", Func: tryfunc.CanFunc, Summary: "Whether an expression has a value rather than an error.",
			Examples: examples(`can(jsondecode("{"))`, `false`, `can(tonumber("12"))`, `true`)},
		{Name: "issensitive", Func: signature(cty.Bool, nil, anything), Summary: "Whether a value is sensitive as a whole.",
			Examples: examples(`issensitive(sensitive("x"))`, `true`, `issensitive("x")`, `false`)},
		{Name: "nonsensitive", Func: signature(cty.DynamicPseudoType, nil, anything),
			Summary:  "The value without its mark as a secret: from then on it may stand where any other may.",
			Differs:  "A policy can forbid it. What is printed is searched for all secrets, and its text stays hidden.",
			Examples: examples(`nonsensitive(sensitive("x"))`, `"x"`)},
		{Name: "sensitive", Func: signature(cty.DynamicPseudoType, nil, anything),
			Summary:  "The value as a secret: it is shown nowhere, and neither is what is computed from it.",
			Examples: examples(`nonsensitive(sha256(sensitive("x"))) == sha256("x")`, `true`)},
		{Name: "try", Func: tryfunc.TryFunc, Summary: "The value of the first expression that has one rather than an error.",
			Examples: examples(`try(jsondecode("{"), "fallback")`, `"fallback"`)},
	}
}

// fileset is the only function that lists files.
func fileset(hello map[string]string) Function {
	return Function{
		Name: "fileset",
		Func: signature(cty.Set(cty.String), nil, param("path", cty.String), param("pattern", cty.String)),
		Summary: "The names of the files in a folder that fit a pattern: * is any part of a name, ? one character, [a-z] " +
			"one of some, {a,b} one of several, ** any folders.",
		Differs: "The folder must be in the configuration's, whatever a policy permits, and neither path nor pattern has " +
			".. in it. A link where the pattern looks is an error, whether or not it fits. What is in .syncctl, .git, " +
			".hg or .svn is not listed. At most 10,000 files and folders are looked at, and 32 inside of each other.",
		Examples: []Example{{Code: `fileset(".", "*.txt")`, Result: `toset(["hello.txt"])`, Files: hello},
			{Code: `fileset("plants", "**/*.{yaml,yml}")`, Result: `toset(["north.yaml", "south/hall.yml"])`,
				Files: map[string]string{"plants/north.yaml": "", "plants/south/hall.yml": "", "plants/notes.txt": ""}}},
	}
}
