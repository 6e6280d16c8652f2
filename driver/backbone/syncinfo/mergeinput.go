package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// look finds out what the two inputs are, and opens regular files. It reports what is missing for both at once.
func (m *merge) look(ctx context.Context) error {
	var errs []error
	for _, s := range []*side{m.stay, m.move} {
		switch {
		case s.path != Standard:
			var err error
			if s.info, err = m.o.Fs.Stat(s.path); err != nil {
				errs = append(errs, fmt.Errorf("opening the %s's file: %w", s.role, onOneLine{err}))
			} else if s.info.IsDir() {
				errs = append(errs, fmt.Errorf("opening the %s's file: %s is a folder", s.role, s.name))
			} else if s.info.Mode().IsRegular() {
				errs = append(errs, s.open(ctx))
			}
		case m.o.Stdin == nil:
			errs = append(errs, fmt.Errorf("reading the %s's file from standard input: it is not open", s.role))
		default:
			s.info = statOf(m.o.Stdin)
		}
	}
	return errors.Join(errs...)
}

// statOf returns the file info of a stream, or nil if it is not known.
func statOf(stream any) os.FileInfo {
	f, ok := stream.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	return info
}

// sizeOf returns the size of a file, or 0 if it is not known.
func sizeOf(info os.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}

// open makes the side ready to be read. A named pipe is opened only when it is needed, because its writer may write
// to two of them one after the other.
func (s *side) open(ctx context.Context) error {
	if s.path != Standard {
		f, err := openWithin(ctx, s.m.o.Fs, s.path)
		if err != nil {
			return fmt.Errorf("opening the %s's file: %w", s.role, onOneLine{err})
		}
		if s.info.Mode().IsRegular() {
			s.file = f
			return nil
		}
		s.stream, s.opened = f, f
	} else {
		s.stream = s.m.o.Stdin
	}
	spool, err := s.m.o.spool(s.m.target)
	if err != nil {
		return fmt.Errorf("keeping %s: %w", s.name, err)
	}
	s.spool, s.file = spool, spool
	return nil
}

func (s *side) close() error {
	var errs []error
	if s.spool == nil && s.file != nil {
		errs = append(errs, s.file.Close())
	}
	if s.spool != nil {
		errs = append(errs, s.spool.discard())
	}
	if s.opened != nil {
		go s.opened.Close() // a goroutine may still be reading it, which some systems wait for
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing %s: %w", s.name, onOneLine{err})
	}
	return nil
}
