package osmc

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/rest"
)

// past is a resource's history on a stand-in server, with one of the possible meanings of page and items.
type past struct {
	numbers  []int // newest first
	meaning  func(p *past, page, items int) []int
	most     int          // revisions in a page, whatever was requested; 0: as requested
	broken   map[int]bool // not readable as part of a page
	unlisted int          // described in pages, but missing in the list
	nameless bool         // revisions lack the names of their branches
	bare     bool         // pages have only numbers
}

func newPast(numbers ...int) *past {
	slices.Sort(numbers)
	slices.Reverse(numbers)
	return &past{numbers: numbers, meaning: byNumber}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

func window(list []int, from, n int) []int {
	from = min(max(from, 0), len(list))
	return list[from:min(from+n, len(list))]
}

// The meanings. The numbers are newest first; upwards has the opposite order.
var (
	byNumber    = func(p *past, page, items int) []int { return window(p.numbers, (page-1)*items, items) }
	byNumber0   = func(p *past, page, items int) []int { return window(p.numbers, page*items, items) }
	byPosition  = func(p *past, page, items int) []int { return window(p.numbers, page-1, items) }
	byPosition0 = func(p *past, page, items int) []int { return window(p.numbers, page, items) }
	downFrom    = func(p *past, page, items int) []int {
		return window(slices.DeleteFunc(slices.Clone(p.numbers), func(n int) bool { return n > page }), 0, items)
	}
	upFrom = func(p *past, page, items int) []int {
		up := slices.Clone(p.numbers)
		slices.Reverse(up)
		return window(slices.DeleteFunc(up, func(n int) bool { return n < page }), 0, items)
	}
	upwards = func(p *past, page, items int) []int {
		up := slices.Clone(p.numbers)
		slices.Reverse(up)
		return window(up, (page-1)*items, items)
	}
	ignored = func(p *past, _, _ int) []int { return p.numbers }
	stuck   = func(p *past, _, items int) []int { return window(p.numbers, 0, items) }
	refused = func(*past, int, int) []int { return nil }
)

func (p *past) revision(number int) string {
	branch, name := trunk, "trunk"
	if number%7 == 3 {
		branch, name = side, "side"
	}
	if p.nameless {
		name = ""
	}
	return fmt.Sprintf(`{"ID":%d,"branchID":%q,"branchName":%q,"author":"author %d","createdDate":%d,`+
		`"description":"change %d","directParent":%d,"commitType":"NORMAL"}`,
		number, branch, name, number%5, 1600000000+60*number, number, number-1)
}

func (p *past) answer(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var parts []string
	single, isSingle := strings.CutPrefix(r.URL.Path, "/osmc/resources/p1/revisions/")
	switch {
	case r.URL.Path == "/osmc/login":
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: "0123456789"})
		w.WriteHeader(http.StatusNoContent)
		return
	case r.URL.Path == "/osmc/resources/p1/branches":
		_, _ = fmt.Fprintf(w, `{"ldp:contains":[[{"@id":%q},{"dcterms:title":"trunk","latestRevision":1}],[{"@id":%q},`+
			`{"dcterms:title":"side","latestRevision":1}]]}`, trunk, side)
		return
	case isSingle:
		number, _ := strconv.Atoi(single)
		if !slices.Contains(p.numbers, number) || p.broken[-number] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, "["+p.revision(number)+"]")
		return
	case r.URL.Path != "/osmc/resources/p1/revisions":
		w.WriteHeader(http.StatusNotFound)
		return
	case q.Get("includeBody") == "":
		for _, number := range p.numbers {
			parts = append(parts, strconv.Itoa(number))
		}
	default:
		page, _ := strconv.Atoi(q.Get("page"))
		items, _ := strconv.Atoi(q.Get("items"))
		if p.most > 0 {
			items = min(items, p.most)
		}
		came := p.meaning(p, page, items)
		if came == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, number := range came {
			switch {
			case p.bare:
				parts = append(parts, strconv.Itoa(number))
			case p.broken[number]:
				parts = append(parts, fmt.Sprintf(`{"ID":%d,"author":"?"}`, number))
			default:
				parts = append(parts, p.revision(number))
			}
		}
		if p.unlisted != 0 {
			parts = append(parts, p.revision(p.unlisted))
		}
	}
	_, _ = io.WriteString(w, "["+strings.Join(parts, ",")+"]")
}

