package picture_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
	"github.com/syncctl/syncctl/report/reporttest"
	"github.com/syncctl/syncctl/schema"
	"pgregory.net/rapid"
)

type point struct{ x, y float64 }

var (
	edgePath   = regexp.MustCompile(`<path class="edge" d="([^"]*)"`)
	pathPart   = regexp.MustCompile(`([MLC])([-0-9. ]+)`)
	siteFrames = regexp.MustCompile(`<rect class="site" x="([-\d.]+)" y="([-\d.]+)" width="([-\d.]+)" height="([-\d.]+)"`)
)

// drawn are the lines of a picture, curves as many short pieces.
func drawn(svg string) [][]point {
	var out [][]point
	for _, m := range edgePath.FindAllStringSubmatch(svg, -1) {
		var line []point
		for _, part := range pathPart.FindAllStringSubmatch(m[1], -1) {
			numbers := numbersIn(part[2])
			at := func(i int) point { return point{numbers[2*i], numbers[2*i+1]} }
			if part[1] != "C" {
				line = append(line, at(0))
				continue
			}
			const pieces = 24
			from := line[len(line)-1]
			for k := 1; k <= pieces; k++ {
				line = append(line, curve(from, at(0), at(1), at(2), float64(k)/pieces))
			}
		}
		out = append(out, line)
	}
	return out
}

func numbersIn(text string) []float64 {
	var out []float64
	for _, word := range strings.Fields(text) {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil {
			panic(err)
		}
		out = append(out, n)
	}
	return out
}

func curve(a, b, c, d point, t float64) point {
	s := 1 - t
	f := func(a, b, c, d float64) float64 { return s*s*s*a + 3*s*s*t*b + 3*s*t*t*c + t*t*t*d }
	return point{f(a.x, b.x, c.x, d.x), f(a.y, b.y, c.y, d.y)}
}

// crosses tells whether a piece of a line goes through the inside of a box.
func crosses(a, b point, box place) bool {
	from, to := 0.0, 1.0
	for _, d := range []struct{ at, by, low, high float64 }{
		{a.x, b.x - a.x, box.x + 0.5, box.x + box.w - 0.5}, {a.y, b.y - a.y, box.y + 0.5, box.y + box.h - 0.5},
	} {
		if d.by == 0 {
			if d.at <= d.low || d.at >= d.high {
				return false
			}
			continue
		}
		x, y := (d.low-d.at)/d.by, (d.high-d.at)/d.by
		from, to = max(from, min(x, y)), min(to, max(x, y))
	}
	return from < to
}

// onEdge tells whether a line ends at a box.
func onEdge(p point, box place) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.6 }
	within := func(v, low, size float64) bool { return v > low-0.6 && v < low+size+0.6 }
	return (near(p.x, box.x) || near(p.x, box.x+box.w)) && within(p.y, box.y, box.h) ||
		(near(p.y, box.y) || near(p.y, box.y+box.h)) && within(p.x, box.x, box.w)
}

type fataler interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// legible checks that each line of a picture begins and ends at a box, and goes through none on its way, nor through
// the frame of a site where it does not begin or end.
func legible(t fataler, r *report.Report, boxes func(svg string) []place) {
	t.Helper()
	svg, _ := picture.Topology(r)
	list := boxes(svg)
	var frames []place
	for _, m := range siteFrames.FindAllStringSubmatch(svg, -1) {
		n := numbersIn(strings.Join(m[1:], " "))
		frames = append(frames, place{n[0], n[1], n[2], n[3]})
	}
	for _, line := range drawn(svg) {
		ends := 0
		for _, box := range list {
			for _, end := range []point{line[0], line[len(line)-1]} {
				if onEdge(end, box) {
					ends++
				}
			}
			for i := range line[1:] {
				if crosses(line[i], line[i+1], box) {
					t.Errorf("a line from %v to %v goes through the box %+v", line[0], line[len(line)-1], box)
				}
			}
		}
		if ends != 2 {
			t.Errorf("a line from %v to %v ends at %d boxes", line[0], line[len(line)-1], ends)
		}
		for _, f := range frames {
			own := false
			for _, end := range []point{line[0], line[len(line)-1]} {
				own = own || end.x >= f.x && end.x <= f.x+f.w && end.y >= f.y && end.y <= f.y+f.h
			}
			for i := range line[1:] {
				if !own && crosses(line[i], line[i+1], f) {
					t.Errorf("a line from %v to %v goes through the site %+v", line[0], line[len(line)-1], f)
				}
			}
		}
	}
	if again, _ := picture.Topology(r); again != svg {
		t.Errorf("the picture is another one each time")
	}
}

// TestLines: whatever is linked, each line can be followed.
func TestLines(t *testing.T) {
	boxes := func(svg string) []place { return rects(t, svg, "node") }
	for name, r := range reports(t) {
		if len(drawn(first(picture.Topology(r)))) == 0 && name != "empty" && name != "many" {
			t.Errorf("%s: no line", name)
		}
		legible(t, r, boxes)
	}
	rapid.Check(t, func(rt *rapid.T) {
		r, err := report.New(randomLinks(rt), nil)
		if err != nil {
			rt.Fatal(err)
		}
		legible(rt, r, boxes)
	})
}

func first(svg string, _ int) string { return svg }

// randomLinks is a plan with some servers in some sites, and what links any two or three of them.
func randomLinks(rt *rapid.T) *planner.Plan {
	p := &planner.Plan{Format: planner.Format}
	sites := []string{"", "acme", "globex", "initech", "umbrella"}[:rapid.IntRange(1, 5).Draw(rt, "sites")]
	servers := rapid.IntRange(1, 14).Draw(rt, "servers")
	address := func(i int) string { return fmt.Sprintf("server.depot.s%d", i) }
	for i := range servers {
		d := planner.Declared{Addr: address(i), Site: rapid.SampledFrom(sites).Draw(rt, "site")}
		for j := range rapid.IntRange(0, 6).Draw(rt, "lines") {
			d.Seen = append(d.Seen, planner.Shown{Name: "line", Value: strconv.Itoa(j)})
		}
		p.Declared = append(p.Declared, d)
	}
	for i := range rapid.IntRange(0, 16).Draw(rt, "syncs") {
		d := planner.Declared{Addr: fmt.Sprintf("sync.depot.x%d", i)}
		for j := range rapid.IntRange(0, 3).Draw(rt, "ends") {
			to := address(rapid.IntRange(0, servers-1).Draw(rt, "end"))
			flow := rapid.SampledFrom([]schema.Flow{schema.FlowFrom, schema.FlowTo, schema.FlowBoth, ""}).Draw(rt, "flow")
			d.Links = append(d.Links, planner.Link{Path: strconv.Itoa(j), To: to, Flow: flow})
		}
		p.Declared = append(p.Declared, d)
	}
	return p
}

// TestLinesOfFleet: the picture stays small.
func TestLinesOfFleet(t *testing.T) {
	for servers, most := range map[int]int{12: 30_000, 60: 160_000} {
		svg, _ := picture.Topology(made(t, reporttest.Fleet(servers, 5*servers), nil))
		if len(svg) > most {
			t.Errorf("%d servers: %d bytes", servers, len(svg))
		}
	}
}
