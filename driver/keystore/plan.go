package keystore

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// Plan turns one change into steps.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	w, err := parse(c.Resource)
	if err != nil {
		return planner.Outline{}, cannotPlan(c, err)
	}
	o, err := planner.Observed[Observed](c.Seen, Need(c.Resource))
	if err != nil {
		return planner.Outline{}, cannotPlan(c, err)
	}
	p := &planning{seen: o, where: w.Path + " on " + o.Machine}
	switch o.State {
	case Missing, Opened:
		if c.Replace && o.Store != nil {
			w.again = w.selfMade(o.Store)
		}
		p.standing = w.stand(o.Store, o.Previous, o.Now)
		return p.outline(), nil
	case Unusable:
		p.say(o.Problem.Rule, planner.Refuse, o.Problem.Help, "%s: %s", p.where, o.Problem.Message)
		return planner.Outline{Action: planner.Update, Findings: p.findings}, nil
	}
	return planner.Outline{}, cannotPlan(c, fmt.Errorf("whether there is a file %s is unknown", p.where))
}

func cannotPlan(c planner.Change, err error) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Cannot plan", Detail: wording.OneLine(err.Error()),
		Subject: c.Resource.Range.Ptr(),
	}}
}

// planning is a plan being made from a declaration and its file.
type planning struct {
	*standing

	seen     *Observed
	where    string // the file and its machine
	findings []planner.Finding
}

// outline returns the plan: the step and the findings.
func (p *planning) outline() planner.Outline {
	out := planner.Outline{Action: planner.NoChange, Actual: p.actual(), Seen: p.expiries()}
	missing := p.seen.State == Missing
	if missing {
		out.Action = planner.Create
		if !p.creatable() {
			out.Findings = p.findings
			return out
		}
	}
	p.check()
	p.notes()
	if len(p.changes) > 0 {
		out.Steps = []planner.Step{p.writeStep()}
		if !missing {
			out.Action = planner.Update
		}
	}
	out.Findings = p.findings
	return out
}

// expiries returns until when the entries of the file are valid, for pictures: the first one of a chain to expire
// counts.
func (p *planning) expiries() []planner.Shown {
	var out []planner.Shown
	if p.have == nil {
		return nil
	}
	for i := range p.have.Entries {
		e := &p.have.Entries[i]
		if first, known := e.firstToExpire(); known {
			out = append(out, planner.Shown{Name: e.Alias + " valid until", Value: day(first.until)})
		}
	}
	return out
}

// firstToExpire returns the certificate of an entry's chain that expires first. known is false if none can be read.
func (e *Entry) firstToExpire() (first Certificate, known bool) {
	for i, c := range e.Chain {
		if i == 0 || c.until.Before(first.until) {
			first = c
		}
	}
	return first, !first.until.IsZero()
}

// actual returns the content of the file in the shape of the declaration. What is as declared has the declaration's
// spelling; a certificate that differs is shown by its name and fingerprint. Undeclared entries that keep_others
// keeps are left out.
func (p *planning) actual() cty.Value {
	if p.seen.State == Missing {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	declared := map[string]bool{}
	entries, trust := map[string]cty.Value{}, map[string]cty.Value{}
	for i := range p.entries {
		e := &p.entries[i]
		declared[fold(e.Alias)] = true
		if old := p.have.Entry(e.Alias); old != nil {
			alias := p.declaredAlias(e.Alias)
			entries[alias] = p.actualEntry(e, p.Entries[alias], old)
		}
	}
	for _, t := range p.trusted {
		declared[fold(t.Alias)] = true
		if old := p.have.Trust(t.Alias); old != nil {
			alias := p.declaredAlias(t.Alias)
			text := old.Certificate.String()
			if old.Certificate.Equal(t.Certificate) {
				text = p.Trust[alias].Certificate.String()
			}
			trust[alias] = cty.ObjectVal(map[string]cty.Value{"certificate": cty.StringVal(text)})
		}
	}
	if !p.KeepOthers {
		for _, e := range p.have.Entries {
			if !declared[fold(e.Alias)] {
				entries[e.Alias] = cty.StringVal(e.leaf())
			}
		}
		for _, t := range p.have.Trusted {
			if !declared[fold(t.Alias)] {
				trust[t.Alias] = cty.StringVal(t.Certificate.String())
			}
		}
	}
	return cty.ObjectVal(map[string]cty.Value{
		"path": cty.StringVal(p.Path), "entry": cty.ObjectVal(entries), "trust": cty.ObjectVal(trust),
	})
}

// declaredAlias returns an alias in the declaration's spelling.
func (w *wanted) declaredAlias(alias string) string {
	for _, spelled := range w.spelled {
		if fold(spelled) == fold(alias) {
			return spelled
		}
	}
	return alias
}

// actualEntry returns an entry of the file in the shape of its declaration. Keys are secret and not compared here.
func (p *planning) actualEntry(e *wantedEntry, block entryBlock, old *Entry) cty.Value {
	if e.made != nil {
		return cty.ObjectVal(map[string]cty.Value{"self_signed": e.made.actual(old, block.SelfSigned)})
	}
	text := old.leaf()
	if p.differs(e, old) == "" {
		text = block.Certificate.String()
	} else if len(old.Chain) > 0 && old.Chain[0].Equal(e.Chain[0]) {
		text = chainNames(old.Chain)
	}
	return cty.ObjectVal(map[string]cty.Value{"certificate": cty.StringVal(text)})
}

// leaf describes the certificate of an entry.
func (e *Entry) leaf() string {
	if len(e.Chain) == 0 {
		return "no certificate"
	}
	return e.Chain[0].String()
}
