package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/report/page"
)

// heartbeat is how often a stream on which nothing happens shows that both ends are there.
const heartbeat = 15 * time.Second

// patient lets a browser take so long, from now on, and no longer.
func (p *Page) patient(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(p.o.Patience)) // not every connection has one
}

// stream sends what the run is like, and then what changes, until it has ended. A browser gets what is newest when it
// has taken what it was sent before, so nothing is kept for slow ones; one that takes nothing is dropped. One that
// comes back gets everything.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) error {
	if !p.enter() {
		w.Header().Set("Retry-After", "10")
		return &refusal{http.StatusServiceUnavailable, "too many browsers look at this run"}
	}
	defer p.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // it was for the request
	p.Changed()
	var before *page.Now
	seen := 0
	if !p.send(w, "retry: 2000\n\n") {
		return nil
	}
	for {
		now, version, newer, last := p.published()
		if now != nil && version > seen {
			line, err := json.Marshal(now.Since(before))
			if err != nil {
				return err
			}
			if !p.send(w, fmt.Sprintf("id: %d\nevent: now\ndata: %s\n\n", version, line)) {
				return nil
			}
			before, seen = now, version
		}
		if last {
			p.send(w, "event: end\ndata: {}\n\n")
			return nil
		}
		select {
		case <-newer:
		case <-p.o.Clock.After(heartbeat):
			if !p.send(w, ": here\n\n") {
				return nil
			}
		case <-r.Context().Done():
			return nil
		case <-p.ended:
			if now, is, _, _ := p.published(); now == nil || is == seen { // without a last word
				return nil
			}
		}
	}
}

// send writes a part of a stream; false: the browser is gone, or too slow.
func (p *Page) send(w http.ResponseWriter, text string) bool {
	p.patient(w)
	if _, err := w.Write([]byte(text)); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// enter takes a place for a stream.
func (p *Page) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams >= mostStreams {
		return false
	}
	if p.streams++; p.streams == 1 {
		p.now = nil // it was published long ago
	}
	return true
}

func (p *Page) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams--
}
