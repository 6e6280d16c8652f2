package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// lastRuns is how many ended runs status lists.
const lastRuns = 5

func (c *call) statusCommand() *cobra.Command {
	return jsonCommand(&cobra.Command{
		Use: "status [DIR]", Short: "Where the unfinished run stands, and the last ones that ended; asks no server", Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			return c.status()
		},
	})
}

func (c *call) status() error {
	runs, err := c.store().List()
	if err != nil {
		return err
	}
	var open *executor.Run
	var ended []*executor.Run
	for _, r := range slices.Backward(runs) {
		switch {
		case !r.Finished() && open == nil:
			open = r
		case r.Finished() && len(ended) < lastRuns:
			ended = append(ended, r)
		}
	}
	if c.flags.json {
		return c.statusJSON(open, ended)
	}
	if open == nil && len(ended) == 0 {
		c.say("There has been no run in this folder.")
		return nil
	}
	if open != nil {
		state := c.state(open)
		if err := view.Run(c.out, c.outStyle, state); err != nil {
			return err
		}
		switch {
		case open.Damage != nil:
			c.say("\n%s.", schema.Sanitize(c.damaged(open)))
		case state.Holder == nil:
			c.say("\n%s", strings.TrimSuffix(view.Advice(c.outStyle, state, c.next(nil, &applyFlags{})), "\n"))
		}
	} else {
		c.say("No run is unfinished.")
	}
	if len(ended) > 0 {
		c.say("\nThe last runs that ended:")
	}
	for _, r := range ended {
		if err := view.RunLine(c.out, c.state(r)); err != nil {
			return err
		}
	}
	return nil
}

// runDoc is a run as JSON.
type runDoc struct {
	ID     string        `json:"id"`
	State  string        `json:"state"` // unfinished, under way, finished, given up, damaged
	Done   int           `json:"done"`
	Of     int           `json:"of"`
	Dir    string        `json:"dir"`
	Holder *holderDoc    `json:"holder,omitempty"`
	Steps  []runStepDoc  `json:"steps,omitempty"`
	Record []runEntryDoc `json:"entries,omitempty"`
}

type holderDoc struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

type runStepDoc struct {
	Number int            `json:"number"`
	ID     string         `json:"id"`
	Phase  executor.Phase `json:"phase"`
	Why    string         `json:"why,omitempty"`
	Person bool           `json:"person,omitempty"`
}

type runEntryDoc struct {
	Seq   int               `json:"seq"`
	Time  time.Time         `json:"time"`
	Key   string            `json:"key"`
	Event string            `json:"event"`
	Data  map[string]string `json:"data,omitempty"`
}

func (c *call) runDoc(r *executor.Run, steps bool) runDoc {
	s := c.state(r)
	d := runDoc{ID: r.ID, State: s.Word(), Done: s.Done(), Of: len(r.Plan.Steps), Dir: r.Dir}
	if s.Holder != nil {
		d.Holder = &holderDoc{s.Holder.PID, s.Holder.Host, s.Holder.Since}
	}
	if !steps {
		return d
	}
	for i := range r.Plan.Steps {
		step := &r.Plan.Steps[i]
		d.Steps = append(d.Steps, runStepDoc{i + 1, step.ID, s.Phase(step.ID), s.Decision.Steps[step.ID].Why, step.Manual != nil})
	}
	return d
}

func (c *call) statusJSON(open *executor.Run, ended []*executor.Run) error {
	doc := struct {
		Unfinished *runDoc  `json:"unfinished"`
		Ended      []runDoc `json:"ended"`
	}{Ended: []runDoc{}}
	if open != nil {
		d := c.runDoc(open, true)
		doc.Unfinished = &d
	}
	for _, r := range ended {
		doc.Ended = append(doc.Ended, c.runDoc(r, false))
	}
	return c.document(doc)
}

// stepNames lists the ids of a run's steps.
func stepNames(r *executor.Run) []string {
	var names []string
	for i := range r.Plan.Steps {
		names = append(names, r.Plan.Steps[i].ID)
	}
	return names
}

// stepOf finds the step a person names: by id, by number, or by the end of its id where only one has it.
func stepOf(r *executor.Run, name string) (string, error) {
	var hits []string
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		if s.ID == name || fmt.Sprint(i+1) == name {
			return s.ID, nil
		}
		if s.Op == name {
			hits = append(hits, s.ID)
		}
	}
	if len(hits) == 1 {
		return hits[0], nil
	}
	if len(hits) > 1 {
		return "", failf(exitError, "%q is the name of %d steps; say which: %q", name, len(hits), hits)
	}
	return "", failf(exitError, "run %s has no step %q.%s", r.ID, name, meant(name, stepNames(r), "\n`syncctl status` lists its steps."))
}
