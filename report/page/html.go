package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its sheet
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
	"github.com/syncctl/syncctl/schema"
)

//go:embed page.html
var pageText string

//go:embed diff.html
var diffText string

//go:embed page.css
var sheet string

var style = picture.Colors + picture.Style + sheet

// PolicyMark is in the first lines of each page, and identifies it as one of ours.
const PolicyMark = `http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-`

// contentPolicy lets the page load, run and send nothing. Its own style sheet is allowed by its hash.
var contentPolicy = "default-src 'none'; style-src " + StyleSource + "; base-uri 'none'; form-action 'none'"

// StyleSource identifies the page's own style sheet in a Content-Security-Policy.
var StyleSource = func() string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// pageTemplate is parsed at its first use: most commands write no page.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"severity":    report.SeverityWord,
		"action":      report.ActionWord,
		"kind":        report.Kind,
		"effect":      report.Effect,
		"interrupted": report.IfInterrupted,
		"span":        picture.Span,
		"steps":       func(list []*report.Step) string { return report.StepList(report.Numbers(list)) },
		"tone":        toneOf,
		"state":       stateTone,
		"severe":      severe,
		"beside":      beside,
		"lines":       report.Lines,
		"fact":        shownFact,
		"counts":      report.DiffCounts,
		"sorttone":    toneOfSort,
		"openly":      openly,
		"flow": func(f schema.Flow) string {
			return map[schema.Flow]string{schema.FlowFrom: "from", schema.FlowTo: "to", schema.FlowBoth: "with"}[f]
		},
	}).Parse(pageText + diffText))
})

// mostOpen is how many differences are shown unfolded.
const mostOpen = 12

// openly reports whether the differences of a declaration are shown unfolded. If it is to be created, everything
// differs.
func openly(d *report.Declaration) bool { return d.Action != planner.Create && len(d.Diff) <= mostOpen }

// toneOf returns the style of a step: by its state in a run, otherwise by what it does.
func toneOf(s *report.Step) string {
	if s.State != "" {
		return stateTone(s.State)
	}
	if s.Irreversible() {
		return "final"
	}
	return map[planner.Mark]string{
		planner.MarkAdd: "add", planner.MarkChange: "change", planner.MarkDelete: "delete", planner.MarkPerson: "person",
		planner.MarkFinal: "final",
	}[s.Mark]
}

// severe returns the severity with which an unfinished step is listed among the findings.
func severe(s report.State) string {
	if stateTone(s) == "failed" {
		return "refuse"
	}
	return "warn"
}

func stateTone(s report.State) string {
	switch s {
	case report.Done:
		return "done"
	case report.Failed, report.Stuck:
		return "failed"
	case report.Waiting, report.Interrupted, report.Running, report.Again, report.Away:
		return "waiting"
	}
	return "open"
}

// tile is a number with a label.
type tile struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Tone  string `json:"tone"`
}

// document is the data of the template.
type document struct {
	*report.Report

	Policy        string
	Style         template.CSS
	Title, Tone   string
	Nothing       string
	Sum, Legend   []tile
	Finals        []*report.Step
	MoreFinals    int
	Open          []*report.Step // begun and not done
	General       []planner.Finding
	Attention     bool
	HasTopology   bool
	Topology      template.HTML
	NotDrawn      int
	Nodes         []*report.Node
	Timeline      template.HTML
	TimelineTitle string
	CountsLine    string
	StepCounts    string
	Program       string
	Live          *liveDocument // nil unless the page is live
}

// mostFinals is how many irreversible steps are named at the top.
const mostFinals = 5

// HTML writes a report as a self-contained page, without network or script.
func HTML(w io.Writer, r *report.Report) error { return newDocument(r).write(w) }

