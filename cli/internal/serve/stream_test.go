package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
)

// events reads a stream.
type events struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Scanner
}

func (b *bench) events(c *http.Client) *events {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.Address()+"events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", "41") // whatever a browser has seen, it gets everything
	res, err := c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatal(res.Status, res.Header)
	}
	b.t.Cleanup(func() { _ = res.Body.Close() })
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 1<<24)
	return &events{b.t, res.Body, in}
}

// moment is what the page's script gets.
type moment struct {
	Verdict   string
	Ended     bool
	Questions []struct{ ID, Missing string }
	Steps     []struct {
		N     int
		State string
	}
	Current []struct{ ID, State, Text string }
	Log     []struct{ ID, Event, Key, Text string }
}

// next returns the next event and its data.
func (e *events) next() (name string, m moment) {
	e.t.Helper()
	for e.in.Scan() {
		key, value, _ := strings.Cut(e.in.Text(), ": ")
		switch key {
		case "event":
			name = value
		case "data":
			if err := json.Unmarshal([]byte(value), &m); err != nil {
				e.t.Fatalf("%v: %s", err, value)
			}
			return name, m
		}
	}
	return "", m
}

// first returns the line with the first data, as it was sent.
func (e *events) first() string {
	for e.in.Scan() && !strings.HasPrefix(e.in.Text(), "data: ") {
	}
	return e.in.Text()
}

// until reads until holds returns true for a moment.
func (e *events) until(holds func(moment) bool) moment {
	e.t.Helper()
	for {
		name, m := e.next()
		if name != "now" {
			e.t.Fatalf("the stream ended with %q", name)
		}
		if holds(m) {
			return m
		}
	}
}

// TestEvents checks that a browser first gets the whole state, then the changes, and the end of the run.
func TestEvents(t *testing.T) {
	p := reporttest.Small()
	b := serving(t, p, nil)
	e := b.events(b.browser())
	name, m := e.next()
	if name != "now" || len(m.Steps) != 3 || m.Steps[0].State != "done" || m.Steps[1].State != "running" ||
		len(m.Current) != 1 || len(m.Log) == 0 {
		t.Fatalf("%s %+v", name, m)
	}
	entries := len(m.Log)
	b.goTo(1, executor.EventFailed)
	m = e.until(func(m moment) bool { return len(m.Steps) > 0 })
	if len(m.Steps) != 1 || m.Steps[0].N != 2 || m.Steps[0].State != "failed" || m.Current[0].Text != "why <b>not</b>" {
		t.Errorf("%+v", m)
	}
	b.goTo(2, executor.EventExecuted)
	m = e.until(func(m moment) bool { return len(m.Steps) == 2 })
	if len(m.Log) == 0 || len(m.Log) > entries {
		t.Errorf("new in the log: %+v", m.Log)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answers := b.ask(ctx, p.Steps[1], 0)
	m = e.until(func(m moment) bool { return len(m.Questions) == 1 })
	if m.Questions[0].Missing != "the <label>" {
		t.Errorf("%+v", m.Questions)
	}
	cancel()
	<-answers
	e.until(func(m moment) bool { return len(m.Questions) == 0 })
	b.Note("Waiting for a server.")
	if m = e.until(func(m moment) bool { return len(m.Log) > 0 }); m.Log[0].Text != "Waiting for a server." {
		t.Errorf("%+v", m.Log)
	}
	// Another browser comes later, and gets everything.
	other := b.events(b.browser())
	if _, m = other.next(); len(m.Steps) != 3 || m.Steps[0].State != "done" {
		t.Errorf("%+v", m)
	}
	b.goTo(3, "")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []*events{e, other} {
		m = stream.until(func(m moment) bool { return m.Ended })
		if !strings.Contains(m.Verdict, "3 of 3") {
			t.Errorf("%+v", m)
		}
		if name, _ := stream.next(); name != "end" {
			t.Errorf("it ended with %q", name)
		}
	}
}

// TestClosedWhileTheRunIsRead checks that what was read before the end does not say that it is the end: streams would
// leave with it.
func TestClosedWhileTheRunIsRead(t *testing.T) {
	var b *bench
	end := func(ended bool) {
		b.Page.mu.Lock()
		defer b.Page.mu.Unlock()
		b.closed = ended
	}
	b = serving(t, reporttest.Small(), func(o *Options) {
		read := o.Report
		o.Report = func() (*report.Report, error) {
			defer end(true)
			return read()
		}
	})
	for _, want := range []bool{false, true} {
		if _, l, err := b.look(); err != nil || l.Ended != want {
			t.Error(l.Ended, err)
		}
	}
	end(false)
}

// TestContextEnds checks that streams and questions end when the context of the command does.
func TestContextEnds(t *testing.T) {
	l, _, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := reporttest.Small()
	b := &bench{t: t, plan: p, done: 1, event: executor.EventExecuted}
	if b.Page, err = New(l, Options{Report: b.report, Clock: still{}, Answers: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.Start(ctx)
	e := b.events(b.browser())
	e.next()
	answers := b.ask(ctx, p.Steps[1], 0)
	cancel()
	if _, answered := <-answers; answered {
		t.Error("answered")
	}
	for name, _ := e.next(); name != ""; name, _ = e.next() {
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestManyBrowsers checks that the number of streams is limited, and that a stream that ends makes room.
func TestManyBrowsers(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	c := b.browser()
	var first *events
	for i := range mostStreams {
		e := b.events(c)
		e.next()
		if i == 0 {
			first = e
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Address()+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := b.send(c, r); status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", status)
	}
	_ = first.body.Close()
	for b.watchers() == mostStreams { // until it is seen
		b.Changed()
	}
	b.events(c).next()
}

func (b *bench) watchers() int {
	b.Page.mu.Lock()
	defer b.Page.mu.Unlock()
	return b.streams
}

// pipes is a listener whose connections have no buffer: a writer waits until the other side reads.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }
func (*pipes) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
}

// TestSlowReader checks that a browser that does not read is dropped, and that others are served meanwhile.
func TestSlowReader(t *testing.T) {
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	b := servingAt(t, l, reporttest.Small(), func(o *Options) { o.Patience = 50 * time.Millisecond })
	ours, theirs := net.Pipe()
	l.conns <- theirs
	if _, err := io.WriteString(ours, "GET "+b.base+"events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	quick := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			mine, other := net.Pipe()
			l.conns <- other
			return mine, nil
		}}}
	b.get(quick)
	// Nothing is read: the connection ends by itself. One that never says what it wants ends, too.
	idle, other := net.Pipe()
	l.conns <- other
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a silent connection: %v", err)
	}
	b.waitFor(func() bool { return b.watchers() == 0 })
	if _, err := io.Copy(io.Discard, ours); err != nil {
		t.Error(err)
	}
}

// waitFor waits until holds returns true.
func (b *bench) waitFor(holds func() bool) {
	for !holds() {
		select {
		case <-b.t.Context().Done():
			b.t.Fatal("it never held")
		default:
		}
	}
}

// TestSilentConnections: connections that ask for nothing, which any user of the machine can make, keep no reader out,
// and end no stream.
func TestSilentConnections(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	watching := b.events(b.browser())
	watching.next()
	for range 3 * mostConnections {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.send(b.browser(), r)
	b.Changed()
	if name, _ := watching.next(); name != "now" {
		t.Errorf("the stream ended with %q", name)
	}
}
