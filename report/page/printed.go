package page

import (
	"fmt"
	"io"
	"strings"

	"github.com/syncctl/syncctl/printable"
)

// Printed writes the output of a program as a comment of at most the given number of characters, in a block of code.
// If it is too long, its end is kept, and the number of omitted lines is written before it.
func Printed(w io.Writer, title, text string, most int) error {
	head := fmt.Sprintf("%s\n### %s\n\n", CommentMark, printable.Markdown(title))
	room := most - roomForNote - length(head)
	lines := strings.Split(strings.TrimRight(printable.Text(text), "\n"), "\n")
	kept := len(lines)
	for kept > 0 {
		if room -= length(lines[kept-1]) + 1; room < 0 {
			break
		}
		kept--
	}
	if kept > 0 {
		head += fmt.Sprintf("**Left out, because a comment may not be longer:** the first %d lines.\n\n", kept)
	}
	_, err := io.WriteString(w, head+printable.MarkdownBlock("text", strings.Join(lines[kept:], "\n")))
	return err
}