// newDocument prepares a report for the template.
func newDocument(r *report.Report) *document {
	d := &document{
		Report: r, Policy: contentPolicy, Style: template.CSS(style), Title: "Plan", //nolint:gosec // our own sheet
		Finals: r.Where((*report.Step).Irreversible), General: r.Findings, Program: r.Plan.Syncctl,
		CountsLine: report.Counts(r.Tally), StepCounts: report.StepCounts(r.Tally), TimelineTitle: "Order of the steps",
		Nodes: slices.Concat(r.Topology.Servers(), r.Topology.Syncs),
	}
	d.MoreFinals = max(0, len(d.Finals)-mostFinals)
	d.Finals = d.Finals[:len(d.Finals)-d.MoreFinals]
	if r.Run != nil {
		d.Title = "Run " + r.Run.ID
	}
	if picture.Timed(r) {
		d.TimelineTitle = "Timeline"
	}
	if len(r.Steps) == 0 && len(r.Refusals) == 0 {
		d.Nothing = report.Nothing(r.Plan, "below")
	}
	d.Open = r.Where(begun)
	d.Attention = len(r.Refusals)+len(d.Open)+len(d.General) > 0
	d.HasTopology = len(d.Nodes) > 0
	d.tiles()
	return d
}

// begun reports whether a step of a run has begun and is not done.
func begun(s *report.Step) bool {
	return s.State != "" && s.State != report.Done && s.State != report.Open
}

func (d *document) write(w io.Writer) error {
	drawn, left := picture.Topology(d.Report)
	d.Topology, d.NotDrawn = template.HTML(drawn), left    //nolint:gosec // every text in it is escaped
	d.Timeline = template.HTML(picture.Timeline(d.Report)) //nolint:gosec // every text in it is escaped
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, d); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	_, err := io.WriteString(w, printable.Text(b.String()))
	return err
}

// tiles adds the summary at the top of the page.
func (d *document) tiles() {
	r, t := d.Report, d.Tally
	add := func(name string, n int, tone string) {
		if n == 0 {
			tone = ""
		}
		d.Sum = append(d.Sum, tile{name, fmt.Sprint(n), tone})
	}
	add("Steps", t.Steps, "")
	add("For a person", t.Person, "warn")
	add("Cannot be undone", t.Irreversible, "bad")
	if n := r.Topology.CountServers(); n > 0 {
		add("Servers", n, "")
	}
	if n := len(r.Topology.SiteNames()); n > 0 {
		add("Sites", n, "")
	}
	if len(r.Plan.Turns) > 0 {
		add("Exchanges", r.Plan.Exchanges(), "")
	}
	if n := r.Warnings(); n > 0 {
		add("Warnings", n, "warn")
	}
	d.Tone = "good"
	if r.Run != nil && r.Counts[report.Done] < len(r.Steps) {
		d.Tone = "warn"
	}
	if len(r.Refusals) > 0 {
		d.Tone = "bad"
		add("Refusals", len(r.Refusals), "bad")
	}
	if r.Run == nil {
		d.Legend = []tile{{"adds", "", "add"}, {"changes", "", "change"}, {"removes", "", "delete"},
			{"verifies", "", "check"}, {"for a person", "", "person"}, {"cannot be undone", "", "final"}}
		return
	}
	d.Legend = []tile{{"done", "", "done"}, {"begun, or with another site", "", "waiting"},
		{"failed, stuck", "", "failed"}, {"not begun", "", "open"}}
	for _, s := range []report.State{report.Done, report.Running, report.Waiting, report.Interrupted, report.Failed,
		report.Stuck, report.Again, report.Away, report.Open} {
		if n := r.Counts[s]; n > 0 {
			tone := map[string]string{"done": "good", "waiting": "warn", "failed": "bad"}[stateTone(s)]
			add(string(s), n, tone)
			if tone == "bad" {
				d.Tone = tone
			}
		}
	}
	if d.Timed() {
		d.Sum = append(d.Sum, spell(r))
	}
}

// spell returns how long a finished run took, when a live one began, or since when another one is waiting or stopped.
func spell(r *report.Report) tile {
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
	broken := r.Counts[report.Failed] + r.Counts[report.Stuck] + r.Counts[report.Interrupted]
	switch {
	case r.Counts[report.Done] == len(r.Steps):
		return tile{"Took", picture.Span(r.To.Sub(r.From)), ""}
	case r.Run.Live:
		return tile{"Began", at(r.From), "when"}
	case broken == 0 && !r.Run.Abandoned() && r.Counts[report.Waiting]+r.Counts[report.Away] > 0:
		return tile{"Waiting since", at(r.To), "when"}
	}
	return tile{"Stopped", at(r.To), "when"}
}

// Timed reports whether it is known how long steps took.
func (d *document) Timed() bool { return picture.Timed(d.Report) }
