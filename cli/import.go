package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// configurationSuffix is the suffix of the names of configuration files.
const configurationSuffix = ".sync.hcl"

// importDoc is the document of import -json.
type importDoc struct {
	From         string   `json:"from"`           // the address of the server or keystore
	File         string   `json:"file,omitempty"` // where it was written; none where it was not
	Declarations []string `json:"declarations"`   // addresses of what is declared with it
	Text         string   `json:"text"`           // HCL with comments; empty if all is declared
}

func (c *command) importCommand() *cobra.Command {
	vars, f := &variables{}, &importFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "import SERVER|KEYSTORE", Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && !strings.HasPrefix(args[1], "-") { // import ADDRESS ID
				return failf(exitError, "%s takes no id. %s", cmd.CommandPath(), otherFlags["import id"])
			}
			return one("the address of a server or a keystore, as server.TYPE.NAME")(cmd, args)
		},
		Short: "Write what a declared server has, and nobody has declared, as HCL; changes nothing on it",
		Long: `Reads a declared server and writes what it has, and is not declared yet, as declarations: to the output, or
with -out into a new file of the configuration. What no interface shows is said in comments, and what a person has to
know, such as passwords, becomes a variable. What is only likely is written as a comment. -from=SERVER is your word for
where something comes from that no interface tells, such as copies. A plan right after it has no changes. It only
reads.
A server that is not declared yet is declared with -url, and written too, with a sensitive variable for its password, or
its token without -user. The value of that variable comes from where those of others do, or is asked for. It is never
written. This needs no other file: it can be the beginning of a configuration.
Of a declared keystore it writes the blocks that its declaration lacks of what the file holds; -update adds them to the
declaration, in its file. Private keys are never written: an entry that needs one is a comment. Comments are written to
the output only.`,
		Example: "  syncctl import server.TYPE.NAME -out=found.sync.hcl\n  syncctl plan\n" +
			"  syncctl import server.TYPE.NAME -url=https://HOST -user=USER -out=found.sync.hcl\n" +
			"  syncctl import keystore.pkcs12.NAME -update",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.importFrom(cmd.Context(), vars, args[0], f)
		},
		ValidArgsFunction: c.first(false, c.completeDeclared(schema.Server, schema.Keystore)),
	})
	c.varFlags(cmd, vars)
	cmd.Flags().StringVar(&f.out, "out", "", "write to this new `FILE`, whose name ends in "+configurationSuffix)
	cmd.Flags().BoolVar(&f.update, "update", false, "add what a keystore holds to its declaration, in its file")
	f.server.flags(cmd)
	cmd.Flags().StringArrayVar(&f.from, "from", nil, "what it has comes from this `SERVER`, where no interface shows "+
		"that; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("from", c.words(c.completeDeclared(schema.Server)))
	return cmd
}

// importFlags are the flags of import, except those for variables.
type importFlags struct {
	out    string
	update bool
	from   []string // addresses of servers
	server newServer
}

func (c *command) importFrom(ctx context.Context, vars *variables, server string, f *importFlags) error {
	out := f.out
	declared, err := c.declareNew(server, &f.server)
	if err != nil {
		return err
	}
	addr, _ := schema.ParseAddr(server) // what is wrong with it is said when it is looked for
	ofKeystore := addr.Kind == schema.Keystore
	switch {
	case ofKeystore && out != "":
		return failf(exitError, "-out=%s: what a keystore holds is a part of its declaration, and stands in no file of its "+
			"own. -update puts it there", out)
	case !ofKeystore && f.update:
		return failf(exitError, "-update is for keystores: what a server has is declared in a file of its own. -out=FILE "+
			"writes it")
	case out != "":
		if err := c.mayCreate("out", out); err != nil {
			return err
		}
	}
	p, err := c.loadLive(ctx, vars.list)
	if err != nil {
		return err
	}
	found, err := c.importDrafts(ctx, p, server, f.from)
	if err != nil {
		return err
	}
	if len(found) == 1 && found[0].Completes {
		return c.complete(p, found[0], f.update)
	}
	text, doc := schema.WriteDrafts(p.cfg, found), importDoc{From: server, Declarations: []string{}}
	if declared != nil {
		text, doc.Declarations = slices.Concat(declared, []byte("\n"), text), []string{server}
	}
	if text, err = c.openly(text); err != nil {
		return err
	}
	doc.Text = string(text)
	for i := range found {
		if found[i].IsDeclared() {
			doc.Declarations = append(doc.Declarations, found[i].Addr.String())
		}
	}
	if len(text) > 0 && out != "" {
		doc.File = out
		if err := c.createNew(out, text, 0o644); err != nil {
			return err
		}
	}
	if err := c.imported(doc, "syncctl plan"); err != nil || c.flags.json || doc.File == "" || declared == nil {
		return err
	}
	c.say("%s", f.server.secretWords(addr))
	return nil
}

// imported shows what was imported, and the commands to continue with.
func (c *command) imported(doc importDoc, next ...string) error {
	if c.wantsJSON() {
		if err := c.document(doc); err != nil || c.flags.json {
			return err
		}
	}
	switch {
	case doc.Text == "":
		_, err := fmt.Fprintf(c.err, "All that %s shows is declared.\n", doc.From)
		return err
	case doc.File == "":
		_, err := c.out.Write([]byte(doc.Text))
		return err
	}
	c.say("Wrote %s to %s. What is not known stands in its comments and variables. Now:",
		wording.Plural(len(doc.Declarations), "declaration"), schema.SanitizeLine(doc.File))
	for _, command := range next {
		c.say("  %s", command)
	}
	return nil
}

