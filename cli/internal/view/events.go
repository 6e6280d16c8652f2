package view

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Events writes events as JSON Lines, for programs.
type Events struct {
	mu     sync.Mutex
	w      io.Writer
	now    func() time.Time
	number map[string]int
}

// NewEvents returns an Events writer. Call Of to set the plan once it is known.
func NewEvents(w io.Writer, now func() time.Time) *Events {
	return &Events{w: w, now: now}
}

// Of sets the plan whose step numbers are used.
func (e *Events) Of(p *planner.Plan) { e.number = Numbers(p) }

// eventStep is a step in an event.
type eventStep struct {
	ID     string          `json:"id"`
	Number int             `json:"number"`
	Of     int             `json:"of"`
	Addr   string          `json:"addr"`
	Op     string          `json:"op"`
	Mark   planner.Mark    `json:"mark"`
	Manual *planner.Manual `json:"manual,omitempty"` // only if a person is asked
}

// Write writes one event: fields, and the five fields that every event has.
func (e *Events) Write(level, kind, message string, fields map[string]any) {
	doc := map[string]any{
		"@level": level, "@message": message, "@module": "syncctl",
		"@timestamp": e.now().UTC().Format(time.RFC3339Nano), "type": kind,
	}
	for k, v := range fields {
		doc[k] = v
	}
	line, err := json.Marshal(doc)
	if err != nil {
		line = []byte(`{"@level":"error","@message":"cannot write an event as JSON",` +
			`"@module":"syncctl","type":"` + kind + `"}`)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.w.Write(append(line, '\n')) // a reader that is gone must not stop the run
}

// Observe writes an event from the executor.
func (e *Events) Observe(ev executor.Event) {
	fields := map[string]any{}
	message := ev.Name
	if w := eventWords[ev.Name]; w != "" {
		message = w
	}
	if s := ev.Step; s != nil {
		step := eventStep{ID: s.ID, Number: e.number[s.ID], Of: len(e.number), Addr: s.Addr, Op: s.Op, Mark: s.Mark}
		if ev.Name == executor.EventAsked || ev.Name == executor.EventWaiting {
			step.Manual = s.Manual
		}
		fields["step"] = step
		message = s.ID + ": " + message
	}
	if ev.Message != "" {
		message += ": " + ev.Message
	}
	if ev.Script != "" {
		fields["script"] = ev.Script
	}
	if p := ev.Progress; p != nil {
		fields["progress"] = map[string]any{"done": p.Done, "total": p.Total, "unit": p.Unit}
		message += ": " + Count(*p)
	}
	level := "info"
	switch ev.Name {
	case executor.EventFailed, executor.EventStuck:
		level = "error"
	case executor.EventPutOff:
		level = "warn"
	}
	e.Write(level, "step_"+ev.Name, message, fields)
}

// Note does nothing: its line is for people.
func (e *Events) Note(string) {}

// Urgent is the same as Note, since events are never held back.
func (e *Events) Urgent(line string) { e.Note(line) }

// Hold does nothing: events can be written while a person is asked.
func (e *Events) Hold() func() { return func() {} }

// Beside returns p, a view for people, which then writes executor events to e too.
func (e *Events) Beside(p Progress) Progress { return beside{p, e} }

type beside struct {
	Progress

	events *Events
}

func (b beside) Observe(ev executor.Event) {
	b.events.Observe(ev)
	b.Progress.Observe(ev)
}

// Close does nothing: every event is written at once.
func (e *Events) Close() {}

// ReportFields returns the fields of the last event of a run.
func ReportFields(end End) map[string]any {
	steps := []map[string]any{}
	for _, s := range end.Report.Steps {
		one := map[string]any{"id": s.Step.ID, "phase": s.Phase}
		if s.Why != "" {
			one["why"] = s.Why
		}
		if s.Here {
			one["here"] = true
		}
		steps = append(steps, one)
	}
	f := map[string]any{"run": end.RunID, "dir": end.Dir, "finished": end.Report.Finished, "steps": steps}
	if end.Next.Bundle != "" {
		f["bundle"] = end.Next.Bundle
	}
	if !end.Report.Finished {
		a := end.advice()
		f["advice"] = a.first
		if len(a.choices) > 0 {
			f["choices"] = a.choices
		}
		if len(a.choices) == 0 { // a program must not resume what a person has to decide about
			f["next"] = end.Next.Apply
		}
	}
	return f
}
