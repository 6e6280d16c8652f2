package page_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/report/page"
	"github.com/syncctl/syncctl/report/reporttest"
)

// TestPrinted: what a program has printed is text in a comment, of which the end is kept where there is too much.
func TestPrinted(t *testing.T) {
	printed := func(title, text string, most int) string {
		var b bytes.Buffer
		if err := page.Printed(&b, title, text, most); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, name := range reporttest.Hostile {
		text := printed(strings.ReplaceAll(name, "\n", " "), name, page.MostOfComment)
		plainMarkdown(t, text)
		if !strings.HasPrefix(text, page.CommentMark+"\n### ") {
			t.Errorf("%q", text)
		}
	}
	long := strings.Repeat("a line 💥\n", 20000) + "the error"
	for _, most := range []int{page.MostOfComment, 2000} {
		text := printed("Failed", long, most)
		if length(text) > most || !strings.HasSuffix(text, "the error\n```\n") || !strings.Contains(text, "Left out") {
			t.Errorf("%d characters: %s", length(text), text[:200])
		}
	}
	text := printed("Failed", "one\ntwo\n", 2000)
	if strings.Contains(text, "Left out") || !strings.Contains(text, "one\ntwo\n") {
		t.Error(text)
	}
}
