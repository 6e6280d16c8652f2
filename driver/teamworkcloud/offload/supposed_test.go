package offload

import (
	"slices"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

// TestSupposed checks that a resource is supposed to have been moved only if it is not on the source, and only its
// category was declared.
func TestSupposed(t *testing.T) {
	o := &plan{
		facts: &facts{
			Sync:   survey.Facts{Items: []survey.Item{{Kind: survey.KindCategory}, {Kind: survey.KindResource}}},
			Copies: []copyFacts{{ID: idB, Item: 0, Alone: true}, {ID: idC, Item: 1, Alone: true}},
		},
		present: []*survey.Resource{{ID: idA}},
	}
	var got []string
	for _, c := range o.moved() {
		if o.supposed(c) {
			got = append(got, c.ID)
		}
	}
	if !slices.Equal(got, []string{idB}) {
		t.Errorf("%q", got)
	}
}

// TestIDsOfCommandLines checks that a plan is refused if an ID that a server gave could be something else on a command
// line, also one that a person is to paste.
func TestIDsOfCommandLines(t *testing.T) {
	for id, refused := range map[string]bool{idA: false, "-all": true, "--": true, "a b": true, "": true} {
		category := survey.Item{Kind: survey.KindCategory}
		for end, o := range map[string]*plan{
			atSource: {facts: &facts{}, present: []*survey.Resource{{ID: id}}},
			atTarget: {facts: &facts{Copies: []copyFacts{{ID: id}}}},
			"also of the category": {facts: &facts{Copies: []copyFacts{{ID: idB}},
				Sync: survey.Facts{Items: []survey.Item{category}, Category: survey.Category{ID: id}}}},
		} {
			o.l, o.sync, o.decl = &planner.Sequence{}, &survey.Sync{}, &Declaration{}
			if end != atSource && end != atTarget {
				if end = atTarget; id == "" { // the category is still to be created
					continue
				}
				o.sync.Categories = []string{"Archive"}
			}
			o.onCommandLines(end)
			got := slices.ContainsFunc(o.out, func(f planner.Finding) bool {
				return f.Rule == product+"/"+ruleOddID && f.Severity == planner.Refuse
			})
			if got != refused {
				t.Errorf("%q %s: refused %v: %+v", id, end, got, o.out)
			}
		}
	}
}
