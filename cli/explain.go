package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

func (c *command) explainCommand() *cobra.Command {
	return jsonCommand(&cobra.Command{
		Use:   "explain [ID]",
		Short: "What an id that syncctl prints means, when it appears, and what to do; without one, all of them",
		Long: `Explain says what an id means that syncctl prints: a finding's rule in brackets, what the merge may be
allowed to overlook, what a migration may lose (accept), a line of doctor, why a bundle is refused, an exit code. It
reads no files and asks no server.
An id may be given without the product; where several have it, all are shown.`,
		Example: "  syncctl explain plan/target\n  syncctl explain 6\n  syncctl explain clock",
		RunE: func(_ *cobra.Command, words []string) error {
			found := c.rules()
			if id := printedID(words); len(words) > 0 {
				if found = explaining(found, id); len(found) == 0 {
					return failf(exitError, "no rule is called %s.%s", wording.Quote(id), args.DidYouMean(id, ruleIDs(c.rules()),
						"\nRun `syncctl explain` for the list of all."))
				}
			}
			if err := c.document(rulesDocument{Version: "1.0", Rules: found}); err != nil || c.flags.json {
				return err
			}
			if len(words) > 0 {
				return view.Rules(c.out, c.outStyle, found)
			}
			return view.RuleList(c.out, c.outStyle, found)
		},
		ValidArgsFunction: c.first(false, func(context.Context) []cobra.Completion {
			var out []cobra.Completion
			for _, r := range c.rules() {
				out = append(out, cobra.CompletionWithDesc(r.ID, r.Meaning))
			}
			return out
		}),
	})
}

type rulesDocument struct {
	Version string           `json:"format_version"` // 1.0
	Rules   []view.Explained `json:"rules"`          // those of the id that was given, or all
}

// kindOrder is the order in which the IDs of a product are listed.
var kindOrder = []planner.RuleKind{planner.KindFinding, planner.KindPermission, planner.KindAcceptance,
	planner.KindExamination, planner.KindRefusal}

// rules returns the rules of the program and of all products; those of each product by kind and ID.
func (c *command) rules() []view.Explained {
	var out []view.Explained
	add := func(product string, rules []planner.Rule) {
		slices.SortFunc(rules, func(a, b planner.Rule) int {
			return cmp.Or(slices.Index(kindOrder, a.Kind)-slices.Index(kindOrder, b.Kind), strings.Compare(a.ID, b.ID))
		})
		for _, r := range rules {
			out = append(out, view.Explained{Product: product, Rule: r})
		}
	}
	add("", planner.Rules())
	add("", drift.Rules())
	for _, p := range c.app.products {
		add(p.Name, p.Driver(driver.Env{}).Rules())
	}
	add("", driver.Rules())
	add("", bundleRules())
	for _, r := range exitRules() { // in the order of their numbers
		out = append(out, view.Explained{Rule: r})
	}
	return out
}

// printedID returns an ID that a person has copied from the output: without the brackets or quotation marks around it,
// and with its words joined if it was not quoted in the shell.
func printedID(words []string) string { return strings.Trim(strings.Join(words, " "), `[]"'`) }

// explaining returns the rules with an ID, which may lack the product, or else the rules for which the ID is an
// example.
func explaining(all []view.Explained, id string) []view.Explained {
	is := func(match func(*planner.Rule) bool) []view.Explained {
		var out []view.Explained
		for i := range all {
			if match(&all[i].Rule) {
				out = append(out, all[i])
			}
		}
		return out
	}
	if exact := is(func(r *planner.Rule) bool {
		_, name, ok := strings.Cut(r.ID, "/")
		return r.ID == id || ok && name == id
	}); len(exact) > 0 {
		return exact
	}
	return is(func(r *planner.Rule) bool {
		return r.Explains(id) || strings.HasSuffix(r.ID, `"NAME"`) && r.Explains(id+`"`) // its last mark was trimmed
	})
}

// ruleIDs returns all IDs, with the product and without.
func ruleIDs(all []view.Explained) []string {
	var out []string
	for i := range all {
		out = append(out, all[i].ID)
		if _, name, ok := strings.Cut(all[i].ID, "/"); ok {
			out = append(out, name)
		}
	}
	return out
}
