package page

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
)

// Limits of what a live page shows.
const (
	mostCurrent = 60  // steps that are running, waiting or failed
	mostLog     = 200 // entries of the journal
)

// The formats of times: clock for the page, hour for the journal.
const (
	clock = "2006-01-02 15:04:05 MST"
	hour  = "15:04:05"
)

// Live is what a page shows of a running run in addition to its report.
type Live struct {
	At        time.Time         // the time that is shown; all times are in its zone
	Script    string            // the address of the page's script
	Questions []executor.Ask    // the open questions to a person
	Doing     map[string]string // what the running steps are doing, by step ID
	Notes     []Note            // messages about the run that are not in its journal
	FirstNote int               // the number of the first of Notes; earlier ones were dropped
	Ended     bool              // nothing will change any more
	Secrets   *redact.Set       // removed from all texts

	// The user of the page.
	Answers bool   // questions can be answered on the page by whoever has the token
	User    string // who answers in this browser; "": unknown
	Secret  string // the secret of the session, sent with each answer
	Notice  string // the result of an answer
}

// Note is a line in the log.
type Note struct {
	At   time.Time
	Text string
}

// Now is the part of a page that changes while the run is going on, as its script receives it. All texts are printable
// and without secrets.
type Now struct {
	At        string      `json:"at"`
	Hash      string      `json:"hash"` // of the plan; if it changes, the page must be loaded again
	Verdict   string      `json:"verdict"`
	Tone      string      `json:"tone"`
	Ended     bool        `json:"ended"`
	Sum       []tile      `json:"sum"`
	Current   []current   `json:"current"` // steps that are running, waiting or failed
	More      int         `json:"more"`    // how many of them are left out
	Questions []*question `json:"questions"`
	Steps     []stepNow   `json:"steps"` // all steps; in a difference, those that changed
	Log       []logLine   `json:"log"`   // the last lines; in a difference, the new ones
	Earlier   int         `json:"earlier"`
}

type current struct {
	Number int          `json:"n"`
	ID     string       `json:"id"`
	State  report.State `json:"state"`
	Tone   string       `json:"tone"`
	Text   string       `json:"text"`
}

type stepNow struct {
	Number int          `json:"n"`
	State  report.State `json:"state"`
	Tone   string       `json:"tone"`
	Why    string       `json:"why,omitempty"`
	Took   string       `json:"took,omitempty"`
}

type logLine struct {
	ID    string `json:"id"`
	Time  string `json:"time"`
	Event string `json:"event"`
	Key   string `json:"key"`
	Text  string `json:"text"`

	at time.Time
}

// question is a question to a person, with everything needed to answer it.
type question struct {
	Key      string   `json:"key"` // changes with each attempt
	Number   int      `json:"n"`
	ID       string   `json:"id"`
	Attempt  int      `json:"attempt"`
	Summary  string   `json:"summary"`
	Missing  string   `json:"missing"`
	Where    string   `json:"where"`
	Do       []string `json:"do"`
	Values   []shown  `json:"values"`
	Commands string   `json:"commands"`
	Script   string   `json:"script"`
	Attest   string   `json:"attest"`
	Final    bool     `json:"final"`
	Typed    bool     `json:"typed"` // 'done' must be typed

	Secret string `json:"-"`
}

type shown struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Typed reports whether a person must type that a step is done, because nothing verifies it or nothing can undo it.
func Typed(s *executor.Ask) bool { return s.Step.Irreversible() || s.Step.Manual.Attest != "" }

// liveDocument is the data of the template for a live page.
type liveDocument struct {
	Live

	Now       *Now
	Questions []*question
	Empty     *question // an empty form for a question
}

