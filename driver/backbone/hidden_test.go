package backbone_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/sandbox"
)

// essential lists the members of a pair that decisions depend on. All other members are copied unchanged; the
// vendor's samples leave out members without a value.
var essential = []string{
	"", "localIssueKey", "remoteIssueKey", "outgoingMessageSequenceId", "incomingMessageSequenceId",
}

// TestNothingIsDeletedOnSilence checks that hiding or renaming anything that servers say does not cause a deletion
// that would not happen otherwise.
func TestNothingIsDeletedOnSilence(t *testing.T) {
	const original = "behind-firewall-master"
	world := func(example string, change ...string) drivertest.Case {
		return drivertest.Case{Name: example, Dir: filepath.Join("..", "..", "examples", example), Seed: smaller(t,
			example, change...)}
	}
	after := func(op, action string, values ...string) drivertest.Rehearsal {
		m := map[string]string{}
		for i := 0; i < len(values); i += 2 {
			m[values[i]] = values[i+1]
		}
		return drivertest.Rehearsal{After: map[string]func(func(string, map[string]string)){
			op: func(act func(string, map[string]string)) { act(action, m) },
		}}
	}
	drivertest.Hide(t, simulated, drivertest.Hiding{
		Good:    world(original),
		Deletes: deletesHalf,
		Carried: func(p sandbox.Part) bool {
			member := strings.TrimPrefix(p.Member, "[].")
			return strings.HasSuffix(p.Route, "/syncInformation") && !slices.Contains(essential, member)
		},
		Most: 4,
		Bad: []drivertest.BadWorld{
			{Name: "an issue in error", Case: world("email-in-error")},
			{Name: "a message under way", Case: world(original, `"transport": "file",`,
				`"transport": "file", "delivery": "manual",`+
					` "in_flight": [{"from": "master", "issue": "SAM2-1", "fields": {"summary": "under way"}}],`)},
			{Name: "the original runs", Case: world(original),
				While: after("configure", "start_sync", "server", "a", "integration", "INT-4")},
			{Name: "the summaries differ", Case: world(original),
				While: after("resync_second", "edit_issue", "server", "a_cloud", "issue", "SAM2-1",
					"field", "summary", "value", "edited by the sync user", "user", "712020:0b-backbone")},
			{Name: "a half is gone", Case: world(original),
				While: after("configure", "delete_sync", "server", "b", "integration", "INT-5")},
			{Name: "a conflict", Case: world(original),
				While: after("resync_second", "configure_sync", "server", "b", "integration", "INT-6",
					"issue_types", `{"Rocket": "Bug"}`)},
		},
	})
}
