package planner

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// Replacer is a Driver that can create some objects again even if they are as declared.
type Replacer interface {
	// Replaces reports whether there are declarations of the kind and type of an address that can be replaced. It is what
	// completion asks, which knows nothing else of a declaration.
	Replaces(of schema.Addr) bool

	// Irreplaceable says why the object of a declaration cannot be created again, and what to do instead. It returns ""
	// if it can; Plan is then called with Change.Replace. users are the declarations that refer to it. It has no I/O.
	Irreplaceable(r *schema.Resource, users []schema.Addr) string
}

// MayBeReplaced reports whether a declaration of this kind and type may be replaced; its arguments may be against it.
func MayBeReplaced(by Driver, a schema.Addr) bool {
	d, ok := by.(Replacer)
	return ok && a.Kind != schema.Server && a.Kind != schema.Migration && d.Replaces(a)
}

// SelectReplaced returns the declarations to replace, for Input.Replace. Each must be given by its whole address, so
// that nothing is removed and created again only because it matches a pattern.
func SelectReplaced(cfg *schema.Config, s Selection) ([]schema.Addr, error) {
	var out []schema.Addr
	for _, text := range s.Replaces {
		a, err := schema.ParseAddr(text)
		if err != nil || cfg.Lookup(a) == nil {
			return nil, &NoMatchError{Flag: ReplaceFlag, Pattern: text}
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out, nil
}

// replaceable refuses declarations in Replace that cannot be replaced or are left out of the plan.
func (in Input) replaceable(wanted func(schema.Addr) bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, a := range in.Replace {
		r := in.Config.Lookup(a)
		if r == nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Nothing to replace",
				Detail: fmt.Sprintf("Nothing in the configuration is called %s.", a)})
			continue
		}
		why := in.irreplaceable(r)
		if why == "" && r.PreventDestroy {
			why = "Its lifecycle block says prevent_destroy. Take that away if it is meant."
		}
		if !wanted(a) {
			why = "It is left out (-target, -exclude)."
		}
		if why != "" {
			diags = append(diags, schema.WithAddr(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Cannot be replaced",
				Detail: why, Subject: r.Range.Ptr()}, a))
		}
	}
	return diags
}

// irreplaceable says why the object of a declaration cannot be created again, or returns "" if it can.
func (in Input) irreplaceable(r *schema.Resource) string {
	switch {
	case r.Owner != (schema.Addr{}):
		return fmt.Sprintf("%s carries it out, whole and once.", r.Owner)
	case r.Addr.Kind == schema.Server:
		return "Servers are declared to be used; none is made. Have what it needs carried out again by a step of it: " +
			"syncctl resolve STEP -retry."
	case r.Addr.Kind == schema.Migration:
		return "A migration is carried out once. As long as its run is not finished, a step is carried out again with " +
			"syncctl resolve STEP -retry, and syncctl resolve -abandon gives the run up, so that the next plan begins again."
	}
	d, ok := in.Drivers(r.Addr).(Replacer)
	if !ok {
		return fmt.Sprintf("Nothing of a %s %q can be made again.", r.Addr.Kind, r.Addr.Type)
	}
	var users []schema.Addr
	for _, other := range in.Config.Resources {
		if other.Referred(r.Addr) != nil {
			users = append(users, other.Addr)
		}
	}
	return d.Irreplaceable(r, users)
}
