package cli

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/schema"
)

// masked returns the text of a file with secrets replaced by asterisks, according to the declarations of its folder.
// It is used only for printing: text written to the file is never masked.
func (f *formatter) masked(ctx context.Context, name string, src []byte) []byte {
	if name != standardInput {
		return f.maskedAs(ctx, filepath.Clean(name), src)
	}
	if declares.Match(src) {
		return f.maskedAs(ctx, "standard-input.sync.hcl", src)
	}
	return f.maskedAs(ctx, "standard-input.syncvars.hcl", src)
}

// declares matches a block. A text with a block is a configuration, rather than values of variables.
var declares = lazyregexp.New(`(?m)^[ \t]*[a-z]+([ \t]+"[^"\n]*")*[ \t]*\{`)

// maskedAs loads the folder with the text as the file of that name.
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
		return hidden(src) // without the other files nothing is known about it
	}
	o := schema.Options{Fs: mem, Dir: dir, Env: f.app.env, AllowUnset: true, Version: version(), Access: f.access(),
		Room: f.room()}
	o.Catalog, _ = f.catalog()
	if strings.HasSuffix(name, ".syncvars.hcl") {
		o.Vars = []schema.VarSource{{File: name}}
	}
	if strings.HasSuffix(name, ".synctest.hcl") {
		return maskedTest(ctx, o, name, src)
	}
	cfg, _ := schema.Load(ctx, o) // errors in the folder are reported by validate
	if file := cfg.Files()[name]; file != nil && len(file.Bytes) == len(src) {
		return file.Bytes
	}
	return hidden(src)
}

// maskedTest masks possible secrets of the runs of a test.
func maskedTest(ctx context.Context, o schema.Options, name string, src []byte) []byte {
	tests, files, _ := schema.ReadTests(ctx, o) // its errors are reported by test
	if files[name] == nil || len(files[name].Bytes) != len(src) {
		return hidden(src)
	}
	out := files[name].Bytes
	for _, test := range tests {
		for _, run := range test.Runs {
			if filepath.Join(o.Dir, test.File) != filepath.Clean(name) {
				continue
			}
			o.Run = run
			cfg, _ := schema.Load(ctx, o)
			if cfg.Files()[name] == nil {
				return hidden(src)
			}
			for i, b := range cfg.Files()[name].Bytes {
				if b == '*' {
					out[i] = b
				}
			}
		}
	}
	return out
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
