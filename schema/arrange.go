package schema

import (
	"fmt"
	"sort"

	"github.com/hashicorp/hcl/v2"
)

// mostAlike is the maximum number of diagnostics shown that differ only in the instance and the wording.
const mostAlike = 5

// arrange orders diagnostics by file, line and column; equal positions keep their order. Duplicates, and those that
// all instances of a for_each or all uses of a module's folder share, are reduced to the first, with the number of
// others.
func arrange(diags hcl.Diagnostics) hcl.Diagnostics {
	type place struct {
		severity hcl.DiagnosticSeverity
		summary  string
		subject  hcl.Range
		addr     Addr // without keys and modules
	}
	type text struct {
		place
		detail string
	}
	first := map[text]*hcl.Diagnostic{}
	alike := map[place]int{}
	more := map[*hcl.Diagnostic]map[Addr]bool{}
	var out hcl.Diagnostics
	for _, d := range diags {
		addr := AddrOf(d)
		p := place{severity: d.Severity, summary: d.Summary, addr: Addr{Kind: addr.Kind, Type: addr.Type, Name: addr.Name}}
		if d.Subject != nil {
			p.subject = *d.Subject
		}
		at := text{p, d.Detail}
		kept := first[at]
		if kept == nil && addr != p.addr && alike[p] >= mostAlike {
			kept = first[text{p, ""}]
		}
		if kept != nil {
			if addr != AddrOf(kept) {
				more[kept][addr] = true
			}
			continue
		}
		if alike[p]++; alike[p] == 1 {
			first[text{p, ""}] = d
		}
		first[at], more[d] = d, map[Addr]bool{}
		out = append(out, d)
	}
	for i, d := range out {
		if n := len(more[d]); n > 0 {
			c := *d
			c.Detail = fmt.Sprintf("%s\n\nThe same mistake is in %s.", d.Detail, moreInstances(n))
			out[i] = &c
		}
	}
	at := func(d *hcl.Diagnostic) hcl.Range {
		if d.Subject == nil {
			return hcl.Range{}
		}
		return *d.Subject
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := at(out[i]), at(out[j])
		if a.Filename != b.Filename {
			return a.Filename < b.Filename
		}
		return a.Start.Byte < b.Start.Byte
	})
	return out
}

func moreInstances(n int) string {
	if n == 1 {
		return "1 more instance"
	}
	return fmt.Sprintf("%d more instances", n)
}
