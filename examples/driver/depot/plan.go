package depot

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Plan makes the steps between what is declared and what was observed. It does no I/O: from the same it makes
// the same.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	out := planner.Outline{Action: planner.NoChange}
	if c.Resource.Addr.Kind == schema.Server {
		return out, nil
	}
	s, diags := observed(c)
	if diags.HasErrors() {
		return out, diags
	}
	out.Actual = s.actual()
	out.Steps = s.steps(c.Resource.Addr.String())
	if len(out.Steps) == 0 {
		return out, nil
	}
	out.Action = planner.Update
	if s.now == nil {
		out.Action = planner.Create
	}
	out.Findings = s.findings(c.Confirmed)
	return out, nil
}

// steps are in order, each after the one before. What is irreversible comes last, when all that it rests on was
// verified.
func (s state) steps(addr string) []planner.Step {
	q := &planner.Sequence{Addr: addr, Servers: []string{s.Server.Addr.String()}}
	if s.unpainted() {
		q.Then(s.paintStep())
	}
	if s.unlabelled() {
		q.Then(s.labelStep())
	}
	if len(q.Steps) > 0 || s.old != nil {
		q.Then(s.inspectStep())
	}
	if s.old != nil {
		q.Then(s.scrapStep(q.ID(inspect.Name)))
	}
	for i := range q.Steps {
		q.Steps[i].Servers = []string{s.Server.Addr.String()} // whom it contacts
		q.Steps[i].UnaffectedBy = []string{planner.Peers}
		for _, argument := range unaffected[q.Steps[i].Op] {
			q.Steps[i].UnaffectedBy = append(q.Steps[i].UnaffectedBy, addr+"."+argument)
		}
	}
	return q.Steps
}

// unaffected are the arguments that a step does not depend on: once it is done, the files can still be mended there,
// and the run resumed.
var unaffected = map[string][]string{
	paint.Name:   {"label", "replaces"},
	label.Name:   {"color", "replaces"},
	inspect.Name: {"replaces"},
}

func (s state) unpainted() bool { return s.now == nil || s.now.Color != s.Color }

func (s state) unlabelled() bool { return s.Label != nil && (s.now == nil || s.now.Label != *s.Label) }

// Facts that steps rely on: before a step begins they are read again, and if one has changed, syncctl stops.
const (
	factColor    = "color"    // of the box
	factReplaced = "replaced" // the color of the box that is to be scrapped
)

// colorOf is the value of both facts.
func colorOf(b *box) string {
	if b == nil {
		return "missing"
	}
	return b.Color
}

// Facts reads facts again.
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	declared, c, err := d.open(r)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		b, err := c.box(ctx, map[string]string{factColor: declared.Box, factReplaced: declared.Replaces}[name])
		if err != nil {
			return nil, err
		}
		out[name] = colorOf(b)
	}
	return out, nil
}
