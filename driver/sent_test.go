package driver_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

// TestPutOff checks that a request without retries is sent once, and what the executor is told: to try the step again
// later if certainly nothing was done, when, and nothing else.
func TestPutOff(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		status  int // 0: there is no server
		after   string
		later   time.Duration // 0: not later
		notSent bool
	}{
		"no server":     {method: "DELETE", later: 5 * time.Second},
		"busy":          {method: "DELETE", status: http.StatusTooManyRequests, after: "60", later: time.Minute},
		"busy, no time": {method: "DELETE", status: http.StatusTooManyRequests, later: 30 * time.Second},
		"busy, at once": {method: "DELETE", status: http.StatusTooManyRequests, after: "0", later: 30 * time.Second},
		"busy, past": {method: "DELETE", status: http.StatusTooManyRequests, after: "Mon, 02 Jan 2006 15:04:05 GMT",
			later: 30 * time.Second},
		"refused":          {method: "DELETE", status: http.StatusForbidden, notSent: true},
		"failed":           {method: "DELETE", status: http.StatusInternalServerError},
		"reading":          {method: "GET", status: http.StatusServiceUnavailable, later: 5 * time.Second},
		"reading, at once": {method: "GET", status: http.StatusServiceUnavailable, after: "0", later: 5 * time.Second},
		"reading, later":   {method: "GET", status: http.StatusServiceUnavailable, after: "7", later: 7 * time.Second},
		"forbidden":        {method: "GET", status: http.StatusForbidden, notSent: true},
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
			_, err = client.Do(rest.WithoutRetries(t.Context()), rest.Request{Method: c.method, Path: "/x"})
			if err = driver.Sent(err); c.method == http.MethodGet {
				err = executor.NotSent(err) // read before anything is sent that changes something
			}
			err = driver.PutOff(err)
			var after time.Duration
			if later := (*executor.Later)(nil); errors.As(err, &later) {
				after = later.After
			}
			if after != c.later || c.later == 0 && executor.WasNotSent(err) != c.notSent {
				t.Errorf("%v, after %s", err, after)
			}
			if c.status != 0 && requests != 1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}
