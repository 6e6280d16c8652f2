package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
	"github.com/syncctl/syncctl/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

func made(t *testing.T, p *planner.Plan, run *report.Run) *report.Report {
	t.Helper()
	r, err := report.New(p, run)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func reports(t *testing.T) map[string]*report.Report {
	t.Helper()
	fleet := reporttest.Fleet(12, 60)
	return map[string]*report.Report{
		"small":  made(t, reporttest.Small(), nil),
		"fleet":  made(t, fleet, nil),
		"failed": made(t, fleet, reporttest.Run(fleet, 37, "failed", "busy")),
		"malign": made(t, reporttest.Malign(), nil),
		"many":   made(t, reporttest.Fleet(300, 300), nil),
		"empty":  made(t, &planner.Plan{}, nil),
	}
}

// TestGolden: the forms of a small plan, and the pictures of docs/review.md.
func TestGolden(t *testing.T) {
	small := made(t, reporttest.Small(), nil)
	mermaid, _ := picture.Mermaid(small)
	dot, _ := picture.DOT(small)
	fleet := made(t, reporttest.Fleet(6, 21), nil)
	servers, _ := picture.Topology(fleet)
	for path, got := range map[string]string{
		filepath.Join("testdata", "small.mmd"):                  mermaid,
		filepath.Join("testdata", "small.dot"):                  dot,
		filepath.Join("..", "..", "docs", "review-servers.svg"): picture.Alone(servers),
		filepath.Join("..", "..", "docs", "review-steps.svg"):   picture.Alone(picture.Timeline(fleet)),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

var (
	mermaidLine = regexp.MustCompile(`^(flowchart LR| +(n\d+(\[|\(\[)"[^"]*"(\]|\]\))|subgraph site\d+\["[^"]*"\]|end|` +
		`n\d+ (-->|<-->|---) n\d+|classDef \w+ stroke:#\w+,stroke-width:\dpx|class [n\d,]+ \w+))$`)
	dotLine = regexp.MustCompile(`^(digraph syncctl \{|\}| +(rankdir=LR;|node \[.*\];|subgraph cluster_\d+ \{|\}|` +
		`label="([^"\\]|\\.)*";|n\d+ \[label="([^"\\]|\\.)*"[^"]*("[^"]*"[^"]*)?\];|n\d+ -> n\d+ \[dir=\w+\];))$`)
)

// TestTextForms: whatever declarations are called, each line is one that the picture has.
func TestTextForms(t *testing.T) {
	for name, r := range reports(t) {
		mermaid, left := picture.Mermaid(r)
		dot, leftToo := picture.DOT(r)
		for _, c := range []struct {
			text string
			line *regexp.Regexp
		}{{mermaid, mermaidLine}, {dot, dotLine}} {
			for _, line := range strings.Split(strings.TrimSuffix(c.text, "\n"), "\n") {
				if !c.line.MatchString(line) || !printable.Safe(line) {
					t.Errorf("%s: %q", name, line)
				}
			}
		}
		if many := name == "many"; left != leftToo || many != (left > 0) || len(mermaid) > 50000 {
			t.Errorf("%s: %d and %d are left out of %d bytes", name, left, leftToo, len(mermaid))
		}
	}
}

// TestSVG: the pictures are well-formed, and nothing in them is made of names: elements and attributes are known ones.
func TestSVG(t *testing.T) {
	known := map[string]bool{"svg": true, "defs": true, "marker": true, "path": true, "rect": true, "text": true,
		"g": true, "title": true, "style": true}
	for name, r := range reports(t) {
		topology, left := picture.Topology(r)
		if (left > 0) != (name == "many") {
			t.Errorf("%s: %d are left out", name, left)
		}
		for _, svg := range []string{topology, picture.Alone(topology), picture.Timeline(r)} {
			dec := xml.NewDecoder(strings.NewReader(svg))
			for {
				token, err := dec.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				e, begins := token.(xml.StartElement)
				if !begins {
					continue
				}
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || a.Name.Local == "style" {
						t.Errorf("%s: <%s %s>", name, e.Name.Local, a.Name.Local)
					}
				}
				if !known[e.Name.Local] {
					t.Errorf("%s: <%s>", name, e.Name.Local)
				}
			}
		}
	}
}

// place is a rectangle of a picture.
type place struct{ x, y, w, h float64 }

func rects(t *testing.T, svg, class string) []place {
	t.Helper()
	var out []place
	dec := xml.NewDecoder(bytes.NewReader([]byte(svg)))
	inside := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if end, ends := token.(xml.EndElement); ends && end.Name.Local == "g" {
			inside = 0
		}
		e, begins := token.(xml.StartElement)
		if !begins {
			continue
		}
		if e.Name.Local == "g" {
			for _, a := range e.Attr {
				if a.Name.Local == "class" && strings.HasPrefix(a.Value, class+" ") {
					inside = 1
				}
			}
		}
		if e.Name.Local != "rect" || inside == 0 {
			continue
		}
		var p place
		for _, a := range e.Attr {
			if into := map[string]*float64{"x": &p.x, "y": &p.y, "width": &p.w, "height": &p.h}[a.Name.Local]; into != nil {
				if err := xml.Unmarshal([]byte("<a>"+a.Value+"</a>"), into); err != nil {
					t.Fatal(err)
				}
			}
		}
		out = append(out, p)
	}
}

// TestNothingOverlaps: no box covers another, and all are within the picture.
func TestNothingOverlaps(t *testing.T) {
	size := regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	for name, r := range reports(t) {
		topology, _ := picture.Topology(r)
		for class, svg := range map[string]string{"node": topology, "bar": picture.Timeline(r)} {
			if class == "bar" && (name == "many" || name == "malign") {
				continue // more in a row than there is room for
			}
			list := rects(t, svg, class)
			m := size.FindStringSubmatch(svg)
			var w, h float64
			if err := errors.Join(xml.Unmarshal([]byte("<a>"+m[1]+"</a>"), &w),
				xml.Unmarshal([]byte("<a>"+m[2]+"</a>"), &h)); err != nil {
				t.Fatal(err)
			}
			for i, a := range list {
				if a.x < 0 || a.y < 0 || a.x+a.w > w || a.y+a.h > h {
					t.Errorf("%s, %s: %+v is not within %v x %v", name, class, a, w, h)
				}
				for _, b := range list[:i] {
					if a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
						t.Errorf("%s, %s: %+v and %+v overlap", name, class, a, b)
					}
				}
			}
			if len(list) == 0 && name != "empty" {
				t.Errorf("%s: no %s", name, class)
			}
		}
	}
}
