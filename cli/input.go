package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
)

// lines reads what a person types, a line at a time, and can be left waiting: a line that comes after its question was
// given up answers the next one.
type lines struct {
	mu      sync.Mutex
	r       *bufio.Reader
	answers chan typed
	reading bool
}

type typed struct {
	text string
	err  error
}

func newLines(r io.Reader) *lines {
	return &lines{r: bufio.NewReader(r), answers: make(chan typed, 1)}
}

// errNobody means that nobody can be asked.
var errNobody = errors.New("nobody can be asked: standard input has ended")

// read returns the next line without its end, errNobody when there is none, or the context's error.
func (l *lines) read(ctx context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.reading {
		l.reading = true
		go func() {
			text, err := l.r.ReadString('\n')
			if err != nil && text != "" {
				err = nil // a last line without its end is an answer too
			}
			l.answers <- typed{strings.TrimRight(text, "\r\n"), err}
		}()
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case t := <-l.answers:
		l.reading = false
		if t.err != nil {
			return "", errNobody
		}
		return t.text, nil
	}
}
