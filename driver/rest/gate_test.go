package rest_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

// holding is a server that answers each request when it is told to.
type holding struct {
	held chan chan struct{}
}

func (h holding) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := make(chan struct{})
	h.held <- answer
	<-answer
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}")),
		Header: http.Header{"Content-Type": {"application/json"}}, Request: r}, nil
}

// TestFewAtOnce checks that a client with many reads sends a few at once, and a few more once some are answered.
// Requests that change something, and streams, do not wait for that.
func TestFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := holding{make(chan chan struct{}, 1000)}
		c, err := rest.New(rest.Options{BaseURL: "https://x.example", Transport: h})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		ask := func(how func() error) {
			all.Go(func() {
				if err := how(); err != nil {
					t.Error(err)
				}
			})
		}
		for range 400 {
			ask(func() error { return c.Get(t.Context(), rest.Request{Path: "/x"}, new(any)) })
		}
		synctest.Wait()
		if len(h.held) != 8 {
			t.Errorf("%d at once to begin with", len(h.held))
		}
		ask(func() error {
			_, err := c.Do(t.Context(), rest.Request{Method: http.MethodPost, Path: "/x"})
			return err
		})
		ask(func() error {
			s, err := c.Stream(t.Context(), rest.Request{Path: "/x"})
			if err == nil {
				err = s.Body.Close()
			}
			return err
		})
		synctest.Wait()
		if len(h.held) != 10 {
			t.Errorf("%d at once, want a write and a stream beside the 8", len(h.held))
		}
		answered, most := 0, 0
		for ; len(h.held) > 0; synctest.Wait() {
			most = max(most, len(h.held))
			close(<-h.held)
			answered++
		}
		all.Wait()
		if answered != 402 || most != 16 {
			t.Errorf("%d answered, at most %d at once", answered, most)
		}
	})
}

// TestRateAfterAPause: what has waited for a server that did not answer keeps to the rate once it does.
func TestRateAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := holding{make(chan chan struct{}, 100)}
		c, err := rest.New(rest.Options{BaseURL: "https://x.example", Transport: h, RatePerSecond: 4, Timeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if err := c.Get(t.Context(), rest.Request{Path: "/x"}, new(any)); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Minute)
		for synctest.Wait(); len(h.held) > 0; {
			close(<-h.held)
		}
		synctest.Wait()
		if len(h.held) > 4 {
			t.Errorf("%d requests at the same moment", len(h.held))
		}
		go func() {
			for answer := range h.held {
				close(answer)
			}
		}()
		all.Wait()
		close(h.held)
	})
}
