package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestCatch: a panic becomes an error with the place where it happened, which it keeps when it is raised elsewhere.
func TestCatch(t *testing.T) {
	inside := func() (err error) {
		defer Catch(&err)
		panicking()
		return nil
	}
	outside := func(with error) (err error) {
		defer Catch(&err)
		Raise(with)
		return errors.New("nothing was raised")
	}
	first := inside()
	again := outside(fmt.Errorf("reading: %w", first))
	if !errors.Is(again, first) {
		t.Errorf("%v, want the first one, %v", again, first)
	}
	var f *Error
	if !errors.As(again, &f) || !strings.Contains(f.Text, "index out of range") ||
		!strings.Contains(f.Stack, "panicking") {
		t.Errorf("%#v", again)
	}
	for _, with := range []error{nil, errors.New("ordinary")} {
		if err := outside(with); errors.As(err, &f) {
			t.Errorf("%v was raised as %v", with, err)
		}
	}
}

func panicking() {
	some := make([]int, 1)
	for i := range 2 {
		some[i]++
	}
}

// TestDo checks that an error is returned as it is, and that a panic becomes an error.
func TestDo(t *testing.T) {
	ordinary := errors.New("ordinary")
	for _, want := range []error{nil, ordinary} {
		if err := Do(func() error { return want }); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if err := Do(func() error { panicking(); return nil }); !Is(err) {
		t.Error(err)
	}
}
