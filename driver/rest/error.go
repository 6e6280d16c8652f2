package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/lazyregexp"
)

// Sent reports whether a request that failed reached the server.
type Sent int

// The values of Sent, in the order of what may have happened.
const (
	SentNo    Sent = iota // certainly not: nothing was written to a connection
	SentMaybe             // it was written, at least in part, and no answer came: the server may have carried it out
	SentYes               // the server answered; Status says what
)

func (s Sent) String() string {
	return [...]string{"no", "maybe", "yes"}[s]
}

// ErrAddress is wrapped by the error for an answer that seems to come from something else: a redirect, or a page
// where data was expected. Drivers also wrap it for a 404 of a path that their product always has.
var ErrAddress = errors.New("is the address right, with its port and path?")

// Error is the error of a failed request. None of its texts contains a secret or a control character.
type Error struct {
	Method    string
	URL       string // without the user; values of query parameters with names of secrets are replaced
	Status    int    // 0 if there was no answer
	Message   string // the server's own words, at most 300 characters, or why there was no answer
	Sent      Sent   // over all attempts, except those answered with 429 before the last one
	Retryable bool   // the same request may succeed later, and repeating it can do no harm
	Attempts  int

	retryAfter time.Duration // wait that an answer that is not 2xx asked for
	permanent  bool          // retrying does not help
	brokenOff  bool          // the status came, but not the rest
	answer     []byte        // the part of the body that came
	header     http.Header   // of an answer that is not 2xx
	cause      error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.URL)
	if e.Status != 0 {
		fmt.Fprintf(&b, "status %d", e.Status)
		if text := http.StatusText(e.Status); text != "" {
			fmt.Fprintf(&b, " (%s)", text)
		}
		if e.Message != "" {
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Message)
	if e.retryAfter > maxRetryAfter {
		fmt.Fprintf(&b, "; it asks to come back in %s", e.retryAfter.Round(time.Second))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	return b.String()
}

// Unwrap returns the cause for errors.Is: context.Canceled, ErrTimeout and the like. Its own text must not be shown.
func (e *Error) Unwrap() error { return e.cause }

// RetryAfter returns how long the server asked to wait before the next attempt, or false if it did not say.
func (e *Error) RetryAfter() (time.Duration, bool) {
	return max(e.retryAfter, 0), e.retryAfter != noRetryAfter
}

// Header returns a header of the server's answer, or "" if there was no answer or it is not set.
func (e *Error) Header(name string) string { return e.header.Get(name) }

// Says reports whether the server's answer contains a word, in any markup and case. Message has no markup, and only
// the title of a page.
func (e *Error) Says(word string) bool {
	return bytes.Contains(bytes.ToLower(e.answer), bytes.ToLower([]byte(word)))
}

// IsStatus reports whether err is an answer with one of the statuses.
func IsStatus(err error, status ...int) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(status, e.Status)
}

// WasSent returns how far the request of err got. For an error of another package everything is possible: SentMaybe.
// nil is SentYes.
func WasSent(err error) Sent {
	var e *Error
	switch {
	case err == nil:
		return SentYes
	case errors.As(err, &e):
		return e.Sent
	}
	return SentMaybe
}

// fail completes an error, so that it can be shown.
func (c *Client) fail(k *call, e *Error) *Error {
	e.Method, e.URL = k.Method, k.shown
	text := e.Message
	if len(text) > maxForeign {
		text = text[:maxForeign] + "…"
	}
	e.Message = wording.Message(c.given.scrub(c.scrub(text)), maxMessage)
	return e
}

const (
	maxMessage = 300 // characters
	// maxForeign is the length of a message that is searched for secrets, in bytes. It is much more than is shown, as
	// secrets may be removed, and small enough that a text made to take long does not.
	maxForeign    = 16 << 10
	maxErrorBytes = 64 << 10 // bytes of an error's answer that are read
)

// messageOf returns what a server says in an answer that is an error.
func messageOf(contentType string, body []byte) string {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 {
		return ""
	}
	if body[0] == '<' || strings.Contains(strings.ToLower(contentType), "html") {
		return "answered with " + pageOf(body)
	}
	if words := jsonMessage(body); words != "" {
		return words
	}
	var v any
	if json.Unmarshal(body, &v) == nil { // encoded again, in one line and with letters instead of escapes
		return strings.TrimSpace(plainJSON(v))
	}
	return string(body)
}

// jsonMessage returns the text of the forms of error that servers use: lists of errorMessages and errors, and the
// usual single members.
func jsonMessage(body []byte) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	var words []string
	var list []string
	if json.Unmarshal(members["errorMessages"], &list) == nil {
		words = append(words, list...)
	}
	var fields map[string]any
	if json.Unmarshal(members["errors"], &fields) == nil {
		var lines []string
		for name, text := range fields {
			lines = append(lines, fmt.Sprintf("%s: %v", name, text))
		}
		slices.Sort(lines)
		words = append(words, lines...)
	}
	for _, name := range []string{"message", "error", "error_description", "detail", "title"} {
		var text string
		if json.Unmarshal(members[name], &text) == nil && text != "" && !slices.Contains(words, text) {
			words = append(words, text)
		}
	}
	return strings.Join(words, "; ")
}

var (
	title = lazyregexp.New(`(?is)<title[^>]*>(.*?)</title`)
	login = lazyregexp.New(`(?i)\b(log|sign)[ _-]?(in|on)\b|\blogin|\bsso\b|\bsaml|\boauth|anmelden`)
)

func titleOf(page []byte) string {
	m := title.FindSubmatch(page[:min(len(page), peekBytes)])
	if m == nil {
		return ""
	}
	return strings.TrimSpace(html.UnescapeString(string(m[1])))
}

// pageOf describes a page by its title, because the rest is markup.
func pageOf(page []byte) string {
	page = page[:min(len(page), peekBytes)]
	if bytes.HasPrefix(page, []byte("<?xml")) && !bytes.Contains(bytes.ToLower(page), []byte("<html")) {
		return "XML"
	}
	t := titleOf(page)
	switch {
	case looksLikeLogin(t):
		return "a login page (are the credentials right? is the address?)"
	case t == "":
		return "an HTML page"
	}
	return `an HTML page titled "` + t + `"`
}

// looksLikeLogin reports whether a page's title or a URL's path looks like that of a login page.
func looksLikeLogin(text string) bool { return login.MatchString(text) }
