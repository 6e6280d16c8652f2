package backbone

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// TestManySynchronizations checks that an error names some of the synchronizations that a server lists, however many
// and long.
func TestManySynchronizations(t *testing.T) {
	t.Parallel()
	const most = 15000
	list := make([]integration, 5000)
	long := strings.Repeat("x", 2000)
	for i := range list {
		list[i] = integration{Key: fmt.Sprintf("INT-%d", i), Summary: &long}
	}
	block, diags := declare.Decode[syncBlock](&schema.Resource{Value: cty.EmptyObjectVal})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s := &synchronization{syncBlock: block}
	_, err := onlyOne(s, &end{name: master, endBlock: &endBlock{Project: "A"}}, list)
	if err == nil || len(err.Error()) > most || !strings.Contains(err.Error(), "INT-1000") ||
		!strings.Contains(err.Error(), " 5000 ") {
		t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
	}
}
