package host

import (
	"bytes"
	"sync"
)

// kept is a stream of output as far as it is kept. The rest is read all the same: a program whose output nobody
// reads stands still.
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
