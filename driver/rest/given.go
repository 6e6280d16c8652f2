package rest

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/redact"
)

// given holds the values of the cookies that a server has set. Each may be the ID of a session that the server has
// opened for our credentials, whether it is used or not, and servers repeat it in redirects and in errors.
type given struct {
	mu     sync.Mutex
	values []string // those that were set last, in this order; it is replaced and never changed
}

// Which values are kept out of errors. A server may set new ones with every answer. A shorter one is not an ID, and may
// be a word.
const (
	mostGiven     = 32
	leastGiven    = 12      // bytes
	longestCookie = 4 << 10 // bytes
)

// note notes the cookies of an answer.
func (g *given) note(resp *http.Response) {
	lines := resp.Header.Values("Set-Cookie")
	if len(lines) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range lines {
		pair, _, _ := strings.Cut(line, ";")
		_, value, _ := strings.Cut(pair, "=")
		value = strings.Trim(value, " \t\"")
		if len(value) >= leastGiven && len(value) <= longestCookie {
			others := slices.DeleteFunc(slices.Clone(g.values), func(v string) bool { return v == value })
			g.values = append(others[max(0, len(others)+1-mostGiven):], value)
		}
	}
}

// scrub takes the values out of a text.
func (g *given) scrub(text string) string {
	g.mu.Lock()
	values := g.values
	g.mu.Unlock()
	if len(values) == 0 {
		return text
	}
	return redact.New(redacted, values...).String(text)
}

// noting passes each answer to given, including redirects, which http.Client follows by itself.
type noting struct {
	http.RoundTripper

	given *given
}

// RoundTrip implements http.RoundTripper.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.RoundTripper.RoundTrip(r)
	if err == nil {
		n.given.note(resp)
	}
	return resp, err
}

// CloseIdleConnections is called by http.Client.
func (n noting) CloseIdleConnections() {
	if c, ok := n.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
