package rest

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const redacted = "REDACTED"

// minSecret is the length below which a secret is not looked for: it would be found everywhere. declare warns of such
// a secret.
const minSecret = 4

// newScrubber replaces secrets in whatever form a server or a library may repeat them.
func newScrubber(secrets []string) *strings.Replacer {
	var forms []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		escaped, _ := json.Marshal(s) // a string always can be
		for _, quoted := range []string{string(escaped), plainJSON(s), strconv.Quote(s)} {
			quoted = strings.TrimSpace(quoted)
			forms = append(forms, quoted[1:len(quoted)-1])
		}
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s),
			base64.StdEncoding.EncodeToString([]byte(s)), base64.RawStdEncoding.EncodeToString([]byte(s)),
			base64.URLEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	// The longest first: of "user:password" nothing may stay because "user" was found before.
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, redacted)
	}
	return strings.NewReplacer(pairs...)
}

// plainJSON is v as JSON with < and & as they are.
func plainJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings, and what was decoded from JSON, always can be
	return b.String()
}

func (c *Client) scrub(text string) string { return c.scrubber.Load().Replace(text) }

var secretParameter = regexp.MustCompile(`(?i)pass|pwd|token|secret|credential|api_?key|auth|session|signature`)

// redactURL shows a URL without its user and without the values of parameters that are named like a secret.
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
