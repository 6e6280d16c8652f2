package prompt

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestLines checks that a line that comes late answers the next question, and that the end of the input is ErrNobody.
func TestLines(t *testing.T) {
	r, w := io.Pipe()
	in := NewLines(r)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.Read(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's end", err)
	}
	go func() {
		_, _ = io.WriteString(w, "yes\r\nlast")
		_ = w.Close()
	}()
	for _, want := range []string{"yes", "last"} {
		if got, err := in.Read(t.Context()); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if _, err := in.Read(t.Context()); !errors.Is(err, ErrNobody) {
		t.Errorf("%v, want nobody", err)
	}
}
