package backbone

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/planner"
)

// unaffected says of each step which arguments it does not depend on, so that the files can be mended there once it is
// done. No step looks at other declarations of its type. Up to the step that configures the new synchronization, none
// works by the configuration that is declared for it, nor by what happens after it; what preflight refuses there, the
// plan of the mended files refuses too. What the merge may overlook matters to it alone, apart from two words. How the
// result is verified matters to the verifications alone, and how many pairs more it may have only makes pairs that are
// complete stay so.
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
		if verb != opMerge {
			s.UnaffectedBy = append(s.UnaffectedBy, own+"allow")
		}
		if words := m.allowedInFlight(); words != "" && slices.Contains([]string{opPreflight, opDrained, opStill}, verb) {
			s.Args = maps.Clone(s.Args)
			if s.Args == nil {
				s.Args = map[string]string{}
			}
			s.Args[allowArg] = words
		}
		for _, name := range []string{"attachments", "comments", "field", "first.jql", "issue_types", "second.jql"} {
			s.UnaffectedBy = append(s.UnaffectedBy, to+name)
		}
	}
}

// allowArg are the words of allow that the checks before and after the merge go by. It makes them other checks where
// the words change.
const allowArg = "allow"

func (m *migration) allowedInFlight() string {
	var words []string
	for _, rule := range []syncinfo.Rule{syncinfo.SeqDiffer, syncinfo.Unmatched} {
		if m.allows(rule) {
			words = append(words, string(rule))
		}
	}
	return strings.Join(words, " ")
}

// earlyVerbs are the steps of a migration before the one that configures the new synchronization.
var earlyVerbs = []string{opNoErrors, opPreflight, opMark, opMarked, opStop, opStopByHand, opDrained, opExport, opMove,
	opMerge, opStill, opCreate, opPair, verbPair}
