package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

// These tests use synctest's clock, which moves only while all goroutines wait. They do not depend on the
// machine's speed.

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func unreal(t *testing.T, f roundTrip) *rest.Client {
	t.Helper()
	c, err := rest.New(rest.Options{BaseURL: "https://jira.example", Transport: f, Timeout: time.Second, MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answering(r *http.Request, body func([]byte) (int, error)) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(readerFunc(body)), Request: r, ContentLength: -1}, nil
}

// stalled waits until the request is given up.
func stalled(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestTimeout(t *testing.T) {
	for method, want := range map[string]int{"GET": 2, "POST": 1} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c := unreal(t, func(r *http.Request) (*http.Response, error) { n++; return nil, stalled(r.Context()) })
			_, err := c.Do(t.Context(), rest.Request{Method: method})
			if !errors.Is(err, rest.ErrTimeout) || rest.WasSent(err) != rest.SentMaybe || n != want ||
				!strings.Contains(err.Error(), "nothing came for 1s") {
				t.Errorf("%s: %v, sent %v, %d times", method, err, rest.WasSent(err), n)
			}
		})
	}
}

// TestSlowAnswer checks that an answer that comes slowly but completely is accepted.
func TestSlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 8
		c := unreal(t, func(r *http.Request) (*http.Response, error) {
			return answering(r, func(p []byte) (int, error) {
				if left--; left < 0 {
					return 0, io.EOF
				}
				time.Sleep(900 * time.Millisecond)
				return copy(p, "1"), nil
			})
		})
		if answer, err := c.Do(t.Context(), rest.Request{}); err != nil || string(answer.Body) != "11111111" {
			t.Errorf("got %v", err)
		}
	})
}

func TestTimeoutOfTheWholeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := unreal(t, func(r *http.Request) (*http.Response, error) {
			return answering(r, func(p []byte) (int, error) { // a byte now and then, for ever
				select {
				case <-r.Context().Done():
					return 0, r.Context().Err()
				case <-time.After(700 * time.Millisecond):
					return copy(p, "1"), nil
				}
			})
		})
		_, err := c.Do(t.Context(), rest.Request{Method: "POST"})
		right := errors.Is(err, rest.ErrTimeout) && rest.IsStatus(err, 200) && rest.WasSent(err) == rest.SentYes
		if !right || !strings.Contains(err.Error(), "broke off after 14 bytes") { // ten times the time-out of a second
			t.Errorf("got %v, sent %v", err, rest.WasSent(err))
		}
	})
}

// TestTimeoutOfAStream checks that a stream and its reader may take any time, and that only silence ends it.
func TestTimeoutOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 5
		c := unreal(t, func(r *http.Request) (*http.Response, error) {
			return answering(r, func(p []byte) (int, error) {
				if left--; left < 0 {
					return 0, stalled(r.Context())
				}
				<-time.After(900 * time.Millisecond) // of the bubble
				return copy(p, "1"), nil
			})
		})
		stream, err := c.Stream(t.Context(), rest.Request{})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		got := ""
		for {
			var p [8]byte
			n, err := stream.Body.Read(p[:])
			got += string(p[:n])
			if err != nil {
				if got != "11111" || !errors.Is(err, rest.ErrTimeout) || !strings.Contains(err.Error(),
					"broke off after 5 bytes") {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			<-time.After(time.Hour) // of the bubble
		}
	})
}

// TestTimeoutDoesNotCountTheUpload checks that the timeout of a large request starts again with each piece of it: its
// upload may take long, but then the answer must come in time.
func TestTimeoutDoesNotCountTheUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := ""
		answer := true
		c := unreal(t, func(r *http.Request) (*http.Response, error) {
			b, err := io.ReadAll(r.Body)
			if got = string(b); err != nil || !answer {
				return nil, errors.Join(err, stalled(r.Context()))
			}
			return answering(r, func([]byte) (int, error) { return 0, io.EOF })
		})
		slow := func() (io.ReadCloser, error) {
			left := 6
			return io.NopCloser(readerFunc(func(p []byte) (int, error) {
				if left--; left < 0 {
					return 0, io.EOF
				}
				<-time.After(900 * time.Millisecond) // of the bubble
				return copy(p, "x"), nil
			})), nil
		}
		if _, err := c.Do(t.Context(), rest.Request{Method: "POST", Body: slow}); err != nil || got != "xxxxxx" {
			t.Errorf("%q, %v", got, err)
		}
		answer = false
		if _, err := c.Do(t.Context(), rest.Request{Method: "POST", Body: slow}); !errors.Is(err, rest.ErrTimeout) ||
			got != "xxxxxx" {
			t.Errorf("%q, %v", got, err)
		}
	})
}
