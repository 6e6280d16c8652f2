package view

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/syncctl/syncctl/cli/internal/hook"
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

// Write writes one event: the head that every event has, and fields.
func (e *Events) Write(level, message string, fields EventFields) {
	head := EventHead{Level: level, Message: message, Module: "syncctl",
		Timestamp: e.now().UTC().Format(time.RFC3339Nano), Type: fields.eventType()}
	line, err := joined(head, fields)
	if err != nil {
		line = []byte(`{"@level":"error","@message":"cannot write an event as JSON",` +
			`"@module":"syncctl","type":"` + head.Type + `"}`)
	}
	hook.Event(line)
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.w.Write(append(line, '\n')) // a reader that is gone must not stop the run
}

// joined returns one JSON object with the members of both, sorted by name.
func joined(of ...any) ([]byte, error) {
	doc := map[string]json.RawMessage{}
	for _, v := range of {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, err
		}
	}
	return json.Marshal(doc)
}

// Observe writes an event from the executor.
func (e *Events) Observe(ev executor.Event) {
	fields := StepEvent{Script: ev.Script, name: ev.Name}
	message := ev.Name
	if w := eventWords[ev.Name]; w != "" {
		message = w
	}
	if s := ev.Step; s != nil {
		fields.Step = &EventStep{ID: s.ID, Number: e.number[s.ID], Of: len(e.number), Addr: s.Addr, Op: s.Op, Mark: s.Mark}
		if ev.Name == executor.EventAsked || ev.Name == executor.EventWaiting {
			fields.Step.Manual = s.Manual
		}
		message = s.ID + ": " + message
	}
	if ev.Message != "" {
		message += ": " + ev.Message
	}
	if p := ev.Progress; p != nil {
		fields.Progress = &EventProgress{p.Done, p.Total, p.Unit}
		message += ": " + Count(*p)
	}
	level := "info"
	switch ev.Name {
	case executor.EventFailed, executor.EventStuck:
		level = "error"
	case executor.EventPutOff:
		level = "warn"
	}
	e.Write(level, message, fields)
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

// EndOf returns the last event of a run.
func EndOf(end End) ApplyEndEvent {
	out := ApplyEndEvent{Run: end.RunID, Dir: end.Dir, Finished: end.Report.Finished, Steps: []EventOutcome{},
		Bundle: end.Next.Bundle}
	for _, s := range end.Report.Steps {
		out.Steps = append(out.Steps, EventOutcome{ID: s.Step.ID, Phase: s.Phase, Why: s.Why, Here: s.Here})
	}
	if !end.Report.Finished {
		a := end.advice()
		out.Advice, out.Choices = a.first, a.choices
		if len(a.choices) == 0 { // a program must not resume what a person has to decide about
			out.Next = end.Next.Apply
		}
	}
	return out
}
