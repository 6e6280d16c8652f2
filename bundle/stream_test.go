package bundle

import (
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/syncctl/syncctl/signing"
)

// mostOfMemory is what writing and reading together may take, in bytes, however large the bundle is.
const mostOfMemory = 50 << 20

// generated is a file that is nowhere, and watches the memory while it is read.
type generated struct {
	left int64
	next byte
	n    int
	peak *uint64
}

func (g *generated) Read(p []byte) (int, error) {
	if g.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), g.left)]
	for i := range p {
		p[i] = g.next
		g.next++
	}
	g.left -= int64(len(p))
	if g.n++; g.n%256 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*g.peak = max(*g.peak, m.HeapInuse+m.StackInuse)
	}
	return len(p), nil
}

func (g *generated) Close() error { return nil }

// TestStream: a bundle of any size is written and read in little memory: two gigabytes for the night, and always more
// than the memory that is allowed.
func TestStream(t *testing.T) {
	size := int64(mostOfMemory) + 20<<20
	if os.Getenv("SYNCCTL_TEST_ALL") != "" {
		size = 2 << 30
	}
	runtime.GC() // what other tests have left
	peak := uint64(0)
	parts := []Source{text("plan.json", "{}"), {Name: "files/export.zip", Size: size,
		Open: func() (io.ReadCloser, error) { return &generated{left: size, peak: &peak}, nil }}}
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		_, err := Write(t.Context(), w, first(), []Receiver{{Site: "globex", Keys: []string{eve.line}}}, parts, ada.sign)
		w.CloseWithError(err)
		written <- err
	}()
	b, err := Read(t.Context(), r, Options{Keys: []*signing.Private{eve.key(t)}, Limits: DefaultLimits, Site: "globex"})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if b.Parts[1].Size != size {
		t.Errorf("%d bytes, want %d", b.Parts[1].Size, size)
	}
	if peak == 0 || peak > mostOfMemory {
		t.Errorf("it took %d bytes of memory, and may take %d", peak, mostOfMemory)
	}
	t.Logf("%d MiB through %d MiB of memory", size>>20, peak>>20)
}
