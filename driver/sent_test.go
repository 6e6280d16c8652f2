package driver_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

// TestSentOnce checks that a request with rest.Once is sent once, and what the executor is told: to try the step again
// later if certainly nothing was done, and nothing else.
func TestSentOnce(t *testing.T) {
	for name, c := range map[string]struct {
		status  int // 0: there is no server
		after   string
		later   bool
		notSent bool
	}{
		"no server": {later: true},
		"busy":      {status: http.StatusTooManyRequests, after: "60", later: true},
		"refused":   {status: http.StatusForbidden, notSent: true},
		"failed":    {status: http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
			}))
			defer s.Close()
			if c.status == 0 {
				s.Close()
			}
			client, err := rest.New(rest.Options{BaseURL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Do(t.Context(), rest.Request{Method: http.MethodDelete, Path: "/x", Retry: rest.Once})
			err = driver.SentOnce(err)
			var later *executor.Later
			if errors.As(err, &later) != c.later || !c.later && executor.WasNotSent(err) != c.notSent {
				t.Errorf("%v, later %v", err, later)
			}
			if c.status != 0 && requests != 1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}
