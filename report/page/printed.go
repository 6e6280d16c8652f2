package page

import (
	"fmt"
	"io"
	"strings"

	"github.com/syncctl/syncctl/printable"
)

// Printed writes what a program has printed for a comment of at most so many characters: as it is, in a block of code.
// Where there is too much of it, its end is kept, and how many lines were left out is said before it.
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
