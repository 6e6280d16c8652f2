package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
	"github.com/syncctl/syncctl/printable"
)

// Holder says who holds the lock.
type Holder struct {
	PID   int       `json:"pid"`   // the number of the process
	Host  string    `json:"host"`  // the machine that it runs on
	Since time.Time `json:"since"` // since when it holds the lock
	What  string    `json:"what"`  // such as "apply"
}

// LockedError says that another run holds the lock.
type LockedError struct {
	Path   string
	Holder Holder // zero if the holder has not written its name yet
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("another run holds the lock %s", e.Path)
	}
	return fmt.Sprintf("another run holds the lock %s: %s, process %d on %s, since %s",
		e.Path, e.Holder.What, e.Holder.PID, e.Holder.Host, e.Holder.Since.Format(time.RFC3339))
}

// Lock is held until Release, or until the process ends in any way. It is the operating system's file lock, so a
// killed process does not leave it locked.
type Lock struct{ f *flock.Flock }

// Acquire takes the lock at path without waiting. The error is a *LockedError if somebody else holds it.
func Acquire(_ context.Context, path string, h Holder) (*Lock, error) {
	f := flock.New(path)
	ok, err := f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("taking the lock %s: %w", path, err)
	}
	if !ok {
		locked := &LockedError{Path: path}
		if src, err := os.ReadFile(path); err == nil {
			_ = json.Unmarshal(src, &locked.Holder) // the name is only for people
		}
		return nil, locked
	}
	l := &Lock{f: f}
	src, err := json.Marshal(h)
	if err == nil {
		err = l.write(printable.JSON(src))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the holder into the lock %s: %w", path, err), f.Unlock())
	}
	return l, nil
}

// write replaces what the file holds. Whoever may rename what is in the folders above could have put a link, or another
// file, in its place: nothing is written but to the file that is locked.
func (l *Lock) write(src []byte) (err error) {
	locked, err := l.f.Stat()
	if err != nil {
		return err
	}
	replaced := errors.New("somebody has replaced it")
	if info, err := os.Lstat(l.f.Path()); err != nil || !info.Mode().IsRegular() || !os.SameFile(info, locked) {
		return errors.Join(replaced, err)
	}
	w, err := os.OpenFile(l.f.Path(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if info, err := w.Stat(); err != nil || !os.SameFile(info, locked) {
		return errors.Join(replaced, err)
	}
	if err := w.Truncate(0); err != nil {
		return err
	}
	_, err = w.Write(src)
	return err
}

// Release releases the lock. The file stays: if it were removed, two processes could lock two files with the same
// name.
func (l *Lock) Release() error {
	if err := l.write(nil); err != nil {
		return errors.Join(fmt.Errorf("clearing the lock %s: %w", l.f.Path(), err), l.f.Unlock())
	}
	return l.f.Unlock()
}
