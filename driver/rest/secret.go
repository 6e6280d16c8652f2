package rest

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

const redacted = "REDACTED"

// plainJSON returns v as JSON, with < and & unescaped.
func plainJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // cannot fail for strings and for what was decoded from JSON
	return b.String()
}

func (c *Client) scrub(text string) string { return c.scrubber.Load().String(text) }

var secretParameter = lazyregexp.New(`(?i)pass|pwd|token|secret|credential|api_?key|auth|session|signature`)

// redactURL returns a URL without its user, and without the values of parameters with names of secrets.
func redactURL(u *url.URL) string {
	shown := *u
	shown.User = nil
	if query := shown.Query(); len(query) > 0 {
		for name, values := range query {
			if secretParameter.MatchString(name) {
				for i := range values {
					values[i] = redacted
				}
			}
		}
		shown.RawQuery = query.Encode()
	}
	return shown.String()
}
