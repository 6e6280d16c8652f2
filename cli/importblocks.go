package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// generateFlag is the flag that has what import blocks name written.
const generateFlag = "generate-config-out"

// mayCreate refuses the name of a file that could not become a new file of the configuration.
func (c *command) mayCreate(flag, name string) error {
	switch {
	case !strings.HasSuffix(name, configurationSuffix):
		return failf(exitError, "-%s=%s: the name of a configuration's file ends in %s", flag, name, configurationSuffix)
	case files.Exists(c.app.fs, c.abs(name)):
		return failf(exitError, "-%s=%s: the file exists, and is not replaced. Name another one", flag, name)
	}
	return nil
}

// generate writes what import blocks name and nobody has declared into a new file, and reads the configuration again.
func (c *command) generate(ctx context.Context, p *project, vars *variables, out string) (*project, error) {
	missing := p.cfg.MissingImports()
	if len(missing) == 0 {
		return p, nil
	}
	if filepath.Dir(c.abs(out)) != filepath.Clean(c.dir) {
		return nil, failf(exitError, "-%s=%s: the file is to be in the folder of the configuration, which the plan is made "+
			"from", generateFlag, out)
	}
	text, diags, err := c.generated(ctx, p, missing)
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		if err := c.diagnostics(diags, p.cfg.Files); err != nil {
			return nil, err
		}
		return nil, exitQuietly(exitError)
	}
	text = []byte(c.redactor.String(string(text)))
	if err := files.Create(c.app.fs, c.abs(out), text, 0o644); err != nil {
		return nil, err
	}
	if !c.flags.json {
		c.say("Wrote %s to %s.", wording.Plural(len(missing), "declaration"), schema.SanitizeLine(out))
	}
	return c.loadLive(ctx, vars.list)
}

// generated is the configuration of what import blocks name.
func (c *command) generated(
	ctx context.Context, p *project, missing []schema.Import,
) ([]byte, hcl.Diagnostics, error) {
	var chosen []schema.Draft
	var diags hcl.Diagnostics
	bad := func(i *schema.Import, summary, format string, a ...any) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, a...),
			Subject: &i.Range})
	}
	begin, finish := c.reading()
	defer finish()
	for _, r := range p.cfg.Resources {
		var here []*schema.Import
		of := driver.ImportRequest{Server: r, Declared: p.cfg.Resources}
		for i := range missing {
			if server, id := importedFrom(p.cfg, &missing[i]); server == r {
				here, of.IDs = append(here, &missing[i]), append(of.IDs, id)
			}
		}
		if len(here) == 0 {
			continue
		}
		d, ok := p.drivers[typeKey{r.Addr.Kind, r.Addr.Type}].(driver.Importer)
		if !ok {
			bad(here[0], "Nothing can be imported", "The product of %s does not list what it has.", r.Addr)
			continue
		}
		end := begin(r.Addr.String())
		found, err := d.Import(ctx, of)
		end()
		if err != nil {
			return nil, nil, fmt.Errorf("importing from %s: %w", r.Addr, err)
		}
		for at, i := range here {
			draft, why := pick(found, of.IDs[at], i.To)
			if why != "" {
				bad(i, "Cannot be imported", "%s", why)
				continue
			}
			mine := *draft
			mine.Addr, mine.Named = i.To, true
			chosen = append(withReferences(chosen, found, draft), mine)
		}
	}
	for i := range missing {
		if server, _ := importedFrom(p.cfg, &missing[i]); server == nil {
			bad(&missing[i], "Invalid id", "%q does not begin with the address of a declared server and a slash, as in "+
				"\"server.TYPE.NAME/KEY\".", missing[i].ID)
		}
	}
	return schema.WriteDrafts(p.cfg, chosen), diags, nil
}

// importedFrom is the declared server of an import block, nil where there is none, and the id there.
func importedFrom(cfg *schema.Config, i *schema.Import) (server *schema.Resource, id string) {
	for _, r := range cfg.Resources {
		rest, ok := strings.CutPrefix(i.ID, r.Addr.String()+"/")
		if ok && r.Addr.Kind == schema.Server && (server == nil || len(rest) < len(id)) {
			server, id = r, rest
		}
	}
	return server, id
}

// pick is the draft of an id, to be declared at an address; or why there is none, in words.
func pick(found []schema.Draft, id string, to schema.Addr) (*schema.Draft, string) {
	var fits []*schema.Draft
	var known []string
	for i := range found {
		if d := &found[i]; d.ID == id && d.ID != "" {
			fits = append(fits, d)
		} else if d.ID != "" {
			known = append(known, d.ID)
		}
	}
	switch {
	case len(fits) == 0 && len(known) == 0:
		return nil, "Nothing is there that is not declared already."
	case len(fits) == 0:
		slices.Sort(known)
		return nil, "There is no " + wording.Quote(id) + " that is not declared already." +
			args.DidYouMean(id, known, "There are: "+strings.Join(wording.FirstTen(known), ", ")+".")
	case len(fits) > 1:
		return nil, fmt.Sprintf("%d have this id: use `syncctl import`, and choose.", len(fits))
	case fits[0].Addr.Kind != to.Kind || fits[0].Addr.Type != to.Type:
		return nil, fmt.Sprintf("It is a %s %q, and not a %s %q.", fits[0].Addr.Kind, fits[0].Addr.Type, to.Kind, to.Type)
	case !fits[0].IsDeclared():
		return nil, "It can be declared by a person alone: " + schema.SanitizeLine(strings.Join(fits[0].Comments, " "))
	}
	return fits[0], ""
}

// withReferences adds what a draft refers to among those that were found, each once.
func withReferences(chosen, found []schema.Draft, d *schema.Draft) []schema.Draft {
	_ = cty.Walk(d.Value, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsMarked() || !v.IsKnown() || v.IsNull() || v.Type() != cty.String {
			return !v.IsMarked(), nil
		}
		for i := range found {
			other := &found[i]
			if other.Addr.String() == v.AsString() && other.IsDeclared() && other != d &&
				!slices.ContainsFunc(chosen, func(c schema.Draft) bool { return c.Addr == other.Addr }) {
				chosen = append(withReferences(chosen, found, other), *other)
			}
		}
		return true, nil
	})
	return chosen
}