// openly takes the secrets of the configuration out of declarations that are to be written. It is an error if they
// cannot be read without them.
func (c *command) openly(text []byte) ([]byte, error) {
	open := []byte(c.redactor.String(string(text)))
	if _, diags := schema.Format("imported", open); diags.HasErrors() {
		return nil, failf(exitError, "nothing is written: a secret of the configuration is also a word of what was found, "+
			"which cannot be read without it: %s", schema.SanitizeLine(c.redactor.String(diags.Error())))
	}
	return open, nil
}

// importDrafts returns what a server has and nobody has declared.
func (c *command) importDrafts(ctx context.Context, p *project, server string, from []string) ([]schema.Draft, error) {
	r, err := findDeclared(p.cfg, server, schema.Server, schema.Keystore)
	if addr, _ := schema.ParseAddr(server); err != nil && addr.Kind == schema.Server {
		return nil, failf(exitError, "%w -url=URL declares it", err)
	}
	if err != nil {
		return nil, err
	}
	product := p.drivers[typeKey{r.Addr.Kind, r.Addr.Type}]
	d, ok := product.(driver.Importer)
	if !ok {
		return nil, failf(exitError, "nothing can be imported from %s: its product does not list what it has", server)
	}
	of := driver.ImportRequest{Server: r, Declared: p.cfg.Resources}
	for _, address := range from {
		other, err := findDeclared(p.cfg, address, schema.Server)
		if err != nil {
			return nil, err
		}
		of.From = append(of.From, other)
	}
	begin, finish := c.reading()
	defer finish()
	defer begin(server)()
	found, err := d.Import(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("importing from %s: %w", server, err)
	}
	return found, nil
}

// complete writes what a draft adds to a declaration: to the output, or all but the comments into its file.
func (c *command) complete(p *project, d schema.Draft, update bool) error {
	r := p.cfg.Lookup(d.Addr)
	added := schema.AddingDraft(p.cfg, d, c.redactor.String)
	at := schema.SanitizeLine(r.Range.String())
	adding := update && added.Added > 0
	if adding {
		if err := c.addTo(r, added); err != nil {
			return err
		}
	}
	if c.wantsJSON() {
		doc := importDoc{From: d.Addr.String(), Declarations: []string{}}
		if added.Added > 0 || added.Left() != "" {
			doc.Text = added.String()
		}
		if adding {
			doc.File = r.Range.Filename
		}
		if err := c.document(doc); err != nil || c.flags.json {
			return err
		}
	}
	if !update && added.Added > 0 {
		_, err := fmt.Fprintf(c.out, "# The declaration at %s lacks this. import -update adds all but the comments.\n%s", at,
			added)
		return err
	}
	if left := added.Left(); left != "" {
		if _, err := fmt.Fprintf(c.out, "# The declaration at %s lacks this, which a person has to complete: import -update "+
			"adds none of it.\n%s", at, left); err != nil {
			return err
		}
	}
	if adding {
		c.say("Added %s to %s in %s. Now:", wording.Plural(added.Added, "block"), d.Addr,
			schema.SanitizeLine(r.Range.Filename))
		c.say("  syncctl plan")
	}
	return nil
}

// addTo writes an addition into the file of a declaration.
func (c *command) addTo(r *schema.Resource, added *schema.Addition) error {
	name := r.Range.Filename
	if r.Addr.All() != r.Addr || r.Addr.Module != "" {
		return failf(exitError, "-update: %s is one of several that share a declaration. Without -update, what it holds is "+
			"written to the output", r.Addr)
	}
	folder := schema.Folder{Fs: c.files(), Dir: filepath.Dir(name)}
	src, err := folder.Read(schema.Reading{Path: filepath.Base(name), By: "import", Most: c.room().Bytes()})
	if err != nil {
		return err
	}
	file, err := added.To(src)
	if err != nil {
		return failf(exitError, "%v", err)
	}
	return files.Rewrite(c.app.fs, c.abs(name), src, file)
}

// findDeclared finds a declaration of one of some kinds by its address.
func findDeclared(cfg *schema.Config, address string, kinds ...schema.Kind) (*schema.Resource, error) {
	var names []string
	for _, r := range cfg.Resources {
		if !slices.Contains(kinds, r.Addr.Kind) {
			continue
		}
		if r.Addr.String() == address {
			return r, nil
		}
		names = append(names, r.Addr.String())
	}
	var words []string
	for _, k := range kinds {
		words = append(words, string(k))
	}
	return nil, failf(exitError, "%s is not a declared %s.%s", address, strings.Join(words, " or "),
		args.DidYouMean(address, names, ""))
}

func (c *command) completeDeclared(kinds ...schema.Kind) func(context.Context) []cobra.Completion {
	return func(ctx context.Context) []cobra.Completion {
		var out []cobra.Completion
		for _, r := range c.declared(ctx).Named {
			if slices.Contains(kinds, r.Addr.Kind) && c.offeredAddress(r.Addr.String()) {
				out = append(out, cobra.CompletionWithDesc(r.Addr.String(), r.Range.String()))
			}
		}
		return out
	}
}
