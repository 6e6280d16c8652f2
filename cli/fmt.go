package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/schema"
)

// standardInput is the name shown for standard input.
const standardInput = "<standard input>"

// formatter is one run of fmt.
type formatter struct {
	*command

	check, diff bool
	recursive   bool
	different   bool
	wrong       bool
	doc         fmtDoc
}

// fmtDoc is the document of fmt -json.
type fmtDoc struct {
	Files       []fmtFileDoc            `json:"files"`       // those that were not formatted; without -check they are now
	Diagnostics []schema.DiagnosticView `json:"diagnostics"` // as validate writes them; such files stay as they are
}

type fmtFileDoc struct {
	Name string `json:"name"`           // as on the command line
	Diff string `json:"diff,omitempty"` // with -diff, as a unified diff
}

func (c *command) fmtCommand() *cobra.Command {
	f := &formatter{command: c, doc: fmtDoc{Files: []fmtFileDoc{}, Diagnostics: []schema.DiagnosticView{}}}
	cmd := jsonCommand(&cobra.Command{
		Use: "fmt [FILE|DIR|-]...", Short: "Format files, and print the names of those that changed",
		Long: `Formats *.sync.hcl, *.syncvars.hcl and *.synctest.hcl files. Without arguments it formats the files of the
working folder, with -recursive also those of the folders in it, such as modules, without the data folder and
folders whose name begins with a dot. "-" formats standard input to standard output. It prints the name of every
file that it changes. Formatting changes blanks alone, never what a file means.
JSON files stay as they are.`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args) },
	})
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit 3 if a file is not formatted")
	cmd.Flags().BoolVar(&f.recursive, "recursive", false, "also the folders in a folder")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show the changes")
	return cmd
}

func (f *formatter) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	var err error
	for i := 0; i < len(args) && err == nil; i++ {
		err = f.argument(ctx, args[i])
	}
	if err != nil {
		f.doc.Diagnostics = append(f.doc.Diagnostics, errorView(err))
	}
	if err := errors.Join(err, f.document(f.doc)); err != nil {
		return err
	}
	switch {
	case f.wrong:
		return exitQuietly(exitError)
	case f.check && f.different:
		return exitQuietly(exitUnformatted)
	}
	return nil
}

func (f *formatter) argument(ctx context.Context, arg string) error {
	if arg == "-" && f.flags.json {
		return failf(exitError, "what - formats goes to the output, as -json does: use -json-into=FILE")
	}
	if arg == "-" {
		most := f.room().Bytes()
		src, err := io.ReadAll(io.LimitReader(f.app.stdin, most+1))
		if err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
		if int64(len(src)) > most {
			return failf(exitError, "standard input is larger than %d MiB", most>>20)
		}
		return f.standardInput(ctx, src)
	}
	if !f.isDir(arg) {
		if strings.HasSuffix(arg, ".json") {
			if _, err := f.files().Stat(arg); err != nil {
				return fmt.Errorf("reading %s: %w", arg, err)
			}
			f.isJSON(arg)
			return nil
		}
		if !formattable(arg) {
			return failf(exitError, "%s is neither a folder nor a *.sync.hcl, *.syncvars.hcl or *.synctest.hcl file", arg)
		}
		return f.file(ctx, arg)
	}
	return f.folder(ctx, arg)
}

// folder formats the files of a folder, and with -recursive those of its subfolders. It does not follow links to
// folders, which may lead anywhere.
func (f *formatter) folder(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	infos, err := afero.ReadDir(f.files(), dir)
	if err != nil {
		return fmt.Errorf("reading the folder %s: %w", dir, err)
	}
	for _, info := range infos {
		name := filepath.Join(dir, info.Name())
		switch {
		case !info.IsDir() && formattable(name):
			err = f.file(ctx, name)
		case info.IsDir() && f.recursive && !strings.HasPrefix(info.Name(), ".") && f.abs(name) != f.dataDir():
			err = f.folder(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *formatter) isJSON(name string) {
	fmt.Fprintf(f.err, "%s is JSON, and stays as it is.\n", schema.SanitizeLine(name))
}

// formattable reports whether a file is formatted. JSON is not.
func formattable(name string) bool {
	return strings.HasSuffix(name, ".sync.hcl") || strings.HasSuffix(name, ".syncvars.hcl") ||
		strings.HasSuffix(name, ".synctest.hcl")
}

// standardInput formats standard input to standard output, unless only the difference is requested.
func (f *formatter) standardInput(ctx context.Context, src []byte) error {
	out, ok, err := src, true, error(nil)
	if json.Valid(src) {
		f.isJSON("standard input")
	} else {
		out, ok, err = f.format(ctx, standardInput, src)
	}
	if err != nil || !ok {
		return err
	}
	if !bytes.Equal(src, out) {
		f.differs(ctx, standardInput, src, out)
	}
	if f.diff {
		_, err := io.WriteString(f.out, f.difference(ctx, standardInput, src, out))
		return err
	}
	if f.check {
		return nil
	}
	write := f.out.WriteExact
	if f.app.tty.out {
		write = f.out.Write
	}
	_, err = write(out)
	return err
}

func (f *formatter) file(ctx context.Context, name string) error {
	src, err := f.read(name)
	if err != nil {
		return err
	}
	out, ok, err := f.format(ctx, name, src)
	if err != nil || !ok || bytes.Equal(src, out) {
		return err
	}
	f.differs(ctx, name, src, out)
	if !f.flags.json {
		f.say("%s", schema.SanitizeLine(name))
		if f.diff {
			if _, err := io.WriteString(f.out, f.difference(ctx, name, src, out)); err != nil {
				return err
			}
		}
	}
	if f.check {
		return nil
	}
	return files.Rewrite(f.app.fs, f.abs(name), src, out)
}

// read reads a file of a configuration as the other commands do: a link must not lead out of its folder.
func (f *formatter) read(name string) ([]byte, error) {
	folder := schema.Folder{Fs: f.files(), Dir: filepath.Dir(name)}
	return folder.Read(schema.Reading{Path: filepath.Base(name), By: "fmt", Most: f.room().Bytes()})
}

// format formats one file. It prints errors, and the other files are still formatted.
func (f *formatter) format(ctx context.Context, name string, src []byte) ([]byte, bool, error) {
	out, diags := schema.FormatWithin(ctx, name, src, f.room())
	if !diags.HasErrors() {
		return out, true, nil
	}
	f.wrong = true
	sources := map[string]*hcl.File{name: {Bytes: f.masked(ctx, name, src)}}
	if f.wantsJSON() {
		f.doc.Diagnostics = append(f.doc.Diagnostics, schema.Views(diags, sources)...)
	}
	if f.flags.json {
		return nil, false, nil
	}
	return nil, false, f.printDiagnostics(diags, sources)
}

// differs records that a file is not formatted.
func (f *formatter) differs(ctx context.Context, name string, before, after []byte) {
	f.different = true
	doc := fmtFileDoc{Name: name}
	if f.diff {
		doc.Diff = f.difference(ctx, name, before, after)
	}
	f.doc.Files = append(f.doc.Files, doc)
}

// difference returns a unified diff, without what is secret.
func (f *formatter) difference(ctx context.Context, name string, before, after []byte) string {
	old, changed := string(f.masked(ctx, name, before)), string(f.masked(ctx, name, after))
	return schema.Sanitize(udiff.Unified("old/"+name, "new/"+name, old, changed))
}
