package rest_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

// BenchmarkRequests sends ten requests at a time. It includes the work of the server. connections/op is the number of
// TLS connections per request.
func BenchmarkRequests(b *testing.B) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		b.Run(method, func(b *testing.B) {
			var connections atomic.Int64
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"x":1}`)
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			s.StartTLS()
			defer s.Close()
			c, err := rest.New(rest.Options{BaseURL: s.URL, CAPEM: caOf(s)})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.SetParallelism((10 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := c.Do(b.Context(), rest.Request{Method: method}); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(connections.Load())/float64(b.N), "connections/op")
		})
	}
}
