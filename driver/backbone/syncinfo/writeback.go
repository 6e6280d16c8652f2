package syncinfo

import "github.com/spf13/afero"

// writebackSize is the number of bytes after which the system is asked to bring them to the disk.
const writebackSize = 8 << 20

// writeback writes to a file that will be synced. It has the system bring the file to the disk while it is written, so
// that Sync has little to wait for.
type writeback struct {
	file        afero.File
	size, begun int64 // bytes written; bytes of them that are on their way to the disk
}

func (w *writeback) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if w.size += int64(n); w.size-w.begun >= writebackSize {
		startWriteback(w.file, w.begun, w.size-w.begun)
		w.begun = w.size
	}
	return n, err
}
