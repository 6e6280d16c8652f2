package syncinfo

import (
	"context"
	"io"

	"github.com/spf13/afero"
)

// Opening, reading or writing a named pipe may wait forever, and no system can cancel such a call. So a goroutine
// makes it, and ends when the call returns. The caller continues when the context ends.

// openWithin opens a file, or returns when ctx ends.
func openWithin(ctx context.Context, fs afero.Fs, path string) (afero.File, error) {
	var f afero.File
	var err error
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		f, err = fs.Open(path)
	}()
	select {
	case <-opened:
		return f, err
	case <-ctx.Done():
		go func() {
			if <-opened; err == nil {
				f.Close() // nobody needs it any more
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// readWithin returns a reader of r that ends when r or ctx does. stop lets the goroutine end.
func readWithin(ctx context.Context, r io.Reader) (in io.Reader, stop func()) {
	read, write := io.Pipe()
	unwatch := context.AfterFunc(ctx, func() { write.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{write}, struct{ io.Reader }{r}, make([]byte, 64<<10))
		write.CloseWithError(err)
	}()
	return read, func() { unwatch(); read.Close() }
}

// copyWithin copies from r to w, until r ends or ctx does.
func copyWithin(ctx context.Context, w io.Writer, r io.Reader) error {
	done := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, blockSize))
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
