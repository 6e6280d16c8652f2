package sandbox

import (
	"net"
	"sync"
)

// door accepts connections on loopback, and waits at its end for everything that uses them.
type door struct {
	socket net.Listener

	mu      sync.Mutex
	conns   map[net.Conn]bool // nil once stopped
	running sync.WaitGroup    // the accept loop, connections, and everything that they started
}

// start serves every connection that is let in, and closes it afterwards.
func (d *door) start(let func(net.Conn) bool, serve func(net.Conn)) {
	d.running.Go(func() {
		for {
			conn, err := d.socket.Accept()
			if err != nil {
				return // closed; to clients, a permanent failure of accept looks like a refused connection
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

// stop closes everything, and returns when everything that was started has ended.
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

// keep records a connection for stop. It returns false if that is too late.
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
