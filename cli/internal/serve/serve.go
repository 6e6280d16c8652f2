// Package serve shows a run on a page while it goes on, to whoever has the page's address, and takes the answers of
// whoever has opened its one session with its token. The page is that of report/page; it is sent whole to who asks for
// it, and what changes is sent as server-sent events. Nothing that is sent to it changes anything but the questions
// that Ask waits with. It knows no command and prints nothing.
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

// Options come from outside. Report and Clock are needed.
type Options struct {
	Report  func() (*report.Report, error) // the run as it is now; called by one goroutine at a time
	Clock   executor.Clock
	Random  io.Reader         // nil: the system's
	Secrets *redact.Set       // are taken out of all that is sent; nil for none
	Answers bool              // questions are answered on the page, by whoever has the token
	Numbers map[string]int    // of the steps, by their ids; an answer names its step so
	Opened  func(name string) // is told that the session was opened; nil for nobody

	Pause    time.Duration // between two changes that are sent, at least; 0: half a second
	Patience time.Duration // with a browser that does not take what it is sent; 0: ten seconds
}

// Limits of what is kept, whoever sends it.
const (
	mostNotes   = 50
	mostStreams = 16
	mostHeader  = 16 << 10
	mostBody    = 4 << 10
)

// Page is served from Start until Close. It may be used by several goroutines.
type Page struct {
	o        Options
	listener net.Listener
	base     string // path of the page: nobody guesses it
	token    string // as it is shown to the person; "": nothing is answered
	server   *http.Server
	poke     chan struct{} // something has changed
	stop     chan struct{}
	ended    chan struct{} // closed once nothing is published any more
	served   chan error

	building sync.Mutex // one report at a time

	mu        sync.Mutex
	questions map[string]*question // by the step's id
	doing     map[string]string
	notes     []page.Note
	dropped   int // notes that were too many
	closed    bool
	owed      chan struct{} // closed once whoever has answered has the page again; nil: nobody waits for it
	session   *session
	streams   int
	now       *page.Now // what was published last
	version   int
	changed   chan struct{} // closed when something newer is published
	faulty    error         // a fault in a request
}

// New makes a Page. Nothing is served before Start.
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
		MaxHeaderBytes: mostHeader, ErrorLog: log.New(io.Discard, "", 0),
	}
	return p, nil
}

// secret is a word of so many random bytes.
func (p *Page) secret(bytes int) (string, error) {
	b := make([]byte, bytes)
	if _, err := io.ReadFull(p.o.Random, b); err != nil {
		return "", fmt.Errorf("making a secret for the page: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Address is where the page is. Who has it can read the run.
func (p *Page) Address() string { return "http://" + p.listener.Addr().String() + p.base }

// Host is the address without its path: who has it can read nothing.
func (p *Page) Host() string { return "http://" + p.listener.Addr().String() + "/" }

// Token opens the page's one session, and again in another browser; "" where nothing is answered. It
// is shown to the person and to nobody else.
func (p *Page) Token() string { return p.token }

// Start serves the page until Close is called or the context has ended.
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

// publishing publishes what has changed, now and then.
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

// grace is how long browsers may take for what the run ends with.
const grace = 2 * time.Second

// Close publishes how the run is at its end, and ends everything. The error is a fault of the program, or says that
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
		_ = p.server.Close() // who has not taken the end by now
	}
	err := <-p.served
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.faulty, err)
}

// Changed tells that the run has changed.
func (p *Page) Changed() {
	select {
	case p.poke <- struct{}{}:
	default: // it is known already
	}
}

// Doing says what a step that runs is at; "" when it has ended.
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

// Note adds a line to the log that does not stand in the journal.
func (p *Page) Note(text string) {
	p.mu.Lock()
	p.notes = append(p.notes, page.Note{At: p.o.Clock.Now(), Text: text})
	if n := len(p.notes) - mostNotes; n > 0 {
		p.notes, p.dropped = slices.Clone(p.notes[n:]), p.dropped+n
	}
	p.mu.Unlock()
	p.Changed()
}

// look makes the report, and says what is known beside it. A fault in it is raised by Close.
func (p *Page) look() (r *report.Report, l page.Live, err error) {
	p.building.Lock()
	defer p.building.Unlock()
	defer fault.Catch(&err)
	r, err = p.o.Report()
	p.mu.Lock()
	defer p.mu.Unlock()
	l = page.Live{
		At: p.o.Clock.Now(), Script: scriptName, Doing: maps.Clone(p.doing), Notes: slices.Clone(p.notes),
		FirstNote: p.dropped, Ended: p.closed, Answers: p.token != "",
		Secrets: p.o.Secrets,
	}
	for _, q := range p.questions {
		l.Questions = append(l.Questions, q.ask)
	}
	slices.SortFunc(l.Questions, func(a, b executor.Ask) int { return strings.Compare(a.Step.ID, b.Step.ID) })
	return r, l, err
}

// publish gives the streams what the run is like now, if there are any.
func (p *Page) publish() {
	if !p.watched() {
		return
	}
	r, l, err := p.look()
	if err != nil {
		p.failed(err)
		return // the browsers keep what they have, and the command finds the same
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

// failed keeps a fault until Close.
func (p *Page) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fault.Is(err) && p.faulty == nil {
		p.faulty = err
	}
}

// published is what was published last, its number, and what tells of something newer.
func (p *Page) published() (now *page.Now, version int, newer <-chan struct{}, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.version, p.changed, p.now != nil && p.now.Ended
}
