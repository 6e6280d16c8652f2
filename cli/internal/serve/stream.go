package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/report/page"
)

// heartbeat is the interval at which an idle stream sends a comment, to show that both ends are still there.
const heartbeat = 15 * time.Second

// patient sets the write deadline: the browser has Patience, from now on, to read what is sent.
func (p *Page) patient(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(p.o.Patience)) // not every connection supports it
}

// stream sends the state of the run, then its changes, until the run has ended. Each time a browser has read what was
// sent, it gets the newest state, so nothing is queued for slow browsers. A browser that stops reading is dropped. A
// browser that reconnects gets the whole state.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) error {
	if !p.enter() {
		w.Header().Set("Retry-After", "10")
		return &refusal{http.StatusServiceUnavailable, "too many browsers look at this run"}
	}
	defer p.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the deadline was for the request
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
			if now, is, _, _ := p.published(); now == nil || is == seen { // nothing more will be published
				return nil
			}
		}
	}
}

// send writes a part of a stream. It returns false if the browser is gone or too slow.
func (p *Page) send(w http.ResponseWriter, text string) bool {
	p.patient(w)
	if _, err := w.Write([]byte(text)); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// enter reserves a place for a stream. It returns false if there are too many.
func (p *Page) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams >= mostStreams {
		return false
	}
	if p.streams++; p.streams == 1 {
		p.now = nil // what was published for earlier streams is stale
	}
	return true
}

func (p *Page) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams--
}
