package backbone

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/planner"
)

// unaffected sets for each step the arguments that it does not depend on, so that these can still be changed in the
// files once the step is done:
//   - No step depends on other declarations of its type.
//   - Up to the step that configures the new synchronization, no step depends on its declared configuration, or on what
//     comes after that step (accept, delete_original). Whatever preflight refuses there, the plan of the changed files
//     refuses too.
//   - Only the merge depends on allow, apart from two words (allowArg).
//   - Only the verification, and the deletion that relies on it, depend on how the result is verified. A higher number
//     of new pairs does not make complete pairs incomplete.
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

// allowArg is the argument with those words of allow that the checks before and after the merge depend on. If the
// words change, these steps are different checks.
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

// earlyVerbs are the verbs of a migration before the step that configures the new synchronization.
var earlyVerbs = []string{opNoErrors, opPreflight, opMark, opMarked, opStop, opStopByHand, opDrained, opExport, opMove,
	opMerge, opStill, opCreate, opPair, verbPair}