// check compares what was read with the actual history.
func (p *past) check(t *testing.T, got []Revision) {
	t.Helper()
	want := slices.Clone(p.numbers)
	slices.Reverse(want)
	if len(got) != len(want) {
		t.Fatalf("read %d revisions of %d", len(got), len(want))
	}
	for i, r := range got {
		number := want[i]
		name, branch := "trunk", trunk
		if number%7 == 3 {
			name, branch = "side", side
		}
		want := Revision{
			Number: number, Branch: branch, BranchName: name, Author: fmt.Sprintf("author %d", number%5), Type: "NORMAL",
			Created: time.Unix(int64(1600000000+60*number), 0).UTC(), Description: fmt.Sprintf("change %d", number),
			Parent:           number - 1,
			DescriptionKnown: true, ParentKnown: true,
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Fatalf("revision %d:\n%s", number, diff)
		}
	}
}

func TestLongHistories(t *testing.T) {
	var gaps []int // 3800 of 5000
	for _, n := range upTo(5000) {
		if n%50 > 11 {
			gaps = append(gaps, n)
		}
	}
	for _, c := range []struct {
		name    string
		past    *past
		meaning func(*past, int, int) []int
		most    int
		want    int // requests about revisions: the list, pages, single ones
	}{
		{"pages counted", newPast(upTo(5000)...), byNumber, 0, 1 + 25},
		{"pages counted from 0", newPast(upTo(5000)...), byNumber0, 0, 1 + 25 + 4},
		{"pages counted, oldest first", newPast(upTo(5000)...), upwards, 0, 1 + 25},
		{"positions", newPast(upTo(5000)...), byPosition, 0, 1 + 26},
		{"positions from 0", newPast(upTo(5000)...), byPosition0, 0, 1 + 25 + 3},
		{"revisions downwards", newPast(upTo(5000)...), downFrom, 0, 1 + 29},
		{"revisions upwards", newPast(upTo(5000)...), upFrom, 0, 1 + 26},
		{"pages counted, gaps", newPast(gaps...), byNumber, 0, 1 + 19},
		{"positions, gaps", newPast(gaps...), byPosition, 0, 1 + 20},
		{"revisions downwards, gaps", newPast(gaps...), downFrom, 0, 1 + 24},
		{"revisions upwards, gaps", newPast(gaps...), upFrom, 0, 1 + 26},
		{"all at once", newPast(upTo(5000)...), ignored, 0, 1 + 1},
		{"smaller pages", newPast(upTo(5000)...), byNumber, 100, 1 + 50},
		{"smaller pages, positions", newPast(upTo(5000)...), byPosition, 100, 1 + 51},
		{"short", newPast(upTo(180)...), byPosition, 0, 1 + 1},
		{"a page and one", newPast(upTo(201)...), byPosition, 0, 1 + 2},
		{"one", newPast(7), byNumber, 0, 1 + 1},
		{"none", newPast(), byNumber, 0, 1},
		{"pages do not work", newPast(upTo(300)...), stuck, 0, 1 + 5 + 100},
		{"pages are refused", newPast(upTo(300)...), refused, 0, 1 + 4 + 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.past.meaning, c.past.most = c.meaning, c.most
			s := serve(t, c.past.answer)
			got, _, err := s.client(nil).Reader().History(t.Context(), "p1")
			if err != nil {
				t.Fatal(err)
			}
			c.past.check(t, got)
			if n := s.count("GET /osmc/resources/p1/revisions"); n != c.want {
				t.Errorf("%d requests, want %d", n, c.want)
			}
		})
	}
}

