package view

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Progress shows a run as it goes. Observe is called from several goroutines.
type Progress interface {
	Observe(executor.Event)
	// Note shows a line that is not about a step.
	Note(line string)
	// Urgent is like Note, but shows the line even while the display is paused: the person who is asked must see it.
	Urgent(line string)
	// Hold pauses the display until release is called: a person is being asked.
	Hold() (release func())
	Close()
}

// eventWords holds the words for events. Plain does not show events that are not in it.
var eventWords = map[string]string{
	executor.EventStarted:   "started",
	executor.EventVerifying: "verifying",
	executor.EventAsked:     "a person is asked",
	executor.EventDone:      "done",
	executor.EventAlready:   "done already",
	executor.EventWaiting:   "waiting",
	executor.EventFailed:    "failed",
	executor.EventPutOff:    "put off",
	executor.EventStuck:     "stuck",
}

var eventLooks = map[string]string{
	executor.EventDone: green, executor.EventAlready: green,
	executor.EventPutOff: yellow, executor.EventFailed: red, executor.EventStuck: red,
	executor.EventWaiting: cyan, executor.EventAsked: cyan,
}

// ended reports whether an event is the last event of a step.
func ended(t string) bool {
	switch t {
	case executor.EventDone, executor.EventAlready, executor.EventWaiting, executor.EventFailed, executor.EventPutOff,
		executor.EventStuck:
		return true
	}
	return false
}

// Doing says what a step is doing after an event. It returns "" if the step has ended.
func Doing(ev executor.Event) string {
	switch {
	case ended(ev.Name):
		return ""
	case ev.Progress != nil:
		return Count(*ev.Progress)
	case ev.Name == executor.EventVerifying && ev.Message != "":
		return eventWords[ev.Name] + ": " + oneLine(ev.Message)
	case ev.Name == executor.EventStarted:
		return oneLine(ev.Step.Summary)
	}
	return eventWords[ev.Name]
}

// line returns an event as one line of text.
func line(s Style, number map[string]int, ev executor.Event) string {
	message := ev.Message
	if ev.Name == executor.EventStarted {
		message = ev.Step.Summary
	}
	text := fmt.Sprintf("%3d/%d %s%s: %s", number[ev.Step.ID], len(number),
		s.sign(ev.Step), oneLine(ev.Step.ID), s.paint(eventLooks[ev.Name], eventWords[ev.Name]))
	if message != "" {
		text += ": " + oneLine(message)
	}
	return text + "\n"
}

// Plain writes a line for each event, for pipes and files.
type Plain struct {
	mu     sync.Mutex
	w      io.Writer
	style  Style
	number map[string]int
	said   map[string]string // last verifying message by step ID; the same message is not written again
	holds  int               // number of open Holds; while there is one, lines wait
	wait   strings.Builder
}

// NewPlain returns a Plain for a run of plan p.
func NewPlain(w io.Writer, s Style, p *planner.Plan) *Plain {
	return &Plain{w: w, style: s, number: Numbers(p), said: map[string]string{}}
}

// Observe writes the event's line.
func (p *Plain) Observe(ev executor.Event) {
	if ev.Step == nil || eventWords[ev.Name] == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ev.Name == executor.EventVerifying {
		if said, ok := p.said[ev.Step.ID]; ok && said == ev.Message {
			return
		}
		p.said[ev.Step.ID] = ev.Message
	}
	p.wait.WriteString(line(p.style, p.number, ev))
	p.flush()
}

// Note writes a line.
func (p *Plain) Note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait.WriteString(oneLine(line) + "\n")
	p.flush()
}

// Urgent writes a line at once, also between a question and its answer.
func (p *Plain) Urgent(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := ""
	if p.holds > 0 {
		before = "\n"
	}
	_, _ = io.WriteString(p.w, before+oneLine(line)+"\n") // a reader that is gone must not stop the run
}

func (p *Plain) flush() {
	if p.holds == 0 {
		_, _ = io.WriteString(p.w, p.wait.String()) // a reader that is gone must not stop the run
		p.wait.Reset()
	}
}

// Hold holds other lines back while a question waits for its answer. The run continues.
func (p *Plain) Hold() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.holds--
		p.flush()
	}
}

// Close does nothing: every line is already written.
func (p *Plain) Close() {}

// Live shows the running steps in a block at the bottom of a terminal; steps that ended scroll up above it.
type Live struct {
	mu     sync.Mutex
	w      io.Writer
	style  Style
	number map[string]int
	now    func() time.Time
	rows   []*row
	width  func() int // of the terminal, which may change; 0: unknown

	lengths []int // lengths of the block's lines on the screen
	holds   int   // number of open Holds; while there is one, nothing is drawn
	wait    strings.Builder
	ended   int
	begun   time.Time
	stop    chan struct{}
	done    sync.WaitGroup
}

type row struct {
	step     *planner.Step
	since    time.Time
	message  string
	progress executor.Progress
	counting time.Time // when the first count came; the time left is estimated from it
	from     int64     // the first count
}

// NewLive returns a Live for a run of plan p. done is the number of steps that are already done. It redraws at every
// tick.
func NewLive(
	w io.Writer, s Style, width func() int, p *planner.Plan, done int, now func() time.Time, ticks <-chan time.Time,
) *Live {
	l := &Live{
		w: w, style: s, width: width, number: Numbers(p), ended: done, now: now, begun: now(), stop: make(chan struct{}),
	}
	l.done.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			case <-ticks:
				l.mu.Lock()
				l.redraw("")
				l.mu.Unlock()
			}
		}
	})
	return l
}

