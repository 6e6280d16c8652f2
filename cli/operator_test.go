package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/schema"
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
			command: &command{
				app: &app{
					input: prompt.NewLines(strings.NewReader("what?\ndone\n")),
					env:   func(string) (string, bool) { return "ada", true },
				},
				out: output.Guard(&out, noSecrets),
			},
			progress: view.NewPlain(&out, view.Style{}, &planner.Plan{}),
		}
		reply, err := newTerminalOperator(p).Perform(t.Context(), executor.Ask{Step: c.step})
		said := strings.Contains(out.String(), c.want)
		if want := (executor.Reply{Done: true, By: "ada"}); reply != want || err != nil || !said {
			t.Errorf("%s: %v, %v, %q", name, reply, err, out.String())
		}
	}
}

// TestCommandIsNotCalledForEver: a program that reports success and does nothing is called three times; then the step
// waits.
func TestCommandIsNotCalledForEver(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	argv := []string{"sh", "-c", "cat >> asked"}
	o := &commandOperator{argv: argv, declared: &schema.Operator{Command: argv}, person: person{
		command:  &command{app: &app{environ: os.Environ, fs: afero.NewOsFs()}, dir: dir, out: output.Guard(&out, noSecrets)},
		progress: view.NewPlain(&out, view.Style{}, &planner.Plan{}),
	}}
	for attempt, want := range []executor.Reply{executor.Performed, executor.Performed, executor.Performed,
		executor.Deferred} {
		reply, err := o.Perform(t.Context(), executor.Ask{Attempt: attempt, Missing: "the label"})
		if reply != want || err != nil {
			t.Errorf("call %d: %v, %v, want %v", attempt+1, reply, err, want)
		}
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || bytes.Count(asked, []byte(`"missing":"the label"`)) != 3 ||
		!strings.Contains(out.String(), "the label") {
		t.Errorf("%s, %v, %s", asked, err, out.String())
	}
}

func noSecrets() *redact.Set { return nil }
