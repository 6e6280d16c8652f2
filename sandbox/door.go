package sandbox

import (
	"net"
	"sync"
)

// door takes connections on loopback, and knows all that must have ended before it is gone.
type door struct {
	socket net.Listener

	mu      sync.Mutex
	conns   map[net.Conn]bool // nil once it is stopped
	running sync.WaitGroup    // the accept loop, connections, and what goes on behind them
}

// start has every connection served that is let in. It is closed after that.
func (d *door) start(let func(net.Conn) bool, serve func(net.Conn)) {
	d.running.Go(func() {
		for {
			conn, err := d.socket.Accept()
			if err != nil {
				return // it is closed; an accept that fails for good shows to clients as a refused connection
			}
			if !d.keep(conn) {
				_ = conn.Close()
				return
			}
			d.running.Go(func() {
				defer d.drop(conn)
				if let(conn) {
					serve(conn)
				}
			})
		}
	})
}

// stop closes everything and returns when the last of what goes on behind it has ended.
func (d *door) stop() {
	_ = d.socket.Close()
	d.mu.Lock()
	conns := d.conns
	d.conns = nil
	d.mu.Unlock()
	for conn := range conns {
		_ = conn.Close()
	}
	d.running.Wait()
}

// keep notes a connection for stop; false: it is too late.
func (d *door) keep(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		return false
	}
	d.conns[conn] = true
	return true
}

func (d *door) drop(conn net.Conn) {
	d.mu.Lock()
	delete(d.conns, conn)
	d.mu.Unlock()
	_ = conn.Close()
}
