package rest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// wired returns a client in a bubble of synctest, whose connections lead to answer. Nothing depends on how fast the
// machine is.
func wired(t *testing.T, timeout time.Duration, answer func(net.Conn)) *Client {
	t.Helper()
	var serving sync.WaitGroup
	c, err := New(Options{BaseURL: "https://a.example", Timeout: timeout, MaxRetries: -1, Transport: &http.Transport{
		DialTLSContext: counted(func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			serving.Go(func() {
				defer there.Close()
				if _, err := http.ReadRequest(bufio.NewReader(there)); err != nil {
					t.Error(err)
					return
				}
				answer(there)
			})
			return here, nil
		})}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		serving.Wait()
	})
	return c
}

// TestSlowChunk checks that bytes that arrive within one large chunk are noticed, although Read does not return.
func TestSlowChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const piece, pieces = 900 * time.Millisecond, 12
		c := wired(t, time.Second, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7800\r\n")
			for range pieces {
				_, _ = conn.Write(bytes.Repeat([]byte("x"), 0x7800/pieces))
				time.Sleep(piece)
			}
			_, _ = io.WriteString(conn, "\r\n0\r\n\r\n")
		})
		stream, err := c.Stream(t.Context(), Request{})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		if b, err := io.ReadAll(stream.Body); err != nil || len(b) != 0x7800 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	})
}

// TestTimeoutOfBytesThatSayNothing checks that bytes without an answer do not make the client wait: endless headers,
// interim answers, and an error that comes byte by byte. Each server ends normally after a while, which must be too
// late.
func TestTimeoutOfBytesThatSayNothing(t *testing.T) {
	const timeout, pieces = time.Second, 300
	for name, c := range map[string]struct{ begin, piece, end string }{
		"headers":         {"HTTP/1.1 200 OK\r\nX: ", "x", "\r\nContent-Length: 2\r\n\r\n{}"},
		"interim answers": {"", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"},
		"an error":        {"HTTP/1.1 503 No\r\nContent-Length: 300\r\n\r\n", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := make(chan bool, 1)
				client := wired(t, timeout, func(conn net.Conn) {
					_, err := io.WriteString(conn, c.begin)
					for range pieces {
						if err == nil {
							time.Sleep(timeout / 6)
							_, err = io.WriteString(conn, c.piece)
						}
					}
					_, _ = io.WriteString(conn, c.end)
					all <- err == nil
				})
				_, err := client.Do(t.Context(), Request{})
				if told := <-all; told || !errors.Is(err, ErrTimeout) && !IsStatus(err, http.StatusServiceUnavailable) {
					t.Errorf("heard to the end: %v, %v", told, err)
				}
			})
		})
	}
}

// TestStreamOfNothing checks that a stream ends in time even if empty gzip pieces keep the connection busy.
func TestStreamOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := wired(t, time.Second, func(conn net.Conn) {
			_, err := io.WriteString(conn,
				"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
			z := gzip.NewWriter(httputil.NewChunkedWriter(conn))
			for begun := time.Now(); err == nil && time.Since(begun) < time.Hour; time.Sleep(10 * time.Millisecond) {
				err = z.Flush()
			}
		})
		stream, err := c.Stream(t.Context(), Request{})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		if n, err := io.Copy(io.Discard, stream.Body); !errors.Is(err, ErrTimeout) {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
