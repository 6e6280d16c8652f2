package backbone

import (
	"cmp"
	"slices"

	"github.com/syncctl/syncctl/planner"
)

// unaffected says of each step which arguments it does not depend on, so that the files can be mended there once it is
// done. No step looks at other declarations of its type. Up to the step that configures the new synchronization, none
// works by the configuration that is declared for it, nor by what happens after it; what preflight refuses there, the
// plan of the mended files refuses too. How the result is verified matters to the verifications alone, and how many
// pairs more it may have only makes pairs that are complete stay so.
func unaffected(steps []planner.Step, m *migration) {
	early := m != nil
	for i := range steps {
		s := &steps[i]
		s.UnaffectedBy = []string{planner.Peers}
		verb := cmp.Or(s.Verb, s.Op)
		if m != nil && verb != opVerify && verb != opDelete {
			s.UnaffectedBy = append(s.UnaffectedBy, m.Addr().String()+".verify")
		}
		early = early && verb != opConfigure
		if !early || !slices.Contains(earlyVerbs, verb) {
			continue
		}
		to, own := m.to.Addr().String()+".", m.Addr().String()+"."
		s.UnaffectedBy = append(s.UnaffectedBy, own+"accept", own+"delete_original")
		for _, name := range []string{"attachments", "comments", "field", "first.jql", "issue_types", "second.jql"} {
			s.UnaffectedBy = append(s.UnaffectedBy, to+name)
		}
	}
}

// earlyVerbs are the steps of a migration before the one that configures the new synchronization.
var earlyVerbs = []string{opNoErrors, opPreflight, opMark, opMarked, opStop, opStopByHand, opDrained, opExport, opMove,
	opMerge, opStill, opCreate, opPair, verbPair}
