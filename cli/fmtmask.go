package cli

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
)

// masked is the text of a file with asterisks in place of secrets, as the declarations of its folder tell them.
// It is only for printing: what is written to the file is never masked.
func (f *formatter) masked(ctx context.Context, name string, src []byte) []byte {
	if name != standardInput {
		return f.maskedAs(ctx, filepath.Clean(name), src)
	}
	if declares.Match(src) {
		return f.maskedAs(ctx, "standard-input.sync.hcl", src)
	}
	return f.maskedAs(ctx, "standard-input.syncvars.hcl", src)
}

// declares finds a block: a text with one is a configuration rather than values of variables.
var declares = regexp.MustCompile(`(?m)^[ \t]*[a-z]+([ \t]+"[^"\n]*")*[ \t]*\{`)

// maskedAs loads the folder with the text in place of the file of that name.
func (f *formatter) maskedAs(ctx context.Context, name string, src []byte) []byte {
	mem, dir := afero.NewMemMapFs(), filepath.Dir(name)
	infos, err := afero.ReadDir(f.files(), dir)
	for _, info := range infos {
		beside := filepath.Join(dir, info.Name())
		read := formattable(beside) || strings.HasSuffix(beside, ".sync.hcl.json")
		if err != nil || info.IsDir() || beside == name || !read {
			continue
		}
		var text []byte
		if text, err = f.read(beside); err == nil {
			err = afero.WriteFile(mem, beside, text, 0o600)
		}
	}
	if err == nil {
		err = afero.WriteFile(mem, name, src, 0o600)
	}
	if err != nil {
		return hidden(src) // without the files beside it nothing is known about it
	}
	o := schema.Options{Fs: mem, Dir: dir, Env: f.app.env, AllowUnset: true, Version: version(), Access: f.access()}
	o.Catalog, _ = f.catalog()
	if strings.HasSuffix(name, ".syncvars.hcl") {
		o.Vars = []schema.VarSource{{File: name}}
	}
	cfg, _ := schema.Load(ctx, o) // errors in the folder are reported by validate
	if file := cfg.Files[name]; file != nil && len(file.Bytes) == len(src) {
		return file.Bytes
	}
	return hidden(src)
}

// hidden masks a whole text, line by line.
func hidden(src []byte) []byte {
	out := []byte(strings.Repeat("*", len(src)))
	for i, b := range src {
		if b == '\n' {
			out[i] = b
		}
	}
	return out
}
