// Package serve shows a run on a live web page. Everybody who has the page's address can read it. The browser that has
// opened the page's one session, with its token, can answer questions. The page itself comes from report/page: it is
// sent whole, and changes follow as server-sent events. A request can open the session and answer the questions that
// Ask waits for, and change nothing else. The package knows no command and prints nothing.
package serve

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/page"
)

// Options configure a Page. Report and Clock are required.
type Options struct {
	Report  func() (*report.Report, error) // the run as it is now; called by one goroutine at a time
	Clock   executor.Clock
	Random  io.Reader         // source of random bytes; nil: the system's
	Secrets *redact.Set       // removed from everything that is sent; nil: none
	Answers bool              // questions can be answered on the page, by whoever has the token
	Numbers map[string]int    // step numbers by step ID; an answer names its step by number
	Opened  func(name string) // called when a session was opened; may be nil

	Pause    time.Duration // minimum time between two changes that are sent; 0: half a second
	Patience time.Duration // timeout for a browser that does not send or read; 0: ten seconds
}

// Limits: notes and streams at a time, and bytes of a request's header and body.
const (
	mostNotes   = 50
	mostStreams = 16
	mostHeader  = 16 << 10
	mostBody    = 4 << 10
)

// Page is a live page, served from Start until Close. It is safe for concurrent use.
type Page struct {
	o        Options
	listener net.Listener
	base     string // path of the page, which nobody can guess
	token    string // as it is shown to the person; "": questions cannot be answered on the page
	server   *http.Server
	poke     chan struct{} // receives a value when something has changed
	stop     chan struct{} // closed by Close
	ended    chan struct{} // closed when publishing has ended
	served   chan error

	building sync.Mutex // held while a report is made: one at a time

	mu        sync.Mutex
	questions map[string]*question // by step ID
	doing     map[string]string    // what running steps do, by step ID
	notes     []page.Note
	dropped   int // number of notes that were dropped since there were too many
	closed    bool
	owed      chan struct{} // closed when the browser that answered has loaded the page again; nil: none is waited for
	session   *session
	streams   int
	now       *page.Now // what was published last
	version   int
	changed   chan struct{} // closed when something newer is published
	faulty    error         // the first fault in a request or a report
}

// New returns a Page. It is not served before Start.
func New(l net.Listener, o Options) (*Page, error) {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Opened == nil {
		o.Opened = func(string) {}
	}
	if o.Pause <= 0 {
		o.Pause = 500 * time.Millisecond
	}
	if o.Patience <= 0 {
		o.Patience = 10 * time.Second
	}
	p := &Page{
		o: o, listener: l, poke: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		served: make(chan error, 1), questions: map[string]*question{}, doing: map[string]string{},
		changed: make(chan struct{}),
	}
	var err error
	if p.base, err = p.secret(16); err != nil {
		return nil, err
	}
	p.base = "/" + p.base + "/"
	if o.Answers {
		if p.token, err = newToken(o.Random); err != nil {
			return nil, err
		}
	}
	p.server = &http.Server{
		Handler: http.HandlerFunc(p.handle), ReadHeaderTimeout: o.Patience, ReadTimeout: o.Patience, IdleTimeout: time.Minute,
		MaxHeaderBytes: mostHeader, ErrorLog: log.New(io.Discard, "", 0), ConnContext: withConn,
	}
	return p, nil
}

