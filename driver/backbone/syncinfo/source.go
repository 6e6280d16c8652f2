package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Source is synced-issue data that can be read more than once. It is read a second time only to name what was counted
// the first time.
type Source struct {
	Name string // for errors and positions
	// Open starts reading from the beginning. If its result is also an io.ReaderAt (a file is), suspected duplicates
	// are confirmed by reading them again.
	Open    func() (io.ReadCloser, error)
	Array   bool    // a bare array as REST returns, not the file of the web page
	Section Section // which entries are used; "" means all
	Merged  bool    // the file has both sections although Section is First
	options []ReaderOption
}

// Example is one case of a finding.
type Example struct {
	Where string // file:line:column
	Text  string
}

// String returns where: text.
func (e Example) String() string { return e.Where + ": " + e.Text }

// pairName returns the name of a pair for people, as its own side sees it.
func pairName(local, remote []byte) string {
	return clip(string(local)) + " with " + clip(string(remote))
}

// stream opens the source. Reading from it stops when ctx ends.
func (s Source) stream(ctx context.Context) (*Reader, io.Closer, error) {
	f, err := s.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", s.Name, err)
	}
	return s.reader(&contextReader{ctx, f}), f, nil
}

func (s Source) reader(r io.Reader) *Reader {
	if s.Array {
		return NewArrayReader(s.Name, r, s.options...)
	}
	options := s.options
	if s.Section != First || s.Merged {
		options = append([]ReaderOption{WithSecond()}, options...)
	}
	return NewExportReader(s.Name, r, options...)
}

// each calls do for every entry that is used, until do returns an error. errStop stops it without an error.
func (s Source) each(r *Reader, do func(e *Entry) error) error {
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if s.Section != "" && r.Section() != s.Section {
			continue
		}
		if err := do(e); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
}

var errStop = errors.New("stop reading")

// name reads the source again, and returns the pairs at the offsets, which must ascend.
func (s Source) name(ctx context.Context, offsets []int64) ([]Example, error) {
	if len(offsets) == 0 {
		return nil, nil
	}
	r, closer, err := s.stream(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	var out []Example
	err = s.each(r, func(e *Entry) error {
		if e.Offset == offsets[len(out)] {
			out = append(out, Example{e.Where(s.Name), pairName(e.LocalKey, e.RemoteKey)})
		}
		if len(out) == len(offsets) {
			return errStop
		}
		return nil
	})
	if err == nil && len(out) < len(offsets) {
		err = changed(s.Name)
	}
	return out, err
}

// contextReader returns the context's error once the context has ended.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
