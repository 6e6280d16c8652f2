package rest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

// squeezed answers with text that repeats, compressed with gzip.
func squeezed(head, text string, times int, tail string) (http.HandlerFunc, int) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, head)
	piece := []byte(strings.Repeat(text, 1000))
	for range times / 1000 {
		_, _ = z.Write(piece)
	}
	_, _ = io.WriteString(z, tail)
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b.Bytes())
	}, b.Len()
}

// TestAnswersBeyondABound checks that a few bytes on the wire cannot become many in memory: an answer is checked
// before it is decoded. A refused one is not retried.
func TestAnswersBeyondABound(t *testing.T) {
	deep := rest.MaxDepth + 1
	for name, c := range map[string]struct {
		head, text string
		times      int
		tail       string
		refused    bool
	}{
		"many empty objects": {"[", "{},", rest.MaxValues/2 + 1000, "{}]", true},
		"many members":       {"{", `"a":0,`, rest.MaxValues/2 + 1000, `"b":0}`, true},
		"many lists":         {"\ufeff [", "[],", rest.MaxValues/2 + 1000, "[]]", true},
		"too deep":           {strings.Repeat("[", deep), "", 0, strings.Repeat("]", deep), true},
		"too deep, cut off":  {strings.Repeat(`{"a":`, deep), "", 0, "", true},
		"deep enough":        {strings.Repeat("[", deep-1), "", 0, strings.Repeat("]", deep-1), false},
		"a long text":        {`["`, `{[,:\"`, 100_000, `"]`, false},
		"many small ones":    {"[", "{},", rest.MaxValues/2 - 2000, "{}]", false},
		"too many bytes":     {`"`, "0123456789", 1_000_000, `"`, true},
		"a text too long":    {`{"a": "`, "0123456789", rest.MaxText/10 + 1000, `"}`, true},
		"a text alone":       {`"`, "0123456789", rest.MaxText/10 + 1000, `"`, true},
		"a name too long":    {`[{"`, "0123456789", rest.MaxText/10 + 1000, `":1}]`, true},
		"a number too long":  {`[1, `, "0123456789", rest.MaxText/10 + 1000, `]`, true},
		"much space":         {`[1, `, "          ", rest.MaxText/10 + 1000, `2]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer, sent := squeezed(c.head, c.text, c.times, c.tail)
			s := serve(t, answer)
			client := connect(t, s, func(o *rest.Options) { o.MaxBytes = 8 << 20 })
			got, err := client.Do(t.Context(), rest.Request{})
			var e *rest.Error
			switch {
			case !c.refused && err != nil:
				t.Error(err)
			case c.refused && (!errors.Is(err, rest.ErrBound) || !errors.As(err, &e) || e.Retryable || s.count() != 1):
				t.Errorf("%d bytes of gzip: %v, %v", sent, got != nil, err)
			}
		})
	}
}

// TestMessagesOfAnyLength checks that the text of an error is searched for secrets only as far as it is fast,
// wherever the text comes from.
func TestMessagesOfAnyLength(t *testing.T) {
	long := strings.Repeat(`%25&amp;YWJj\u0041`, 2<<20)
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"a title": {200, "<html><title>" + long + "</title>"}, "a title of an error": {500, "<html><title>" + long},
		"a text": {400, `{"message":"` + long}, "no JSON": {200, long},
	} {
		s := serve(t, text(c.status, "text/html", c.body))
		client := connect(t, s, func(o *rest.Options) { o.Secrets, o.MaxRetries = []string{"hunter22"}, -1 })
		var v any
		err := client.Get(t.Context(), rest.Request{}, &v)
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

// endless answers with an endless gzip stream.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z, piece := gzip.NewWriter(w), bytes.Repeat([]byte("[{},{}]"), 10_000)
	for r.Context().Err() == nil {
		if _, err := z.Write(piece); err != nil || z.Flush() != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
	}
}

func TestStreamBeyondItsBound(t *testing.T) {
	s := serve(t, endless)
	client := connect(t, s, func(o *rest.Options) { o.MaxStream = 3 << 20 })
	stream, err := client.Stream(t.Context(), rest.Request{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, stream.Body)
	var e *rest.Error
	if !errors.Is(err, rest.ErrBound) || !errors.As(err, &e) || e.Retryable || n > 3<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = stream.Body.Close()
	_, err = client.Do(t.Context(), rest.Request{Method: "POST"})
	if !errors.Is(err, rest.ErrBound) {
		t.Errorf("a whole answer: %v", err)
	}
}

func TestHeadersBeyondTheirBound(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 1000 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
		}
	})
	client := connect(t, s, func(o *rest.Options) { o.MaxRetries = -1 })
	if _, err := client.Do(t.Context(), rest.Request{}); err == nil || !strings.Contains(err.Error(), "header") {
		t.Errorf("got %v", err)
	}
}
