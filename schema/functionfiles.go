package schema

import (
	"crypto/md5"  //nolint:gosec // a function of Terraform's; nothing rests on it
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileFunctions returns the functions that read files of the configuration's folder (see Folder).
func (l *loader) fileFunctions() map[string]function.Function {
	table := map[string]function.Function{
		"file":       l.called("file", l.file),
		"filebase64": l.called("filebase64", l.fileBase64),
		"fileexists": l.called("fileexists", func(args []cty.Value) (cty.Value, error) {
			there, err := l.folder().Exists(Reading{Path: args[0].AsString(), By: "fileexists()"})
			return cty.BoolVal(there), err
		}),
		"fileset":      l.called("fileset", l.fileSet),
		"templatefile": l.called("templatefile", l.templateFile),
	}
	for name, h := range map[string]struct {
		make  func() hash.Hash
		write func([]byte) string
	}{
		"filemd5": {md5.New, hex.EncodeToString}, "filesha1": {sha1.New, hex.EncodeToString},
		"filesha256": {sha256.New, hex.EncodeToString}, "filesha512": {sha512.New, hex.EncodeToString},
		"filebase64sha256": {sha256.New, base64.StdEncoding.EncodeToString},
		"filebase64sha512": {sha512.New, base64.StdEncoding.EncodeToString},
	} {
		table[name] = l.called(name, func(args []cty.Value) (cty.Value, error) {
			content, err := l.bytesOf(name, args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			val := cty.StringVal(functions.Hash(content, h.make, h.write))
			if holdsPrivateKey(string(content)) {
				val = Sensitive(val)
			}
			return val, nil
		})
	}
	return table
}

// called returns a function of the registry with its implementation.
func (l *loader) called(name string, impl func(args []cty.Value) (cty.Value, error)) function.Function {
	f := functions.Find(name).Func
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			val, err := impl(args)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return val, nil
		},
	})
}

// bytesOf reads a file for a function. The size counts even if the content is not kept as a value.
func (l *loader) bytesOf(by, path string) ([]byte, error) {
	content, err := l.folder().Read(Reading{Path: path, By: by + "()", Most: MostOfFile})
	if err != nil {
		return nil, err
	}
	return content, l.meter.text(len(content))
}

// textOf returns the content of a file that must be text.
func (l *loader) textOf(by, path string) (string, error) {
	content, err := l.bytesOf(by, path)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(content) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.dir(), path)
		}
		return "", notText(path)
	}
	return string(content), nil
}

type notText string

func (e notText) Error() string { return string(e) + " is not UTF-8 text" }

// file implements file(PATH). A private key is sensitive.
func (l *loader) file(args []cty.Value) (cty.Value, error) {
	text, err := l.textOf("file", args[0].AsString())
	if err != nil {
		return cty.NilVal, err
	}
	val := l.spellings.value(text)
	l.foreign.add(Text(val), "file()")
	if holdsPrivateKey(text) {
		val = Sensitive(val)
	}
	return val, nil
}

// fileBase64 implements filebase64(PATH). Content that is not text may be a key in another format, so it is sensitive
// too.
func (l *loader) fileBase64(args []cty.Value) (cty.Value, error) {
	content, err := l.bytesOf("filebase64", args[0].AsString())
	if err != nil {
		return cty.NilVal, err
	}
	val := cty.StringVal(base64.StdEncoding.EncodeToString(content))
	l.foreign.add(Text(val), "filebase64()")
	if holdsPrivateKey(string(content)) || !utf8.Valid(content) {
		val = Sensitive(val)
	}
	return val, nil
}

// holdsPrivateKey reports whether a text contains a private key in PEM format.
func holdsPrivateKey(text string) bool { return strings.Contains(text, "PRIVATE KEY") }
