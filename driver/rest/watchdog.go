package rest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// watchdog calls bark if nothing happens for a while: it was not kicked, and no byte came over the connection.
// Counting bytes is needed because one Read of a body may take long although data comes: a large chunk is read until
// the buffer is full. But bytes count only for wholeAnswer spans after a kick. Otherwise bytes that say nothing, such
// as endless headers, interim answers and pings of HTTP/2, would keep us waiting forever.
type watchdog struct {
	span time.Duration
	bark func(waited time.Duration) // waited: time without any byte, or in total

	mu     sync.Mutex
	timer  *time.Timer
	kicked time.Time
	frozen bool  // kicks no longer count
	wire   *wire // nil if not known
	seen   int64 // bytes that had come when the timer last fired
}

func newWatchdog(span time.Duration, bark func(waited time.Duration)) *watchdog {
	w := &watchdog{span: span, bark: bark}
	w.mu.Lock() // the timer may fire before it is set
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(span, w.look)
	w.kicked = time.Now()
	return w
}

// look is called when the span is over.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wire != nil {
		if n := w.wire.read.Load(); n > w.seen {
			w.seen = n
			if time.Since(w.kicked) < wholeAnswer*w.span {
				w.timer.Reset(w.span)
				return
			}
			w.bark(wholeAnswer * w.span)
			return
		}
	}
	w.bark(w.span)
}

// over makes the watchdog watch the bytes of a connection, too.
func (w *watchdog) over(c *wire) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wire = c; c != nil {
		w.seen = c.read.Load()
	}
}

func (w *watchdog) kick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.frozen {
		w.restart()
	}
}

// freeze ignores further kicks: an early answer may come while the transport still reads the request's body.
func (w *watchdog) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

func (w *watchdog) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.restart()
}

func (w *watchdog) restart() {
	w.kicked = time.Now()
	w.timer.Reset(w.span)
}

func (w *watchdog) stop() {
	w.freeze()
	w.timer.Stop()
}

// wire is a connection that counts the bytes it receives.
type wire struct {
	net.Conn
	read atomic.Int64
}

func (c *wire) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// counted returns a dialer whose connections count their bytes.
func counted(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &wire{Conn: conn}, nil
	}
}

// wireOf returns the counting connection beneath TLS, or nil if there is none.
func wireOf(conn net.Conn) *wire {
	for {
		switch c := conn.(type) {
		case *wire:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}
