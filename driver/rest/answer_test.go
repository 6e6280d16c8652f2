package rest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/syncctl/syncctl/driver/rest"
)

func TestServersWords(t *testing.T) {
	const json, page = "application/json;charset=UTF-8", "text/html;charset=UTF-8"
	for _, c := range []struct{ contentType, body, want string }{
		{json, `{"errorMessages":["Issue does not exist","or no permission"],"errors":{}}`,
			"Issue does not exist; or no permission"},
		{json, `{"errorMessages":[],"errors":{"summary":"is required","b":7}}`, "b: 7; summary: is required"},
		{json, `{"message":"conflicts exist","status-code":409}`, "conflicts exist"},
		{json, `{"error":"invalid","error_description":"bad token"}`, "invalid; bad token"},
		{json, `{"code":7}`, `{"code":7}`},
		{json, `["a", "b"]`, `["a","b"]`},
		{json, `{"mess`, `{"mess`},
		{page, "<html><head><title>\n Oops &amp;\tco</title>secret markup", `answered with an HTML page titled "Oops & co"`},
		{json, `{"no":"<\u0063anary\">"}`, `{"no":"<REDACTED>"}`},
		{"text/plain", `{"no":"<canary\">"`, `{"no":"<REDACTED>"`},
		{page, "<title>canary&quot;</title>", `answered with an HTML page titled "REDACTED"`},
		{page, "<html>no title", "answered with an HTML page"},
		{page, "<title>Log in - Jira</title>", "answered with a login page (are the credentials right? is the address?)"},
		{"", "<!doctype html><title>x</title>", `answered with an HTML page titled "x"`},
		{"text/xml", `<?xml version="1.0"?><status/>`, "answered with XML"},
		{"text/plain", "line one\r\n  line two\t\x1b[31mred\x07 \u202eabc \xff",
			`line one line two \x1b[31mred\x07 \u202eabc \xff`},
		{"text/plain", "", ""},
	} {
		s := serve(t, text(409, c.contentType, c.body))
		client := connect(t, s, func(o *rest.Options) { o.Secrets = []string{`canary"`} })
		_, err := client.Do(t.Context(), rest.Request{Method: "POST", Path: "x"})
		var e *rest.Error
		if !errors.As(err, &e) || e.Message != c.want {
			t.Errorf("%s: got %+v, want %q", c.body, e, c.want)
			continue
		}
		want := "POST " + s.URL + "/jira/x: status 409 (Conflict)"
		if c.want != "" {
			want += ": " + c.want
		}
		if err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
}

func TestServersWordsAreShortened(t *testing.T) {
	s := serve(t, text(400, "text/plain", strings.Repeat("ä", 1000)))
	_, err := connect(t, s, nil).Do(t.Context(), rest.Request{})
	var e *rest.Error
	if !errors.As(err, &e) || utf8.RuneCountInString(e.Message) != 300 || !strings.HasSuffix(e.Message, "ä…") {
		t.Errorf("got %+v", e)
	}
}

func TestDecodeJSON(t *testing.T) {
	for _, c := range []struct{ contentType, body, want string }{
		{"application/json", `{"x":1}`, ""},
		{"application/json; charset=ISO-8859-1", `{"x":1}`, ""},
		{"text/plain", " \ufeff{\"x\":1}\n", "the answer is not the JSON"},
		{"text/plain", "\ufeff{\"x\":1}\n", ""},
		{"text/html", `{"x":1}`, ""},
		{"application/json", "", "answered nothing where JSON was expected"},
		{"application/json", `{"x":1} {}`, "not the JSON that was expected: invalid character '{' after top-level value"},
		{"application/json", `{"x":"1"}`, "not the JSON that was expected: json: cannot unmarshal string"},
		{"application/json", `<html><title>Dashboard</title>`,
			`answered with an HTML page titled "Dashboard" where JSON was expected`},
		{"text/html", `<html>`, "answered with an HTML page where JSON was expected"},
	} {
		s := serve(t, text(200, c.contentType, c.body))
		client := connect(t, s, nil)
		answer, err := client.Do(t.Context(), rest.Request{})
		if err != nil {
			t.Fatal(err)
		}
		var v struct{ X int }
		for _, err := range []error{answer.DecodeJSON(&v), client.Get(t.Context(), rest.Request{}, &v)} {
			if c.want == "" && (err != nil || v.X != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(),
				c.want) || !rest.IsStatus(err, 200)) {
				t.Errorf("%q: got %d, %v, want %s", c.body, v.X, err, c.want)
			}
		}
	}
}

