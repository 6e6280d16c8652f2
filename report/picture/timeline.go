package picture

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// Sizes of the timeline, in pixels.
const (
	laneTitle  = 190
	timeWidth  = 900
	barHeight  = 20
	slotWidth  = 30
	labelWidth = 20  // a bar at least this wide contains its number
	mostTitles = 600 // with more steps, bars have no titles: the page would be slow
	manyPerRow = 12  // maximum rows of one lane; further bars overlap
)

// bar is a step in a lane.
type bar struct {
	step *report.Step
	x, w float64
	row  int
}

// Timed reports whether the timeline shows when steps were carried out, rather than only their order.
func Timed(r *report.Report) bool {
	for _, s := range r.Steps {
		if s.Timed {
			return true
		}
	}
	return false
}

// Timeline draws the steps of each server: in the order in which they can be carried out, or once a run has begun, by
// when they were carried out and for how long.
func Timeline(r *report.Report) string {
	timed := Timed(r)
	place := func(s *report.Step) (x, w float64, ok bool) {
		slot := min(slotWidth, max(2, 6000/float64(max(1, r.Slots))))
		return float64(s.Slot) * slot, max(1.5, slot-3), true
	}
	width := float64(r.Slots) * min(slotWidth, max(2, 6000/float64(max(1, r.Slots))))
	if timed {
		total := r.To.Sub(r.From)
		scale := timeWidth / max(total.Seconds(), 0.001)
		place = func(s *report.Step) (x, w float64, ok bool) {
			return s.Began.Seconds() * scale, max(labelWidth, s.Took.Seconds()*scale), s.Timed
		}
		width = timeWidth + labelWidth
	}
	var b strings.Builder
	y := 24.0
	var body strings.Builder
	for _, lane := range r.Lanes {
		y = drawLane(&body, r, lane, y, width, place)
	}
	fmt.Fprintf(&b, `<svg class="timeline" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s" `+
		`width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", "Picture of the steps of each server in their order. "+
		"The list of steps says the same.", laneTitle+width+8, y, laneTitle+width+8, y)
	head := "order →"
	if timed {
		head = "0 s"
		fmt.Fprintf(&b, `<text class="small" text-anchor="end" x="%.0f" y="14">%s</text>`+"\n", laneTitle+width,
			Span(r.To.Sub(r.From)))
	}
	fmt.Fprintf(&b, `<text class="small" x="%d" y="14">%s</text>`+"\n", laneTitle, head)
	b.WriteString(body.String())
	b.WriteString("</svg>\n")
	return b.String()
}

func drawLane(
	b *strings.Builder, r *report.Report, lane *report.Lane, y, width float64,
	place func(*report.Step) (x, w float64, ok bool),
) float64 {
	var bars []bar
	var ends []float64 // the end of each row
	for _, s := range lane.Steps {
		x, w, ok := place(s)
		if !ok {
			continue
		}
		row := 0
		for row < len(ends) && ends[row] > x {
			row++
		}
		if row = min(row, manyPerRow-1); row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row] = max(ends[row], x+w+1)
		bars = append(bars, bar{s, x, w, row})
	}
	name, site := lane.Addr, lane.Site
	if n := r.Topology.Node(lane.Addr); n != nil {
		name = n.Name
		if n.Kind != schema.Server {
			name = string(n.Kind) + " " + name
		}
		if n.Module != "" {
			name = n.Module + "." + name
		}
	}
	if lane.Addr == "" {
		name = "no server"
	}
	height := float64(max(1, len(ends))*(barHeight+4) + 10)
	if site != "" {
		height = max(height, 40)
	}
	fmt.Fprintf(b, `<rect class="row" x="0" y="%.0f" width="%.0f" height="%.0f" rx="4"/>`, y, laneTitle+width+8, height-4)
	fmt.Fprintf(b, `<text class="lane" x="8" y="%.0f"><title>%s</title>%s</text>`, y+18, printable.HTML(lane.Addr),
		printable.HTML(fit(name, 25)))
	if site != "" {
		fmt.Fprintf(b, `<text class="small" x="8" y="%.0f">%s</text>`, y+32, printable.HTML(fit("site "+site, 27)))
	}
	b.WriteString("\n")
	for _, bar := range bars {
		bar.draw(b, len(r.Steps) <= mostTitles, y)
	}
	return y + height
}

func (x *bar) draw(b *strings.Builder, title bool, y float64) {
	s := x.step
	top := y + 3 + float64(x.row*(barHeight+4))
	fmt.Fprintf(b, `<g class="bar %s">`, barClass(s))
	if title {
		text := s.ID + ": " + s.Summary
		if s.Measured {
			text += " (" + Span(s.Took) + ")"
		}
		fmt.Fprintf(b, `<title>%s</title>`, printable.HTML(short(text, 200)))
	}
	radius := 2
	if s.Manual != nil {
		radius = barHeight / 2
	}
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="%d"/>`, laneTitle+x.x, top, x.w, barHeight,
		radius)
	if number := strconv.Itoa(s.Number); x.w >= float64(labelWidth) && float64(len(number)*7) <= x.w {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text>`, laneTitle+x.x+x.w/2, top+14, number)
	}
	b.WriteString("</g>\n")
}

// barClass returns the style of a step.
func barClass(s *report.Step) string {
	switch s.State {
	case report.Done:
		return "done"
	case report.Failed, report.Stuck:
		return "failed"
	case report.Waiting, report.Interrupted, report.Running, report.Again, report.Away:
		return "waiting"
	case report.Open:
		return "open"
	}
	if s.Irreversible() {
		return "final"
	}
	switch s.Mark {
	case planner.MarkAdd:
		return "add"
	case planner.MarkChange:
		return "change"
	case planner.MarkDelete:
		return "delete"
	case planner.MarkPerson:
		return "person"
	}
	return "check"
}

// Span returns a duration for people.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
