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

// generateFlag is the flag that writes the declarations for import blocks.
const generateFlag = "generate-config-out"

// mayCreate refuses a file name that cannot be a new file of the configuration.
func (c *command) mayCreate(flag, name string) error {
	switch {
	case !strings.HasSuffix(name, configurationSuffix):
		return failf(exitError, "-%s=%s: the name of a configuration's file ends in %s", flag, name, configurationSuffix)
	case files.Exists(c.app.fs, c.abs(name)):
		return failf(exitError, "-%s=%s: the file exists, and is not replaced. Name another one", flag, name)
	}
	return nil
}

// generate writes the missing declarations of import blocks to a new file, and reads the configuration again.
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
	if text, err = c.openly(text); err != nil {
		return nil, err
	}
	if err := c.createNew(out, text, 0o644); err != nil {
		return nil, err
	}
	if !c.flags.json {
		c.say("Wrote %s to %s.", wording.Plural(len(missing), "declaration"), schema.SanitizeLine(out))
	}
	return c.loadLive(ctx, vars.list)
}

// generated returns the declarations for import blocks.
func (c *command) generated(
	ctx context.Context, p *project, missing []schema.Import,
) ([]byte, hcl.Diagnostics, error) {
	var diags hcl.Diagnostics
	bad := func(i *schema.Import, summary, format string, a ...any) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, a...),
			Subject: &i.Range})
	}
	servers, wanted := map[string]*schema.Resource{}, map[*schema.Resource][]wish{}
	for _, r := range p.cfg.Resources {
		if r.Addr.Kind == schema.Server {
			servers[r.Addr.String()] = r
		}
	}
	for i := range missing {
		if to := missing[i].To; p.cfg.HasBlock(to) {
			bad(&missing[i], "Cannot be written", "%s is declared without this key: add it to its for_each.", to.All())
			continue
		}
		r, id := importedFrom(servers, missing[i].ID)
		if r == nil {
			bad(&missing[i], "Invalid id", "%q does not begin with the address of a declared server and a slash, as in "+
				"\"server.TYPE.NAME/KEY\".", missing[i].ID)
			continue
		}
		wanted[r] = append(wanted[r], wish{&missing[i], id})
	}
	begin, finish := c.reading()
	defer finish()
	chosen := selection{had: map[string]bool{}}
	for _, r := range p.cfg.Resources {
		here := wanted[r]
		if len(here) == 0 {
			continue
		}
		d, ok := p.drivers[typeKey{r.Addr.Kind, r.Addr.Type}].(driver.Importer)
		if !ok {
			bad(here[0].by, "Nothing can be imported", "The product of %s does not list what it has.", r.Addr)
			continue
		}
		of := driver.ImportRequest{Server: r, Declared: p.cfg.Resources}
		for _, n := range here {
			of.IDs = append(of.IDs, n.id)
		}
		end := begin(r.Addr.String())
		found, err := d.Import(ctx, of)
		end()
		if err != nil {
			return nil, nil, fmt.Errorf("importing from %s: %w", r.Addr, err)
		}
		chosen.take(offerOf(found, r.Addr), here, func(i *schema.Import, why string) {
			bad(i, "Cannot be imported", "%s", why)
		})
	}
	if addr, why := schema.CheckKeyed(p.cfg, chosen.drafts); why != "" {
		at := slices.IndexFunc(missing, func(i schema.Import) bool { return i.To == addr })
		bad(&missing[at], "Cannot be written", "%s: %s Import it to another address.", addr, why)
		return nil, diags, nil
	}
	return schema.WriteDrafts(p.cfg, chosen.drafts), diags, nil
}

// wish is the thing on a server that an import block names.
type wish struct {
	by *schema.Import
	id string
}

// importedFrom returns the declared server that an import block's ID begins with, or nil if there is none, and the
// rest of the ID.
func importedFrom(servers map[string]*schema.Resource, id string) (server *schema.Resource, rest string) {
	for at := strings.LastIndexByte(id, '/'); at >= 0; at = strings.LastIndexByte(id[:at], '/') {
		if r := servers[id[:at]]; r != nil {
			return r, id[at+1:]
		}
	}
	return nil, ""
}

