package offload

import (
	"slices"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
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
