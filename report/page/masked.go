package page

import (
	"strings"

	"github.com/syncctl/syncctl/redact"
)

// masked is one of our pages with the secrets taken out of its texts, each by itself. Its markup, its sheet, and what
// its forms send stay as they are: a secret may be a word that stands there, such as `password`. In its attributes, `>`
// is escaped. Most texts stand there many times, and are looked at once.
func masked(html string, secrets *redact.Set) string {
	if secrets == nil {
		return html
	}
	var b strings.Builder
	seen := map[string]string{}
	for at := 0; at < len(html); {
		open := at + indexOr(html[at:], "<")
		text := html[at:open]
		if _, known := seen[text]; !known {
			seen[text] = secrets.String(text)
		}
		b.WriteString(seen[text])
		if at = open; strings.HasPrefix(html[at:], "<style>") {
			at += indexOr(html[at:], "</style")
		}
		at = min(len(html), at+indexOr(html[at:], ">")+1)
		b.WriteString(html[open:at])
	}
	return b.String()
}

// indexOr is where a part begins in a text, or else the text's end.
func indexOr(text, part string) int {
	if at := strings.Index(text, part); at >= 0 {
		return at
	}
	return len(text)
}
