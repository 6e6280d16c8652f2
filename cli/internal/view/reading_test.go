package view

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestReading(t *testing.T) {
	for _, live := range []bool{true, false} {
		var b bytes.Buffer
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		r := NewReading(&b, live, func() int { return 60 }, func() time.Time { return now })
		endA := r.Begin("server.x.a")
		endB := r.Begin("server.x.b")
		endB2 := r.Begin("server.x.b")
		r.Look()
		if b.Len() > 0 {
			t.Errorf("live %v: shown at once: %q", live, b.String())
		}
		now = now.Add(12 * time.Second)
		endA()
		endB()
		r.Look()
		if s := b.String(); !strings.Contains(s, "server.x.b") || strings.Contains(s, "server.x.a") {
			t.Errorf("live %v: %q", live, s)
		}
		before := b.Len()
		r.Look()
		if again := b.Len() > before; again != live {
			t.Errorf("live %v: said again: %v", live, again)
		}
		endB2()
		r.Look()
		r.Close()
		r.Begin("server.x.c")
		now = now.Add(time.Hour)
		r.Look()
		if s := b.String(); strings.Contains(s, "server.x.c") || live && !strings.HasSuffix(s, "\x1b[1A\x1b[J") {
			t.Errorf("live %v: after its end: %q", live, s)
		}
	}
}

// TestLiveOnANarrowerTerminal checks that all rows of a line are erased if it wraps because the terminal became
// narrower.
func TestLiveOnANarrowerTerminal(t *testing.T) {
	var b bytes.Buffer
	width := 80
	l := &Live{w: &b, style: Style{}, width: func() int { return width }, now: time.Now, number: map[string]int{}}
	l.lengths = []int{75, 20, 60}
	width = 30
	var out strings.Builder
	l.erase(&out)
	if out.String() != "\x1b[6A\x1b[J" { // 3 + 1 + 2
		t.Errorf("%q", out.String())
	}
}

// TestNote checks that a line that is not about a step stays on the screen, above what is redrawn, and that it waits
// while a question is open.
func TestNote(t *testing.T) {
	var b bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	r := NewReading(&b, true, func() int { return 60 }, clock)
	r.Begin("server.x.a")
	now = now.Add(5 * time.Second)
	r.Look()
	r.Note("waiting\x1b")
	r.Look()
	if s := b.String(); !strings.Contains(s, "\x1b[1A\x1b[Jwaiting\\x1b\nReading server.x.a 00:05\n") {
		t.Errorf("%q", s)
	}
	for name, p := range map[string]Progress{
		"plain": NewPlain(&b, Style{}, twoDeclarations()),
		"live":  NewLive(&b, Style{}, func() int { return 60 }, twoDeclarations(), 0, clock, nil),
	} {
		b.Reset()
		release := p.Hold()
		p.Note("waiting")
		if b.Len() > 0 {
			t.Errorf("%s: %q", name, b.String())
		}
		release()
		p.Close()
		if b.String() != "waiting\n" {
			t.Errorf("%s: %q", name, b.String())
		}
	}
}
