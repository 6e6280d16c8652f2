package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/sandbox/seed"
	"github.com/syncctl/syncctl/schema"
)

func (c *command) docsCommand() *cobra.Command {
	into, manual := "", false
	cmd := jsonCommand(&cobra.Command{
		Use:   "docs [WORD]...",
		Short: "Show the reference of a block type, a block or argument of the language, a function, a command",
		Long: `Shows what is to be known of WORD: a block type (sync.TYPE), a word of the language (for_each), a function, a
command (plan), a guide (testing). Without WORD it lists all words. With -json and no WORD it writes the same
document as schema -json.`,
		Example: "  syncctl docs for_each\n  syncctl docs policy init\n  syncctl docs tutorials/fleet",
		RunE: func(cmd *cobra.Command, args []string) error {
			catalog, _ := c.catalog()
			program := programOf(cmd.Root())
			pages, err := c.pages(catalog, program)
			if err != nil {
				return err
			}
			switch {
			case manual && into == "":
				return failf(exitError, "-man writes manual pages into a folder: add -out=DIR")
			case manual:
				return c.writeMan(program, pages, into)
			case into != "":
				return c.writeDocs(pages, into)
			case len(args) > 0:
				return c.showDocs(pages, catalog, strings.Join(args, " "))
			case c.wantsJSON():
				if err := c.document(reference.Describe(catalog, program)); err != nil || c.flags.json {
					return err
				}
			}
			return reference.WriteIndex(c.out, pages, c.pageLayout(), false)
		},
		ValidArgsFunction: func(
			cmd *cobra.Command, args []string, _ string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			var out []cobra.Completion
			catalog, _ := c.catalog()
			pages, err := c.pages(catalog, programOf(cmd.Root()))
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			before := strings.Join(append(slices.Clone(args), ""), " ") // for a page whose name has several words
			for _, p := range pages {
				if word, ok := strings.CutPrefix(p.Word, before); ok && !strings.Contains(word, " ") {
					out = append(out, cobra.CompletionWithDesc(word, p.Summary))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	})
	cmd.Flags().StringVar(&into, "out", "", "write all pages as Markdown files into `DIR`")
	cmd.Flags().BoolVar(&manual, "man", false, "with -out: write manual pages of all commands, for man")
	return cmd
}

// pages returns the pages of the reference, and the guides of the products.
func (c *command) pages(catalog schema.Catalog, program *reference.Program) ([]*reference.Page, error) {
	var guides []*reference.Page
	for _, p := range c.app.products {
		if p.Seed != nil {
			of, err := p.Seed()
			if err != nil {
				return nil, fmt.Errorf("describing the seed of %s: %w", p.Name, err)
			}
			guides = append(guides, reference.Seed(p.Name, seedMembers(of)))
		}
		if p.Guides == nil {
			continue
		}
		err := fs.WalkDir(p.Guides, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			page, err := pageOf(p.Guides, path)
			if page != nil {
				guides = append(guides, page)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the guides: %w", err)
		}
	}
	return reference.Pages(catalog, program, guides...), nil
}

// schemaSuffix is the end of the names of JSON Schemas.
const schemaSuffix = ".schema.json"

// pageOf returns the page of a guide or a JSON Schema, or nil for another file.
func pageOf(guides fs.FS, path string) (*reference.Page, error) {
	text, err := fs.ReadFile(guides, path)
	if err != nil {
		return nil, err
	}
	if name, ok := strings.CutSuffix(filepath.Base(path), schemaSuffix); ok {
		return reference.Format(name, text)
	}
	if name, ok := strings.CutSuffix(path, ".md"); ok {
		return reference.Guide(name, string(text)), nil
	}
	return nil, nil
}

// seedMembers returns the members of a seed for the reference, which knows no sandbox.
func seedMembers(of []seed.Member) []reference.SeedMember {
	var out []reference.SeedMember
	for _, m := range of {
		out = append(out, reference.SeedMember{Name: m.Name, Type: m.Type, Doc: m.Doc, Of: seedMembers(m.Of)})
	}
	return out
}

func (c *command) schemaCommand() *cobra.Command {
	return jsonCommand(&cobra.Command{
		Use: "schema", Args: atMost(0),
		Short: "The grammar of the language and all commands as JSON (-json)",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !c.wantsJSON() {
				return failf(exitError, "schema writes JSON: add -json. To read about a word: `syncctl docs WORD`")
			}
			catalog, _ := c.catalog()
			return c.document(reference.Describe(catalog, programOf(cmd.Root())))
		},
	})
}

// pageLayout returns a layout as wide as the terminal, but not wider than the pages in files.
func (c *command) pageLayout() reference.Layout {
	l := reference.Layout{Width: c.outStyle.Width, Bold: c.outStyle.Bold}
	if l.Width > reference.Columns {
		l.Width = reference.Columns
	}
	return l
}

// mostOfWord is the maximum length of a word that docs looks for. It is more than any page has.
const mostOfWord = 200

// pageDoc is a page in the document of docs WORD -json.
type pageDoc struct {
	Word    string `json:"word"`    // what it is found by
	Group   string `json:"group"`   // types, language, commands, topics, guides, formats or functions
	Title   string `json:"title"`   // in Markdown
	Summary string `json:"summary"` // a sentence
	Text    string `json:"text"`    // the whole page, in Markdown

	Schema json.RawMessage `json:"schema,omitempty"` // of a format: its JSON Schema
}

// writtenDoc is the document of docs -out -json.
type writtenDoc struct {
	Folder string   `json:"folder"` // as it was given
	Files  []string `json:"files"`  // those that were written, in the folder
}

// showDocs shows the pages for a word.
func (c *command) showDocs(pages []*reference.Page, catalog schema.Catalog, word string) error {
	found, err := reference.Find(pages, catalog, wording.Message(word, mostOfWord))
	if err != nil {
		return failf(exitError, "%w", err)
	}
	var all []pageDoc
	var b bytes.Buffer
	for i, p := range found {
		if c.wantsJSON() {
			var text strings.Builder
			if err := p.Write(&text, reference.Layout{}); err != nil {
				return err
			}
			all = append(all, pageDoc{p.Word, string(p.Group), p.Title, p.Summary, text.String(), p.Schema})
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		if err := p.Write(&b, c.pageLayout()); err != nil {
			return err
		}
	}
	if err := c.document(all); err != nil || c.flags.json {
		return err
	}
	_, err = b.WriteTo(c.out)
	return err
}

// docFile is a page to be written to a file.
type docFile struct {
	name string // with slashes
	page bytes.Buffer
}

// The first line of each page that docs writes to a file, so that it replaces nothing else.
const (
	madeByDocs = "<!-- Written by syncctl docs: what is changed here is lost. -->\n\n"
	madeByMan  = ".\\\" Written by syncctl docs -man: what is changed here is lost.\n"
)

// writeDocs writes all pages and their index to files.
func (c *command) writeDocs(pages []*reference.Page, dir string) error {
	all := []*docFile{{name: "README.md"}}
	if err := reference.WriteIndex(&all[0].page, pages, reference.Layout{}, true); err != nil {
		return err
	}
	for _, p := range pages {
		if p.File() == "" {
			continue
		}
		f := &docFile{name: p.File()}
		if err := p.Write(&f.page, reference.Layout{}); err != nil {
			return err
		}
		all = append(all, f)
	}
	return c.writeDocFiles(dir, madeByDocs, all)
}

// writeMan writes manual pages of the program and of all its commands.
func (c *command) writeMan(program *reference.Program, pages []*reference.Page, dir string) error {
	all := []*docFile{{name: program.Name + ".1"}}
	if err := program.WriteManIndex(&all[0].page, pages); err != nil {
		return err
	}
	for _, p := range pages {
		if program.ManFile(p) == "" {
			continue
		}
		f := &docFile{name: program.ManFile(p)}
		if err := program.WriteMan(&f.page, p); err != nil {
			return err
		}
		all = append(all, f)
	}
	return c.writeDocFiles(dir, madeByMan, all)
}

// writeDocFiles writes pages that begin with a mark. If one would replace something else, it writes none.
func (c *command) writeDocFiles(dir, mark string, all []*docFile) error {
	for _, f := range all {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := files.Inside(c.abs(dir), c.abs(path)); err != nil {
			return failf(exitError, "nothing was written: %w", err)
		}
		if err := c.foreignPage(path, mark); err != nil {
			return err
		}
	}
	doc := writtenDoc{Folder: dir}
	for _, f := range all {
		doc.Files = append(doc.Files, f.name)
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := c.files().MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing the reference: %w", err)
		}
		if err := files.Replace(c.app.fs, c.abs(path), append([]byte(mark), f.page.Bytes()...), 0o644); err != nil {
			return err
		}
	}
	return c.document(doc)
}

// foreignPage returns an error if the file exists and docs has not written it.
func (c *command) foreignPage(path, mark string) error {
	f, err := host.FilesOf(c.files()).Open(path) // opening a pipe would block
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing the reference: %w", err)
	}
	begin, err := io.ReadAll(io.LimitReader(f, int64(len(mark))))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the reference: %w", err)
	}
	if string(begin) != mark {
		return failf(exitError, "nothing was written: %s exists, and docs has not written it. Name another folder", path)
	}
	return nil
}

// programOf describes the commands for the reference.
func programOf(root *cobra.Command) *reference.Program {
	p := &reference.Program{Name: root.Name(), Exits: exitCodes(), Variables: environment, Files: fileNames,
		Global: flagsOf(root.PersistentFlags())}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				p.Commands = append(p.Commands, commandOf(sub))
				walk(sub)
			}
		}
	}
	root.InitDefaultHelpCmd()
	walk(root)
	for _, name := range slices.Sorted(maps.Keys(noJSON)) {
		p.NoJSON = append(p.NoJSON, reference.Variable{Name: "`" + name + "`", Meaning: noJSON[name]})
	}
	p.NoJSON = append(p.NoJSON, reference.Variable{Name: "a tool of a product", Meaning: toolsJSON})
	return p
}

