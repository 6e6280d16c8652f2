package page

import (
	"strings"

	"github.com/syncctl/syncctl/redact"
)

// Masked removes secrets from the texts of one of our pages, each text by itself. Markup, style sheet and the values
// of forms stay as they are: a secret may be a word that occurs there, such as `password`, or be declared as a piece
// of markup, without which texts of others would become markup. No attribute of our pages has a text of others, and
// `>` is escaped in them. Most texts occur many times, and are searched once.
func Masked(html string, secrets *redact.Set) string {
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

// indexOr returns the index of part in text, or the length of text if there is none.
func indexOr(text, part string) int {
	if at := strings.Index(text, part); at >= 0 {
		return at
	}
	return len(text)
}