// LiveHTML writes the page of a running run. The script is only needed to update the page while it is open.
func LiveHTML(w io.Writer, r *report.Report, l Live) error {
	d := newDocument(r)
	d.Open = nil // they are listed under what is happening now
	d.Attention = len(d.Refusals)+len(d.General) > 0
	live := &liveDocument{Live: l, Now: now(d, l), Empty: &question{Secret: l.Secret}}
	live.Questions = live.Now.Questions
	for _, q := range live.Questions {
		q.Secret = l.Secret
	}
	d.Live = live
	var b bytes.Buffer
	if err := d.write(&b); err != nil {
		return err
	}
	if _, err := io.WriteString(w, Masked(b.String(), l.Secrets)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// line returns text on one line, without secrets.
func (l *Live) line(s string) string { return printable.Line(l.Secrets.String(s)) }

// NewNow returns the present state of a run.
func NewNow(r *report.Report, l Live) *Now { return now(newDocument(r), l) }

func now(d *document, l Live) *Now {
	n := &Now{
		At: l.At.Format(clock), Hash: d.Hash, Verdict: printable.Line(d.Verdict()), Tone: d.Tone, Ended: l.Ended, Sum: d.Sum,
		Current: []current{}, Questions: []*question{}, Steps: make([]stepNow, 0, len(d.Steps)), Log: []logLine{},
	}
	asked := map[string]bool{}
	for i := range l.Questions {
		asked[l.Questions[i].Step.ID] = true
	}
	numbers := map[string]int{}
	for _, s := range d.Steps {
		numbers[s.ID] = s.Number
		step := stepNow{Number: s.Number, State: s.State, Tone: stateTone(s.State)}
		if s.State != report.Done {
			step.Why = l.line(s.Why)
		}
		if s.Measured {
			step.Took = picture.Span(s.Took)
		}
		n.Steps = append(n.Steps, step)
		if !begun(s) {
			continue
		}
		text := cmp.Or(s.Why, s.Summary)
		if s.State == report.Running {
			text = cmp.Or(l.Doing[s.ID], s.Summary)
		}
		c := current{s.Number, l.line(s.ID), s.State, severe(s.State), l.line(text)}
		if asked[s.ID] {
			c.State = "asked"
		}
		n.Current = append(n.Current, c)
	}
	slices.SortStableFunc(n.Current, func(a, b current) int { return urgency(a.State) - urgency(b.State) })
	n.More = max(0, len(n.Current)-mostCurrent)
	n.Current = n.Current[:len(n.Current)-n.More]
	for i := range l.Questions {
		n.Questions = append(n.Questions, l.question(&l.Questions[i], numbers))
	}
	slices.SortFunc(n.Questions, func(a, b *question) int { return a.Number - b.Number })
	n.log(d, l)
	return n
}

// urgency orders what is happening now: what needs attention comes first.
func urgency(s report.State) int {
	return slices.Index([]report.State{"asked", report.Stuck, report.Failed, report.Waiting, report.Interrupted,
		report.Running, report.Again, report.Away}, s)
}

func (l *Live) question(a *executor.Ask, numbers map[string]int) *question {
	m := a.Step.Manual
	q := &question{
		Key: fmt.Sprintf("%d.%d", numbers[a.Step.ID], a.Attempt), Number: numbers[a.Step.ID],
		ID: l.line(a.Step.ID), Attempt: a.Attempt, Summary: l.line(a.Step.Summary),
		Missing: l.line(a.Missing), Where: l.line(m.Where), Script: l.line(a.Script),
		Attest: l.line(m.Attest), Final: a.Step.Irreversible(), Typed: Typed(a), Do: []string{}, Values: []shown{},
	}
	for _, line := range m.Do {
		q.Do = append(q.Do, l.line(line))
	}
	for _, v := range m.Values {
		value := cmp.Or(v.Shown, v.Value)
		if file, ok := a.Files[v.Name]; ok {
			value = file
		}
		q.Values = append(q.Values, shown{l.line(v.Label), l.line(value)})
	}
	if a.Script == "" {
		q.Commands = printable.Text(l.Secrets.String(strings.Join(m.Commands, "\n")))
	} else {
		q.Script = "sh " + q.Script
	}
	return q
}

// log adds the end of the journal, with the notes between its entries.
func (n *Now) log(d *document, l Live) {
	var entries []journal.Entry
	if d.Run != nil {
		entries = d.Run.Entries
	}
	n.Earlier = max(0, len(entries)-mostLog)
	for _, e := range entries[n.Earlier:] {
		n.Log = append(n.Log, logLine{
			ID: fmt.Sprint("e", e.Seq), Time: e.Time.In(l.At.Location()).Format(hour),
			Event: printable.Line(strings.ReplaceAll(e.Event, "_", " ")), Key: l.line(e.Key),
			Text: l.line(entryText(e)), at: e.Time,
		})
	}
	for i, note := range l.Notes {
		n.Log = append(n.Log, logLine{
			ID: fmt.Sprint("n", l.FirstNote+i), Time: note.At.In(l.At.Location()).Format(hour), Event: "note",
			Text: l.line(note.Text), at: note.At,
		})
	}
	slices.SortStableFunc(n.Log, func(a, b logLine) int { return a.at.Compare(b.at) })
}

func entryText(e journal.Entry) string {
	var parts []string
	for _, name := range []string{"reason", "note", "error"} {
		if text := e.Data[name]; text != "" {
			parts = append(parts, text)
		}
	}
	if by := e.Data["by"]; by != "" {
		parts = append(parts, "by "+by)
	}
	return strings.Join(parts, "; ")
}

// Since returns what has changed since an earlier state of the same page.
func (n *Now) Since(before *Now) *Now {
	if before == nil || before.Hash != n.Hash || len(before.Steps) != len(n.Steps) {
		return n
	}
	d := *n
	d.Steps, d.Log = []stepNow{}, []logLine{}
	for i, s := range n.Steps {
		if s != before.Steps[i] {
			d.Steps = append(d.Steps, s)
		}
	}
	had := make(map[string]bool, len(before.Log))
	for _, line := range before.Log {
		had[line.ID] = true
	}
	for _, line := range n.Log {
		if !had[line.ID] {
			d.Log = append(d.Log, line)
		}
	}
	return &d
}
