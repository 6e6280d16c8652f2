// Package prompt reads what a person types.
package prompt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// Lines reads an input line by line. A read can be canceled: a line that comes after that is the result of the next
// read.
type Lines struct {
	mu      sync.Mutex
	r       *bufio.Reader
	file    *os.File // nil if the input is not a file
	answers chan answer
	reading bool
}

type answer struct {
	text string
	err  error
}

// NewLines returns Lines that read from r.
func NewLines(r io.Reader) *Lines {
	file, _ := r.(*os.File)
	return &Lines{r: bufio.NewReader(r), file: file, answers: make(chan answer, 1)}
}

// ErrNobody means that nobody can be asked.
var ErrNobody = errors.New("nobody can be asked: standard input has ended")

// Read returns the next line without its end, ErrNobody at the end of the input, or the context's error.
func (l *Lines) Read(ctx context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.reading {
		l.reading = true
		go func() {
			text, err := l.r.ReadString('\n')
			if err != nil && text != "" {
				err = nil // a last line without an end is an answer too
			}
			l.answers <- answer{strings.TrimRight(text, "\r\n"), err}
		}()
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-l.answers:
		l.reading = false
		if a.err != nil {
			return "", ErrNobody
		}
		return a.text, nil
	}
}

// ReadHidden is Read on a terminal that does not show what is typed. The terminal is restored before it returns.
func (l *Lines) ReadHidden(ctx context.Context) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if l.file == nil {
		return "", ErrNobody // what is typed would be shown
	}
	// Hidden and restored here, not in the reading goroutine, which may go on after Read was canceled.
	show, err := hide(int(l.file.Fd()))
	if err != nil {
		return "", fmt.Errorf("reading without showing what is typed: %w", err)
	}
	defer show()
	return l.Read(ctx)
}
