package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
)

// Sent tells whether a request that failed reached the server.
type Sent int

// The values of Sent, in the order of what may have happened.
const (
	SentNo    Sent = iota // certainly not: nothing was written to a connection
	SentMaybe             // it was written, wholly or in part, and no answer came: the server may have carried it out
	SentYes               // the server answered; Status says what
)

func (s Sent) String() string {
	return [...]string{"no", "maybe", "yes"}[s]
}

// ErrAddress is what the error of an answer wraps that seems to be somebody else's: a redirect, or a page where data
// was expected. A driver adds the 404 of a path that its product always has.
var ErrAddress = errors.New("is the address right, with its port and path?")

// Error is a request that failed. None of its texts holds a secret or a control character.
type Error struct {
	Method    string
	URL       string // without user; values of query parameters that are named like a secret replaced
	Status    int    // 0: there was no answer
	Message   string // the server's own words, at most 300 characters, or what kept us from its answer
	Sent      Sent   // over all attempts, but those that were answered 429 before the last
	Retryable bool   // the same request may succeed later, and repeating it can do no harm
	Attempts  int

	retryAfter time.Duration // what an answer that is not 2xx asked for
	permanent  bool          // no repetition mends it
	brokenOff  bool          // the status came, the rest did not
	answer     []byte        // all that came of the body
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

// Unwrap gives what errors.Is looks for: context.Canceled, ErrTimeout and the like. Its own text is not to be shown.
func (e *Error) Unwrap() error { return e.cause }

// RetryAfter is how long the server asked to wait before the next try, false if it did not say.
func (e *Error) RetryAfter() (time.Duration, bool) {
	return max(e.retryAfter, 0), e.retryAfter != noRetryAfter
}

// Header is a header of the server's answer, "" if there was none.
func (e *Error) Header(name string) string { return e.header.Get(name) }

// Says tells whether the server's answer has a word in it, in whatever markup and case. Message has no markup, and
// of a page no more than its title.
func (e *Error) Says(word string) bool {
	return bytes.Contains(bytes.ToLower(e.answer), bytes.ToLower([]byte(word)))
}

// IsStatus tells whether err is an answer with one of the statuses.
func IsStatus(err error, status ...int) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(status, e.Status)
}

// WasSent tells how far the request of err got. An error that is not of this package leaves all possible: SentMaybe.
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

// fail completes an error for showing.
func (c *Client) fail(k *call, e *Error) *Error {
	e.Method, e.URL = k.Method, k.shown
	text := e.Message
	if len(text) > maxForeign {
		text = text[:maxForeign] + "…"
	}
	e.Message = wording.Message(c.scrub(text), maxMessage)
	return e
}

const (
	maxMessage = 300 // characters
	// maxForeign is how much of a message is looked through for secrets, in bytes: much more than is shown, as secrets
	// may be left out, and little enough for what is written there to take long.
	maxForeign    = 16 << 10
	maxErrorBytes = 64 << 10 // of an error's answer that are read
)

// messageOf is what a server says in an answer that is an error.
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
	if json.Unmarshal(body, &v) == nil { // encoded again: in one line, with letters for their escapes
		return strings.TrimSpace(plainJSON(v))
	}
	return string(body)
}

// jsonMessage finds the words in the forms of error that servers use: lists of errorMessages and errors, and the
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
	title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	login = regexp.MustCompile(`(?i)\b(log|sign)[ _-]?(in|on)\b|\blogin|\bsso\b|\bsaml|\boauth|anmelden`)
)

func titleOf(page []byte) string {
	m := title.FindSubmatch(page[:min(len(page), peekBytes)])
	if m == nil {
		return ""
	}
	return strings.TrimSpace(html.UnescapeString(string(m[1])))
}

// pageOf names a page by its title: the rest is markup.
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

// looksLikeLogin judges a page's title or a URL's path.
func looksLikeLogin(text string) bool { return login.MatchString(text) }