// Observe shows an event.
func (l *Live) Observe(ev executor.Event) {
	if ev.Step == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.find(ev.Step.ID)
	above := ""
	switch {
	case ended(ev.Name):
		if at >= 0 {
			l.rows = append(l.rows[:at], l.rows[at+1:]...)
		}
		if ev.Name == executor.EventDone || ev.Name == executor.EventAlready {
			l.ended++
		}
		above = line(l.style, l.number, ev)
	case at < 0:
		l.rows = append(l.rows, &row{step: ev.Step, since: l.now(), message: ev.Message})
	case ev.Progress != nil:
		r := l.rows[at]
		if r.counting.IsZero() || ev.Progress.Unit != r.progress.Unit {
			r.counting, r.from = l.now(), ev.Progress.Done
		}
		r.progress = *ev.Progress
		return // the next tick shows it
	default:
		l.rows[at].message = ev.Message
	}
	l.redraw(above)
}

// Note writes a line above the block.
func (l *Live) Note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.redraw(oneLine(line) + "\n")
}

// Urgent writes a line at once, also between a question and its answer.
func (l *Live) Urgent(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds > 0 {
		_, _ = io.WriteString(l.w, "\n"+oneLine(line)+"\n") // a reader that is gone must not stop the run
		return
	}
	l.redraw(oneLine(line) + "\n")
}

func (l *Live) find(id string) int {
	for i, r := range l.rows {
		if r.step.ID == id {
			return i
		}
	}
	return -1
}

// redraw writes above, then the block in place of the old one. It is one write, so that a terminal never shows half of
// it. It must be called with mu held.
func (l *Live) redraw(above string) {
	l.wait.WriteString(above)
	if l.holds > 0 {
		return
	}
	var b strings.Builder
	l.erase(&b)
	b.WriteString(l.wait.String())
	l.wait.Reset()
	lines := make([]string, 0, len(l.rows)+1)
	for _, r := range l.rows {
		lines = append(lines, cut(l.text(r), l.width()))
	}
	if len(lines) > 0 {
		text := fmt.Sprintf("        %d of %d steps done, %s", l.ended, len(l.number), elapsed(l.now().Sub(l.begun)))
		lines = append(lines, cut(text, l.width()))
	}
	for i, text := range lines {
		l.lengths = append(l.lengths, utf8.RuneCountInString(text))
		if i < len(l.rows) {
			text = l.style.paint(yellow, text)
		} else {
			text = l.style.Dim(text)
		}
		b.WriteString(text + "\n")
	}
	_, _ = io.WriteString(l.w, b.String()) // a terminal that went away must not stop the run
}

// erase removes the block. If the terminal became narrower, a line of the block takes several rows.
func (l *Live) erase(b *strings.Builder) {
	rows, width := 0, l.width()
	for _, n := range l.lengths {
		rows++
		if width > 0 && n > width {
			rows += (n - 1) / width
		}
	}
	if rows > 0 {
		fmt.Fprintf(b, "\x1b[%dA\x1b[J", rows)
		l.lengths = nil
	}
}

func (l *Live) text(r *row) string {
	text := fmt.Sprintf("%3d/%d %s%s %s", l.number[r.step.ID], len(l.number),
		Style{}.sign(r.step), oneLine(r.step.Op), elapsed(l.now().Sub(r.since)))
	if p := r.progress; p.Unit != "" {
		text += ", " + Count(p)
		passed := l.now().Sub(r.counting)
		if p.Total > p.Done && p.Done > r.from && passed > 2*time.Second {
			left := time.Duration(float64(passed) / float64(p.Done-r.from) * float64(p.Total-p.Done))
			text += ", " + elapsed(left) + " left"
		}
	}
	if r.message != "" {
		text += ": " + oneLine(r.message)
	}
	return text
}

// Hold clears the block until the returned function is called. Lines that come meanwhile wait.
func (l *Live) Hold() func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	l.erase(&b)
	_, _ = io.WriteString(l.w, b.String())
	l.holds++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.holds--
		l.redraw("")
	}
}

// Close clears the block for good.
func (l *Live) Close() {
	close(l.stop)
	l.done.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = nil
	l.redraw("")
}

// Count says in words how far a step is. Bytes are given in binary units such as MiB.
func Count(p executor.Progress) string {
	amount := func(n int64) string {
		if p.Unit == "bytes" {
			return Bytes(n)
		}
		return fmt.Sprintf("%d", n)
	}
	unit := " " + oneLine(p.Unit)
	if p.Unit == "bytes" {
		unit = ""
	}
	if p.Total > 0 {
		return amount(p.Done) + " of " + amount(p.Total) + unit
	}
	return amount(p.Done) + unit
}

// Bytes returns a size in binary units.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f /= 1024; f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

func elapsed(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// cut shortens a line to the width of the terminal: a line that wraps could not be redrawn.
func cut(text string, width int) string {
	runes := []rune(text)
	if width <= 1 || len(runes) < width {
		return text
	}
	return string(runes[:width-2]) + "…"
}
