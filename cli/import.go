package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// configurationSuffix is the suffix of the names of configuration files.
const configurationSuffix = ".sync.hcl"

func (c *command) importCommand() *cobra.Command {
	vars, f := &variables{}, &importFlags{}
	cmd := &cobra.Command{
		Use: "import SERVER", Args: one("the address of a server"),
		Short: "Write what a declared server has, and nobody has declared, as HCL; changes nothing on it",
		Long: `Reads a declared server and writes what it has, and is not declared yet, as declarations: to the output, or
with -out into a new file of the configuration. What no interface shows is said in comments, and what a person has to
know, such as passwords, becomes a variable. What is only likely is written as a comment. -from=SERVER is your word for
where something comes from that no interface tells, such as copies. A plan right after it has no changes. It only
reads.`,
		Example: "  syncctl import server.TYPE.NAME -out=found.sync.hcl\n  syncctl plan",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.importFrom(cmd.Context(), vars, args[0], f)
		},
		ValidArgsFunction: c.first(false, c.completeServers),
	}
	c.varFlags(cmd, vars)
	cmd.Flags().StringVar(&f.out, "out", "", "write to this new `FILE`, whose name ends in "+configurationSuffix)
	cmd.Flags().StringArrayVar(&f.from, "from", nil, "what it has comes from this `SERVER`, where no interface shows "+
		"that; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("from", c.words(c.completeServers))
	return cmd
}

// importFlags are the flags of import, except those for variables.
type importFlags struct {
	out  string
	from []string // addresses of servers
}

func (c *command) importFrom(ctx context.Context, vars *variables, server string, f *importFlags) error {
	out := f.out
	if out != "" {
		if err := c.mayCreate("out", out); err != nil {
			return err
		}
	}
	p, err := c.loadLive(ctx, vars.list)
	if err != nil {
		return err
	}
	text, n, err := c.importDrafts(ctx, p, server, f.from)
	if err != nil {
		return err
	}
	text = []byte(c.redactor.String(string(text)))
	switch {
	case len(text) == 0:
		_, err := fmt.Fprintf(c.err, "All that %s shows is declared.\n", server)
		return err
	case out == "":
		_, err := c.out.Write(text)
		return err
	}
	if err := c.createNew(out, text, 0o644); err != nil {
		return err
	}
	c.say("Wrote %s to %s. What is not known stands in its comments and variables. Now:",
		wording.Plural(n, "declaration"), schema.SanitizeLine(out))
	c.say("  syncctl plan")
	return nil
}

// importDrafts returns undeclared things of a server as HCL, and the number of declarations.
func (c *command) importDrafts(ctx context.Context, p *project, server string, from []string) ([]byte, int, error) {
	r, err := findServer(p.cfg, server)
	if err != nil {
		return nil, 0, err
	}
	product := p.drivers[typeKey{r.Addr.Kind, r.Addr.Type}]
	d, ok := product.(driver.Importer)
	if !ok {
		return nil, 0, failf(exitError, "nothing can be imported from %s: its product does not list what it has", server)
	}
	of := driver.ImportRequest{Server: r, Declared: p.cfg.Resources}
	for _, address := range from {
		other, err := findServer(p.cfg, address)
		if err != nil {
			return nil, 0, err
		}
		of.From = append(of.From, other)
	}
	begin, finish := c.reading()
	defer finish()
	defer begin(server)()
	found, err := d.Import(ctx, of)
	if err != nil {
		return nil, 0, fmt.Errorf("importing from %s: %w", server, err)
	}
	n := 0
	for _, draft := range found {
		if draft.IsDeclared() {
			n++
		}
	}
	return schema.WriteDrafts(p.cfg, found), n, nil
}

// findServer finds a declared server by its address.
func findServer(cfg *schema.Config, address string) (*schema.Resource, error) {
	var names []string
	for _, r := range cfg.Resources {
		if r.Addr.Kind != schema.Server {
			continue
		}
		if r.Addr.String() == address {
			return r, nil
		}
		names = append(names, r.Addr.String())
	}
	return nil, failf(exitError, "%s is not a declared server.%s", address, args.DidYouMean(address, names, ""))
}

func (c *command) completeServers(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, r := range c.declared(ctx).Resources {
		if r.Addr.Kind == schema.Server && offeredAddress(r.Addr.String()) {
			out = append(out, cobra.CompletionWithDesc(r.Addr.String(), r.Range.String()))
		}
	}
	return out
}