// TestLoginPage checks that a login page with status 200, which servers may send as any answer, is not taken for
// success.
func TestLoginPage(t *testing.T) {
	for _, body := range []string{"<title>Log in - Jira</title>",
		"\n<!DOCTYPE html>\n<html><title>Sign-in</title>", "<title>Example SSO</title>"} {
		s := serve(t, text(200, "text/html", body))
		c := connect(t, s, nil)
		_, err := c.Do(t.Context(), rest.Request{Method: "POST"})
		if err == nil || !strings.Contains(err.Error(), "answered with a login page: are the credentials right?") {
			t.Errorf("Do: %v", err)
		}
		_, err = c.Stream(t.Context(), rest.Request{})
		if err == nil || !strings.Contains(err.Error(), "answered with a login page: are the credentials right?") ||
			s.count() != 2 {
			t.Errorf("Stream: %v after %d requests", err, s.count())
		}
	}
}

func TestLargestAnswer(t *testing.T) {
	for size, refused := range map[int]bool{100: false, 101: true} {
		s := serve(t, text(200, "application/json", strings.Repeat("1", size)))
		c := connect(t, s, func(o *rest.Options) { o.MaxBytes = 100 })
		answer, err := c.Do(t.Context(), rest.Request{})
		if refused && (err == nil || !strings.Contains(err.Error(), "larger than 100 bytes") || s.count() != 1) ||
			!refused && (err != nil || len(answer.Body) != size) {
			t.Errorf("%d bytes: %v", size, err)
		}
		stream, err := c.Stream(t.Context(), rest.Request{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(stream.Body)
		if err != nil || len(b) != size || stream.Length != int64(size) {
			t.Errorf("streamed %d bytes of %d, %v", len(b), size, err)
		}
		_ = stream.Body.Close()
	}
}

func TestStream(t *testing.T) {
	large := strings.Repeat("0123456789", 100_000)
	s := serve(t, status(503), cut, text(200, "text/html", large))
	stream, err := connect(t, s, nil).Stream(t.Context(), rest.Request{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(stream.Body)
	if err != nil || string(b) != large || stream.Status != 200 || s.count() != 3 {
		t.Errorf("%d bytes, %v, %d requests", len(b), err, s.count())
	}
	if err := stream.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestStreamRefuses(t *testing.T) {
	s := serve(t, status(404))
	if _, err := connect(t, s, nil).Stream(t.Context(), rest.Request{}); !rest.IsStatus(err, 404) {
		t.Errorf("got %v", err)
	}
	s = serve(t, text(200, "text/html", " <html><title>Dashboard</title>"))
	_, err := connect(t, s, nil).Stream(t.Context(), rest.Request{})
	if err == nil || !strings.Contains(err.Error(), `an HTML page titled "Dashboard" where data was expected`) {
		t.Errorf("got %v", err)
	}
	stream, err := connect(t, s, nil).Stream(t.Context(), rest.Request{Header: http.Header{"Accept": {"text/html"}}})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(stream.Body); err != nil || !strings.Contains(string(b), "Dashboard") {
		t.Errorf("a page that was asked for: %q, %v", b, err)
	}
	_ = stream.Body.Close()
}

func TestStreamThatBreaksOff(t *testing.T) {
	s := serve(t, half)
	stream, err := connect(t, s, nil).Stream(t.Context(), rest.Request{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	b, err := io.ReadAll(stream.Body)
	var e *rest.Error
	if string(b) != "[1234" || !errors.As(err, &e) || !errors.Is(err, io.ErrUnexpectedEOF) || !e.Retryable ||
		!strings.Contains(err.Error(), "broke off after 5 bytes") || strings.Contains(err.Error(), "EOF") {
		t.Errorf("%q, %+v", b, e)
	}
	if s.count() != 1 {
		t.Errorf("%d requests", s.count())
	}
}

// TestStreamClosedEarly checks that a stream that is not read to its end does not keep its connection.
func TestStreamClosedEarly(t *testing.T) {
	gone := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	stream, err := connect(t, s, nil).Stream(t.Context(), rest.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stream.Body, make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if err := stream.Body.Close(); err != nil {
		t.Error(err)
	}
	<-gone
}

func TestWasSent(t *testing.T) {
	if got := rest.WasSent(nil); got != rest.SentYes {
		t.Errorf("success: %v", got)
	}
	if got := rest.WasSent(errors.New("foreign")); got != rest.SentMaybe {
		t.Errorf("a foreign error: %v", got)
	}
	if got := rest.WasSent(fmt.Errorf("starting: %w", &rest.Error{Sent: rest.SentNo})); got != rest.SentNo {
		t.Errorf("a wrapped error: %v", got)
	}
	if rest.IsStatus(nil, 0) || rest.IsStatus(errors.New("foreign"), 0) {
		t.Error("no answer passes for a status")
	}
}

// FuzzServersWords checks that errors show one short line of a server's answer, without control characters.
func FuzzServersWords(f *testing.F) {
	for _, seed := range []string{`{"errorMessages":["a"],"errors":{"b":null}}`, "<title>x</title>", "\x1b[2J", "<?xml"} {
		f.Add(409, "text/html", seed)
		f.Add(200, "application/json", seed)
	}
	f.Fuzz(func(t *testing.T, code int, contentType, body string) {
		if code < 200 || code > 599 || code/100 == 5 || code == 429 {
			return
		}
		c, err := rest.New(rest.Options{BaseURL: "https://jira.example", MaxRetries: -1, Transport: canned{code,
			contentType, body}, Secrets: []string{"canary"}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.Do(t.Context(), rest.Request{})
		if err == nil {
			var v any
			err = answer.DecodeJSON(&v)
		}
		if err == nil {
			return
		}
		shown := err.Error()
		if utf8.RuneCountInString(shown) > 420 || strings.ContainsFunc(shown,
			func(r rune) bool { return !unicode.IsGraphic(r) }) || strings.Contains(shown, "canary") {
			t.Errorf("%q shows as %q", body, shown)
		}
	})
}

type canned struct {
	code              int
	contentType, body string
}

func (a canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.code, Header: http.Header{"Content-Type": {a.contentType}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// TestPartOfAnAnswer checks that an answer that says that it is only a part, or was changed on the way, is an error
// for every caller, and is not retried. An incomplete list would say that something is gone.
func TestPartOfAnAnswer(t *testing.T) {
	list := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "[1]")
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		part   bool
	}{
		"partial content":         {list(206, "Content-Range", "bytes 0-2/500"), true},
		"without saying of what":  {list(206), true},
		"a range, and status 200": {list(200, "Content-Range", "items 0-1/500"), true},
		"a delta":                 {list(226, "IM", "diffe"), true},
		"the whole":               {list(200), false},
		"made":                    {list(201), false},
		"changed on the way":      {list(203), true},
	} {
		s := serve(t, c.answer)
		client := connect(t, s, nil)
		var got []int
		asked := map[string]error{"Get": client.Get(t.Context(), rest.Request{}, &got)}
		_, asked["Do"] = client.Do(t.Context(), rest.Request{Method: "POST", Bytes: []byte("x")})
		stream, err := client.Stream(t.Context(), rest.Request{})
		if asked["Stream"] = err; err == nil {
			_ = stream.Body.Close()
		}
		for how, err := range asked {
			if errors.Is(err, rest.ErrPart) != c.part || (err != nil) != c.part || c.part && rest.WasSent(err) != rest.SentYes {
				t.Errorf("%s, %s: %v", name, how, err)
			}
		}
		if s.count() != len(asked) || c.part == (len(got) > 0) {
			t.Errorf("%s: %d requests, %v", name, s.count(), got)
		}
	}
}
