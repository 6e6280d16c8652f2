package rest_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

// TestServerThatTakesNoRequest checks that an attempt ends at a server that ends each connection of HTTP/2 before it
// takes a request: the library connects again, without a pause and without end.
func TestServerThatTakesNoRequest(t *testing.T) {
	s := serve(t, ok)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: s.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	var connections []net.Conn
	var accepting, all sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections = append(connections, conn)
			all.Go(func() { sayGoAway(conn) })
		}
	})
	c := connect(t, s, func(o *rest.Options) { o.BaseURL, o.MaxRetries = "https://"+l.Addr().String(), -1 })
	for _, method := range []string{"GET", "POST"} {
		_, err := c.Do(t.Context(), rest.Request{Method: method, Bytes: []byte("{}")})
		if err == nil || rest.WasSent(err) == rest.SentYes || !strings.Contains(err.Error(), "took the request") {
			t.Errorf("%s: %v", method, err)
		}
	}
	l.Close()
	accepting.Wait()
	if len(connections) > 300 {
		t.Errorf("%d connections", len(connections))
	}
	for _, conn := range connections {
		conn.Close()
	}
	all.Wait()
}

// sayGoAway ends a connection of HTTP/2 at once, as far as requests go (RFC 9113, 6.8).
func sayGoAway(conn net.Conn) {
	defer conn.Close()
	const settings, goAway = "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x08\x07\x00\x00\x00\x00\x00"
	if _, err := io.WriteString(conn, settings+goAway+"\x00\x00\x00\x00\x00\x00\x00\x00"); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}
