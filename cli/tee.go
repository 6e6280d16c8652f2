package cli

import (
	"io"
	"strings"
	"sync"
)

// remember keeps what was written.
type remember struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *remember) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *remember) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Reset()
}

// teeTo writes to both.
type teeTo struct{ to, also io.Writer }

func (t teeTo) Write(p []byte) (int, error) {
	if n, err := t.to.Write(p); err != nil {
		return n, err
	}
	return t.also.Write(p)
}
