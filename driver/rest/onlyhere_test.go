package rest

import (
	"net"
	"net/url"
	"testing"
	"time"
)

// TestHTTPIsForThisMachine checks that a server with http is connected to on this machine alone, whatever address its
// name has.
func TestHTTPIsForThisMachine(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		scheme, address string
		refused         bool
	}{
		{"http", l.Addr().String(), false},
		{"https", l.Addr().String(), false},
		{"http", "0.0.0.0:" + port(l), true}, // it leads to this machine, and would be connected to
	} {
		transport, err := transport(Options{Timeout: time.Minute}, &url.URL{Scheme: c.scheme, Host: "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := transport.DialContext(t.Context(), "tcp", c.address)
		if (err != nil) != c.refused {
			t.Errorf("%v: %v", c, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

func port(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
