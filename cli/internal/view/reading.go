package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Reading shows which servers are being read, and for how long, while a plan is made. It shows nothing if all servers
// answer quickly. On a terminal it is one line that is redrawn and finally removed. Elsewhere it writes one line for
// each slow server.
type Reading struct {
	w    io.Writer
	live bool
	now  func() time.Time
	// width returns the width of the terminal, or 0 if it is unknown.
	width func() int

	mu     sync.Mutex
	open   map[string]*serverRead
	drawn  bool
	closed bool
}

type serverRead struct {
	since time.Time
	needs int  // number of observations in progress
	told  bool // a line was written that it is slow
}

const (
	quietFor = time.Second      // delay until a server is shown on a terminal
	slowFor  = 10 * time.Second // delay until a line is written elsewhere
)

// NewReading returns a Reading. The caller is to call Look several times a second, which redraws it.
func NewReading(w io.Writer, live bool, width func() int, now func() time.Time) *Reading {
	return &Reading{w: w, live: live, width: width, now: now, open: map[string]*serverRead{}}
}

// Begin records that something is being read from a server. Call end when that has ended.
func (r *Reading) Begin(server string) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.open[server]
	if s == nil {
		s = &serverRead{since: r.now()}
		r.open[server] = s
	}
	s.needs++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if s.needs--; s.needs == 0 && r.open[server] == s {
			delete(r.open, server)
		}
	}
}

// Look shows what is still being read.
func (r *Reading) Look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	var parts []string
	for name, s := range r.open {
		passed := r.now().Sub(s.since)
		switch {
		case r.live && passed >= quietFor:
			parts = append(parts, oneLine(name)+" "+elapsed(passed))
		case !r.live && passed >= slowFor && !s.told:
			s.told = true
			fmt.Fprintf(r.w, "Still reading %s, for %s now.\n", oneLine(name), passed.Round(time.Second))
		}
	}
	if !r.live {
		return
	}
	slices.Sort(parts)
	r.erase()
	if len(parts) > 0 {
		_, _ = io.WriteString(r.w, cut("Reading "+strings.Join(parts, ", "), r.width())+"\n")
		r.drawn = true
	}
}

// Note writes a line that is not removed.
func (r *Reading) Note(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	_, _ = io.WriteString(r.w, oneLine(line)+"\n")
}

func (r *Reading) erase() {
	if r.drawn {
		_, _ = io.WriteString(r.w, "\x1b[1A\x1b[J")
		r.drawn = false
	}
}

// Close removes the line for good.
func (r *Reading) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	r.closed = true
}
