package journal

import (
	"fmt"
	"io"
)

// Decode reads what Encode wrote, to its end. The error wraps ErrBroken when the chain does not hold.
func Decode(r io.Reader, key []byte) ([]Entry, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading a journal: %w", err)
	}
	entries, good, err := parse(src, key)
	if err == nil && good < int64(len(src)) {
		err = fmt.Errorf("%w: its last line is not whole", ErrBroken)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a journal: %w", err)
	}
	return entries, nil
}
