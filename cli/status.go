package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// lastRuns is the number of ended runs that status lists.
const lastRuns = 5

func (c *command) statusCommand() *cobra.Command {
	f := &serveFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "status [DIR]", Args: atMost(1),
		Short: "Show the unfinished run and the last ones that ended; contacts no server",
		Long: `Shows the unfinished run of the folder and the last ones that ended. It contacts no server.

With -serve, the unfinished run, or else the last one, is shown on a page in a browser, and changes there as the run
goes on, whichever process carries it out. The page only shows the run.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if f.address != "" {
				return c.serveStatus(cmd.Context(), f)
			}
			return c.status()
		},
	})
	f.flags(cmd)
	return cmd
}

func (c *command) status() error {
	if err := c.ownDataDir(); err != nil {
		return err
	}
	store := c.store()
	ids, err := store.IDs()
	if err != nil {
		return err
	}
	var open *executor.Run
	var ended []executor.Brief
	for _, id := range slices.Backward(ids) {
		b, err := store.Brief(id)
		if err != nil {
			return err
		}
		switch {
		case b.End == nil && open == nil:
			open = b.Run
		case b.End != nil && len(ended) < lastRuns:
			ended = append(ended, b)
		}
	}
	if c.wantsJSON() {
		if err := c.statusJSON(open, ended); err != nil || c.flags.json {
			return err
		}
	}
	if open == nil && len(ended) == 0 {
		c.say("This folder has no runs.")
		return nil
	}
	if open != nil {
		state := c.state(open)
		if err := view.Run(c.out, c.outStyle, state, false); err != nil {
			return err
		}
		switch {
		case open.Damage != nil:
			c.say("\n%s.", schema.Sanitize(c.damaged(open)))
		case state.Holder == nil:
			c.say("\n%s", strings.TrimSuffix(view.Advice(c.outStyle, state, c.resumption(nil, &applyFlags{})), "\n"))
		}
	} else {
		c.say("There is no unfinished run.")
	}
	if len(ended) > 0 {
		c.say("\nThe last runs that ended:")
	}
	for _, b := range ended {
		if err := view.RunLine(c.out, b); err != nil {
			return err
		}
	}
	return nil
}

// runDoc is a run in JSON.
type runDoc struct {
	ID     string        `json:"id"` // the run
	State  string        `json:"state" jsonschema:"unfinished, under way, finished, given up or damaged"`
	Done   int           `json:"done" jsonschema:"steps that are done"`
	Of     int           `json:"of" jsonschema:"steps of its plan"`
	Dir    string        `json:"dir" jsonschema:"the folder with its plan, journal and files"`
	Holder *holderDoc    `json:"holder,omitempty" jsonschema:"the process that is carrying it out"`
	Sites  []runSiteDoc  `json:"sites,omitempty" jsonschema:"the sites that take part, as far as it is known here"`
	Steps  []runStepDoc  `json:"steps,omitempty" jsonschema:"in the order of the plan"`
	Record []runEntryDoc `json:"entries,omitempty" jsonschema:"of its journal; show has them, status has not"`
}

// statusDoc is the document of status -json.
type statusDoc struct {
	Unfinished *runDoc  `json:"unfinished,omitempty"` // absent if there is none
	Ended      []runDoc `json:"ended"`                // the last ones, newest first; without their steps
}

type holderDoc struct {
	PID   int       `json:"pid"`   // the number of the process
	Host  string    `json:"host"`  // the machine that it runs on
	Since time.Time `json:"since"` // since when it holds the lock
}

// runSiteDoc is a site's part in a run.
type runSiteDoc struct {
	Name     string           `json:"name"` // the name of its block
	Done     int              `json:"done" jsonschema:"its steps that are done"`
	Of       int              `json:"of" jsonschema:"its steps"`
	Approved bool             `json:"approved" jsonschema:"whether it has approved the plan"`
	AsOf     *time.Time       `json:"as_of,omitempty" jsonschema:"of its last entry that is known here"`
	MaxAge   planner.Duration `json:"max_age" jsonschema:"how old what others rely on may be"`
	Observed *planner.Age     `json:"observed,omitempty" jsonschema:"the oldest of what its servers showed for the plan"`
	Until    *time.Time       `json:"until,omitempty" jsonschema:"up to when a plan may be made from that"`
	Verified *time.Time       `json:"verified,omitempty" jsonschema:"when it verified what undone steps of others rest on"`
	Holds    *time.Time       `json:"holds,omitempty" jsonschema:"up to when they may rest on it"`
}

// phase is an executor.Phase, or "interrupted".
type phase = executor.Phase

type runStepDoc struct {
	Number int    `json:"number"` // its number in the plan
	ID     string `json:"id"`     // the step
	Phase  phase  `json:"phase" jsonschema:"how it stands"`
	Why    string `json:"why,omitempty" jsonschema:"why it is not done"`
	Person bool   `json:"person,omitempty" jsonschema:"whether a person does it"`
}

type runEntryDoc struct {
	Seq   int               `json:"seq"`            // its number, from 1
	Time  time.Time         `json:"time"`           // when it was written
	Key   string            `json:"key"`            // the step that it is about, or "run"
	Event string            `json:"event"`          // what has happened: syncctl docs journal
	Data  map[string]string `json:"data,omitempty"` // more about it: syncctl docs journal
}

func (c *command) runDoc(r *executor.Run) runDoc {
	s := c.state(r)
	d := runDoc{ID: r.ID, State: s.Word(), Done: s.Done(), Of: len(r.Plan.Steps), Dir: r.Dir}
	if s.Holder != nil {
		d.Holder = &holderDoc{s.Holder.PID, s.Holder.Host, s.Holder.Since}
	}
	for _, t := range report.Parties(r.Plan, &report.Run{Decision: s.Decision, Entries: r.Entries}) {
		d.Sites = append(d.Sites, runSiteDoc{Name: t.Name, Done: t.Done, Of: len(t.Numbers), Approved: r.Approved(t.Name),
			AsOf: timeOf(s.KnownOf(t.Name)), MaxAge: t.MaxAge, Observed: t.Observed, Until: timeOf(t.Until),
			Verified: timeOf(t.Verified), Holds: timeOf(t.Holds)})
	}
	for i := range r.Plan.Steps {
		step := &r.Plan.Steps[i]
		why := s.Decision.Steps[step.ID].Why
		d.Steps = append(d.Steps, runStepDoc{i + 1, step.ID, s.Phase(step.ID), why, step.Manual != nil})
	}
	return d
}

// timeOf returns a time for a document, in UTC, or nil if it is zero.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (c *command) statusJSON(open *executor.Run, ended []executor.Brief) error {
	doc := statusDoc{Ended: []runDoc{}}
	if open != nil {
		d := c.runDoc(open)
		doc.Unfinished = &d
	}
	for _, b := range ended {
		doc.Ended = append(doc.Ended, runDoc{ID: b.ID, State: view.EndWord(b.End), Done: b.End.Done, Of: b.End.Of,
			Dir: b.Dir})
	}
	return c.document(doc)
}

// stepIDs returns the IDs of a run's steps.
func stepIDs(r *executor.Run) []string {
	var ids []string
	for i := range r.Plan.Steps {
		ids = append(ids, r.Plan.Steps[i].ID)
	}
	return ids
}

// stepOf finds the step that a person names by its ID, its number, or a unique ending of its ID.
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
		return "", failf(exitError, "%q names %d steps; give one of these ids: %q", name, len(hits), hits)
	}
	return "", failf(exitError, "run %s has no step %q.%s", r.ID, name,
		args.DidYouMean(name, stepIDs(r), "\n`syncctl status` lists its steps."))
}
