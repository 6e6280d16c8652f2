package host

import (
	"bytes"
	"sync"
)

// kept is an output stream, kept up to a limit. The rest is read and dropped, because a program blocks if nobody
// reads its output.
type kept struct {
	mu    sync.Mutex
	limit int64
	b     bytes.Buffer
	seen  int64
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen += int64(len(p))
	k.b.Write(p[:min(int64(len(p)), k.limit-int64(k.b.Len()))])
	return len(p), nil
}

func (k *kept) text() (text string, cut bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.String(), k.seen > int64(k.b.Len())
}

func (k *kept) count() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}