func commandOf(cmd *cobra.Command) reference.Command {
	name := nameOf(cmd)
	cmd.InitDefaultHelpFlag() // the usage line depends on flags; the command being run has this one already
	out := reference.Command{Name: name, Summary: cmd.Short, Long: cmd.Long, Usage: cmd.UseLine(), Example: cmd.Example,
		Flags: flagsOf(cmd.LocalNonPersistentFlags()), JSON: cmd.Annotations[speaksJSON] != "", NoJSON: withoutJSON(cmd)}
	if out.JSON {
		out.Formats = formatsOf(name)
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			out.Commands = append(out.Commands, name+" "+sub.Name())
		}
	}
	if !cmd.HasSubCommands() || cmd.Annotations[takesArguments] != "" {
		out.Exits = exitsOf(name, cmd.Annotations[productsTool] != "")
	}
	return out
}

func flagsOf(set *pflag.FlagSet) []reference.Flag {
	var out []reference.Flag
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		value, doc := pflag.UnquoteUsage(f)
		if value == "int" {
			value = "N"
		}
		def := f.DefValue
		if def == "false" || def == "[]" || def == "0" {
			def = ""
		}
		out = append(out, reference.Flag{Name: f.Name, Letter: f.Shorthand, Value: value, Default: def, Doc: doc})
	})
	return out
}