func TestHistoriesThatAreNotWhole(t *testing.T) {
	read := func(p *past) ([]Revision, *server, error) {
		s := serve(t, p.answer)
		got, _, err := s.client(nil).Reader().History(t.Context(), "p1")
		return got, s, err
	}
	p := newPast(upTo(500)...)
	p.broken = map[int]bool{123: true, 77: true} // they can be read one by one
	got, s, err := read(p)
	if err != nil || s.count("GET /osmc/resources/p1/revisions/") != 2 {
		t.Errorf("%v, %v", err, s.requests)
	}
	p.check(t, got)

	p.broken[-123] = true // this one cannot
	if _, _, err = read(p); err == nil || IsGone(err) || !strings.Contains(err.Error(),
		"revision 123 is listed, but the server does not describe it") {
		t.Errorf("got %v", err)
	}

	p = newPast(slices.DeleteFunc(upTo(500), func(n int) bool { return n == 60 })...)
	p.unlisted = 60
	if _, _, err = read(p); err == nil || !strings.Contains(err.Error(), "lacks revision 60") {
		t.Errorf("got %v", err)
	}
	p.unlisted = 501 // committed while we read
	if got, _, err = read(p); err != nil {
		t.Fatal(err)
	}
	p.check(t, got)

	p = newPast(upTo(300)...)
	p.nameless = true
	if got, s, err = read(p); err != nil || s.count("GET /osmc/resources/p1/branches") != 1 {
		t.Fatal(err, s.requests)
	}
	p.check(t, got)

	p = newPast(upTo(12)...)
	p.bare = true
	if got, s, err = read(p); err != nil || s.count("GET /osmc/resources/p1/revisions/") != 12 {
		t.Fatal(err, s.requests)
	}
	p.check(t, got)

	s = serve(t, p.answer)
	if _, _, err := s.client(nil).Reader().History(t.Context(), "another"); !IsGone(err) {
		t.Errorf("got %v", err)
	}
}

// discard answers without a network.
type discard struct{ http.HandlerFunc }

func (d discard) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.HandlerFunc(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func BenchmarkRevisions(b *testing.B) {
	for name, meaning := range map[string]func(*past, int, int) []int{"pages": byNumber, "positions": byPosition} {
		b.Run(name, func(b *testing.B) {
			p := newPast(upTo(5000)...)
			p.meaning = meaning
			c, err := New(Options{User: "anna", Password: "hush-hush",
				Rest: rest.Options{BaseURL: "https://twc.example:8111", Transport: discard{p.answer}}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, _, err := c.Reader().History(b.Context(), "p1"); err != nil || len(got) != 5000 {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}

// TestRevisionWithoutBranch checks a single revision that does not name its branch, as the vendor shows it. The lists
// of the branches do; each also has its parent's revisions before the branch point.
func TestRevisionWithoutBranch(t *testing.T) {
	answers := map[string]string{
		"/revisions":         `[3,2,1]`,
		"/branches":          fmt.Sprintf(`{"ldp:contains":[{"@id":%q},{"@id":%q}]}`, trunk, side),
		"/branches/" + trunk: `[{"ldp:contains":[2,1]},{"dcterms:title":"trunk","startRevision":1,"latestRevision":2}]`,
	}
	ask := func(start string) ([]Revision, error) {
		answers["/branches/"+side] = `[{"ldp:contains":[3,2,1]},{"dcterms:title":"side","startRevision":` + start +
			`,"latestRevision":3}]`
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			place := strings.TrimPrefix(r.URL.Path, "/osmc/resources/p1")
			number, single := strings.CutPrefix(place, "/revisions/")
			switch {
			case r.URL.Path == "/osmc/login":
				http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: "0123456789"})
				w.WriteHeader(http.StatusNoContent)
			case single:
				_, _ = fmt.Fprintf(w, `{"@base":"https://twc.example:8111/osmc/resources/p1/revisions/%s","ID":"",`+
					`"branchID":"../..","resourceID":"../../..","author":"ann","description":"","directParent":1,`+
					`"createdDate":1600000000}`, number)
			default:
				_, _ = io.WriteString(w, answers[place])
			}
		}))
		defer s.Close()
		c, err := New(Options{User: "anna", Password: "geheim", Rest: rest.Options{BaseURL: s.URL}})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := c.Reader().History(t.Context(), "p1")
		return got, err
	}
	got, err := ask("2")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{trunk, trunk, side} {
		if got[i].Branch != want {
			t.Errorf("revision %d is on %s, want %s", got[i].Number, got[i].Branch, want)
		}
	}
	if got, err := ask("1"); err == nil { // both begin with revision 1: the branch of the first two is unknown
		t.Errorf("got %+v", got)
	}
}