// offer holds what was found on a server.
type offer struct {
	byID   map[string][]*schema.Draft // by the ID in its normalized form
	known  []string                   // the IDs, sorted
	with   map[string]string          // the ID under which another (normalized) ID is declared too
	byAddr map[string][]*schema.Draft // by the suggested address
	said   []schema.Draft             // comments on the server, such as what could not be read
}

func offerOf(found []schema.Draft, server schema.Addr) *offer {
	o := &offer{byID: map[string][]*schema.Draft{}, byAddr: map[string][]*schema.Draft{}, with: map[string]string{}}
	for i := range found {
		d := &found[i]
		if d.ID != "" {
			key := schema.NameForm(d.ID)
			o.byID[key] = append(o.byID[key], d)
			o.known = append(o.known, d.ID)
		}
		for _, id := range d.With {
			o.with[schema.NameForm(id)] = d.ID
		}
		if d.IsDeclared() {
			o.byAddr[d.Addr.String()] = append(o.byAddr[d.Addr.String()], d)
		}
		if d.Value == cty.NilVal && d.Addr == server {
			o.said = append(o.said, *d)
		}
	}
	slices.Sort(o.known)
	return o
}

// pick returns the draft of an ID, to be declared at an address, or the reason why there is none.
func (o *offer) pick(id string, to schema.Addr) (*schema.Draft, string) {
	fits := o.byID[schema.NameForm(id)]
	by, isWith := o.with[schema.NameForm(id)]
	switch {
	case len(fits) == 0 && isWith:
		return nil, "It is declared together with " + wording.Quote(by) + ": name that one."
	case len(fits) == 0 && len(o.known) == 0:
		return nil, o.also("Nothing is there that is not declared already, as far as it could be read.")
	case len(fits) == 0:
		return nil, o.also("There is no " + wording.Quote(id) + " that is not declared already, as far as it could be read." +
			args.DidYouMean(id, o.known, " There are: "+strings.Join(wording.FirstTen(o.known), ", ")+"."))
	case len(fits) > 1:
		return nil, fmt.Sprintf("%d have this id: use `syncctl import`, and choose.", len(fits))
	case fits[0].Addr.Kind != to.Kind || fits[0].Addr.Type != to.Type:
		return nil, fmt.Sprintf("It is a %s %q, and not a %s %q.", fits[0].Addr.Kind, fits[0].Addr.Type, to.Kind, to.Type)
	case !fits[0].IsDeclared():
		return nil, "It can be declared by a person alone: " + schema.SanitizeLine(strings.Join(fits[0].Comments, " "))
	}
	return fits[0], ""
}

// also appends the comments on the server to a reason why something was not found.
func (o *offer) also(why string) string {
	for i := range o.said {
		why += " " + schema.SanitizeLine(strings.Join(o.said[i].Comments, " "))
	}
	return why
}

// selection is what is to be written.
type selection struct {
	drafts []schema.Draft
	had    map[string]bool // addresses of drafts that others refer to; an address stands for one thing
}

// take adds what import blocks name on a server, with its references and the comments on the server. It calls bad for
// what is missing.
func (s *selection) take(there *offer, here []wish, bad func(i *schema.Import, why string)) {
	for _, n := range here {
		draft, why := there.pick(n.id, n.by.To)
		if why != "" {
			bad(n.by, why)
			continue
		}
		mine := *draft
		mine.Addr, mine.Named = n.by.To, true
		s.references(there, draft)
		s.drafts = append(s.drafts, mine)
	}
	s.drafts = append(s.drafts, there.said...)
}

// references adds the drafts that a draft refers to, if they were found with it, each once.
func (s *selection) references(found *offer, d *schema.Draft) {
	_ = cty.Walk(d.Value, func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		if v.IsMarked() || !v.IsKnown() || v.IsNull() || v.Type() != cty.String {
			return !v.IsMarked(), nil
		}
		address := v.AsString()
		for _, other := range found.byAddr[address] {
			if other != d && !s.had[address] {
				s.had[address] = true
				s.references(found, other)
				s.drafts = append(s.drafts, *other)
			}
		}
		return true, nil
	})
}
