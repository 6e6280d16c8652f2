package page

import (
	"strings"

	"github.com/syncctl/syncctl/redact"
)

// masked is one of our pages with the secrets taken out of its texts. Its markup, its sheet, and what its forms send
// stay as they are: a secret may be a word that stands there, such as `password`.
func masked(html string, secrets *redact.Set) string { return secrets.Within(html, textsOf(html)) }

// textsOf is what stands between the tags of a page. In its attributes, `>` is escaped.
func textsOf(html string) []redact.Span {
	var out []redact.Span
	for at := 0; at < len(html); {
		open := at + indexOr(html[at:], "<")
		if open > at {
			out = append(out, redact.Span{From: at, To: open})
		}
		if strings.HasPrefix(html[open:], "<style>") {
			open += indexOr(html[open:], "</style")
		}
		at = min(len(html), open+indexOr(html[open:], ">")+1)
	}
	return out
}

// indexOr is where a part begins in a text, or else the text's end.
func indexOr(text, part string) int {
	if at := strings.Index(text, part); at >= 0 {
		return at
	}
	return len(text)
}
