package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/afero"
)

// What may wait for ever - opening a named pipe, reading and writing one - is done by a goroutine of its own, so that
// the end of a context is not waited through. No system offers to take such a call back; the goroutine ends when the
// call returns.

// openAside opens a file, or gives up when ctx ends.
func openAside(ctx context.Context, fs afero.Fs, path string) (afero.File, error) {
	type result struct {
		f   afero.File
		err error
	}
	opened, gone := make(chan result), make(chan struct{})
	defer close(gone)
	go func() {
		f, err := fs.Open(path)
		select {
		case opened <- result{f, err}:
		case <-gone:
			if err == nil {
				f.Close() // nobody wants it any more, so nobody wants to hear of a failure either
			}
		}
	}()
	select {
	case r := <-opened:
		return r.f, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// closeAside closes a pipe, which a goroutine may still be reading: some systems wait for it. Nothing can be lost.
func closeAside(c io.Closer) { go c.Close() }

// asideReader reads ahead by one block.
type asideReader struct {
	ctx    context.Context
	blocks chan asideBlock
	free   chan []byte
	gone   chan struct{}
	block  []byte // the one being handed out
	rest   []byte // what of it is left
	err    error
}

type asideBlock struct {
	data []byte
	err  error
}

func readAside(ctx context.Context, r io.Reader) *asideReader {
	a := &asideReader{ctx: ctx, blocks: make(chan asideBlock), free: make(chan []byte, 2), gone: make(chan struct{})}
	for range cap(a.free) {
		a.free <- make([]byte, 64<<10)
	}
	go func() {
		for {
			var b []byte
			select {
			case b = <-a.free:
			case <-a.gone:
				return
			}
			n, err := r.Read(b)
			select {
			case a.blocks <- asideBlock{b[:n], err}:
			case <-a.gone:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return a
}

// stop lets the goroutine end.
func (a *asideReader) stop() { close(a.gone) }

func (a *asideReader) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if a.block != nil {
			a.free <- a.block[:cap(a.block)]
			a.block = nil
		}
		select {
		case b := <-a.blocks:
			a.block, a.rest, a.err = b.data, b.data, b.err
		case <-a.ctx.Done():
			return 0, context.Cause(a.ctx)
		}
		if len(a.rest) == 0 && a.err == nil {
			return 0, nil // so that a reader that never gets on is noticed
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// copyAside copies from r to w, which may be a pipe.
func copyAside(ctx context.Context, w io.Writer, r io.Reader) error {
	blocks, done := make(chan []byte), make(chan error, 1)
	defer close(blocks)
	go func() {
		for b := range blocks {
			n, err := w.Write(b)
			if err == nil && n < len(b) {
				err = io.ErrShortWrite
			}
			done <- err
		}
	}()
	b := make([]byte, blockSize)
	for {
		n, err := r.Read(b)
		if n > 0 {
			blocks <- b[:n]
			select {
			case failed := <-done:
				if failed != nil {
					return failed
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the finished file: %w", err)
		}
	}
}