// secret returns a word made of that many random bytes.
func (p *Page) secret(bytes int) (string, error) {
	b := make([]byte, bytes)
	if _, err := io.ReadFull(p.o.Random, b); err != nil {
		return "", fmt.Errorf("making a secret for the page: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Address returns the address of the page. Whoever has it can read the run.
func (p *Page) Address() string { return "http://" + p.listener.Addr().String() + p.base }

// Host returns the address without its path. It does not let anybody read the run.
func (p *Page) Host() string { return "http://" + p.listener.Addr().String() + "/" }

// Token returns the word that opens the page's one session, or moves it to another browser. It is "" if questions
// cannot be answered on the page. Show it only to the person who may answer.
func (p *Page) Token() string { return p.token }

// Start serves the page until Close is called. When ctx ends, streams end, and changes are no longer published.
func (p *Page) Start(ctx context.Context) {
	p.server.BaseContext = func(net.Listener) context.Context { return ctx }
	go func() {
		err := p.server.Serve(limit(p.listener))
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		p.served <- err
	}()
	go p.publishing(ctx)
}

// publishing publishes changes, with a pause after each, and once more when the page is closed.
func (p *Page) publishing(ctx context.Context) {
	defer close(p.ended)
	for {
		select {
		case <-p.poke:
		case <-p.stop:
			p.publish()
			return
		case <-ctx.Done():
			return
		}
		p.publish()
		select {
		case <-p.o.Clock.After(p.o.Pause):
		case <-p.stop:
		case <-ctx.Done():
		}
	}
}

// grace is how long Close waits for browsers to read the end of the run.
const grace = 2 * time.Second

// Close publishes the final state of the run and stops serving. It returns a fault of the program, or the reason why
// the page could not be served.
func (p *Page) Close() error {
	p.mu.Lock()
	p.closed = true
	owed := p.owed
	p.mu.Unlock()
	close(p.stop)
	<-p.ended
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if owed != nil { // an answer may have ended the run, and the browser comes back for the page
		select {
		case <-owed:
		case <-ctx.Done():
		}
	}
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close() // disconnects browsers that have not read the end by now
	}
	err := <-p.served
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.faulty, err)
}

// Changed must be called when the run has changed.
func (p *Page) Changed() {
	select {
	case p.poke <- struct{}{}:
	default: // a change is already waiting to be published
	}
}

// Doing sets what a running step is doing. text is "" when the step has ended.
func (p *Page) Doing(id, text string) {
	p.mu.Lock()
	if text == "" {
		delete(p.doing, id)
	} else {
		p.doing[id] = text
	}
	p.mu.Unlock()
	p.Changed()
}

// Note adds a line to the page's log, for something that is not in the journal.
func (p *Page) Note(text string) {
	p.mu.Lock()
	p.notes = append(p.notes, page.Note{At: p.o.Clock.Now(), Text: text})
	if n := len(p.notes) - mostNotes; n > 0 {
		p.notes, p.dropped = slices.Clone(p.notes[n:]), p.dropped+n
	}
	p.mu.Unlock()
	p.Changed()
}

// look returns the report of the run as it is now, and what the page shows besides. A panic becomes an error.
func (p *Page) look() (r *report.Report, l page.Live, err error) {
	p.building.Lock()
	defer p.building.Unlock()
	defer fault.Catch(&err)
	p.mu.Lock()
	ended := p.closed // before the run is read: what says that it has ended shows the end
	p.mu.Unlock()
	r, err = p.o.Report()
	p.mu.Lock()
	defer p.mu.Unlock()
	l = page.Live{
		At: p.o.Clock.Now(), Script: scriptName, Doing: maps.Clone(p.doing), Notes: slices.Clone(p.notes),
		FirstNote: p.dropped, Ended: ended, Answers: p.token != "",
		Secrets: p.o.Secrets,
	}
	for _, q := range p.questions {
		l.Questions = append(l.Questions, q.ask)
	}
	slices.SortFunc(l.Questions, func(a, b executor.Ask) int { return strings.Compare(a.Step.ID, b.Step.ID) })
	return r, l, err
}

// publish gives the current state of the run to the streams, if there are any.
func (p *Page) publish() {
	if !p.watched() {
		return
	}
	r, l, err := p.look()
	if err != nil {
		p.failed(err)
		return // browsers keep what they have; the command meets the same error
	}
	now := page.NewNow(r, l)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
	p.version++
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Page) watched() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams > 0
}

// failed keeps err for Close if it is the first fault of the program.
func (p *Page) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fault.Is(err) && p.faulty == nil {
		p.faulty = err
	}
}

// published returns what was published last, and its version. newer is closed when something newer is published. last
// reports whether that is the end of the run.
func (p *Page) published() (now *page.Now, version int, newer <-chan struct{}, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.version, p.changed, p.now != nil && p.now.Ended
}
