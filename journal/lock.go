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
	src, err := json.Marshal(h)
	if err == nil {
		err = os.WriteFile(path, printable.JSON(src), 0o600) // #nosec G703 -- the caller's own data folder
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the holder into the lock %s: %w", path, err), f.Unlock())
	}
	return &Lock{f: f}, nil
}

// Release releases the lock. The file stays: if it were removed, two processes could lock two files with the same
// name.
func (l *Lock) Release() error {
	if err := os.Truncate(l.f.Path(), 0); err != nil {
		return errors.Join(fmt.Errorf("clearing the lock %s: %w", l.f.Path(), err), l.f.Unlock())
	}
	return l.f.Unlock()
}
