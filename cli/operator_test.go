package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// TestAnswerDone: a person who answers 'done' reads what happens next, and how long it may take.
func TestAnswerDone(t *testing.T) {
	for name, c := range map[string]struct {
		step planner.Step
		want string
	}{
		"its own time": {
			planner.Step{Manual: &planner.Manual{}, Within: planner.Duration(5 * time.Minute)}, "for up to 5m0s.",
		},
		"the default time": {planner.Step{Manual: &planner.Manual{}}, "for up to 2m0s."},
		"attested":         {planner.Step{Manual: &planner.Manual{Attest: "it is so"}}, "Checking the servers.\n"},
	} {
		var out bytes.Buffer
		p := person{
			command:  &command{app: &app{input: prompt.NewLines(strings.NewReader("what?\ndone\n"))}, out: &out},
			progress: view.NewPlain(&out, view.Style{}, &planner.Plan{}),
		}
		reply, err := (&terminalOperator{person: p}).Perform(t.Context(), executor.Ask{Step: c.step})
		if reply != executor.Performed || err != nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %v, %v, %q", name, reply, err, out.String())
		}
	}
}
