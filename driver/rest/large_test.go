package rest

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

type answering func(*http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// turns notes what is held while an answer is decoded.
type turns struct {
	c               *Client
	reading, single bool
}

func (d *turns) UnmarshalJSON([]byte) error {
	d.reading = len(d.c.large) == 1
	if d.single = !decoding.TryLock(); !d.single {
		decoding.Unlock()
	}
	return nil
}

// TestLargeAnswersInTurn checks that large answers are decoded one at a time, and that the largest of a server are also
// read so, whatever becomes of them.
func TestLargeAnswersInTurn(t *testing.T) {
	length, tail := 0, "]"
	c, err := New(Options{BaseURL: "https://a.example", MaxRetries: -1, Timeout: time.Hour,
		Transport: answering(func(r *http.Request) *http.Response {
			body := "[" + strings.Repeat("1,"+strings.Repeat(" ", 30), length/32) + "1" + tail
			return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(body))}
		})})
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		length          int
		tail            string
		reading, single bool
	}{
		{1000, "]", false, false}, {decodedAtOnce, "]", false, true}, {readAtOnce, "]", true, true},
		{DefaultMaxBytes - 1000, "]", true, true}, {DefaultMaxBytes, "]", false, false}, {readAtOnce, "", false, false},
	} {
		if testing.Short() && of.length == DefaultMaxBytes-1000 {
			continue // the race detector takes longer to decode it than its turn lasts
		}
		length, tail = of.length, of.tail
		got := turns{c: c}
		err := c.Get(t.Context(), Request{}, &got)
		failed := of.length == DefaultMaxBytes || of.tail == ""
		if (err != nil) != failed || got.reading != of.reading || got.single != of.single {
			t.Errorf("%d bytes: %+v, %v", of.length, got, err)
		}
		if len(c.large) > 0 {
			t.Fatalf("%d bytes: its turn has no end", of.length)
		}
	}
	length, tail = readAtOnce, "]"
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := c.Get(t.Context(), Request{}, &turns{c: c}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
