package prompt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// pty opens a terminal. Write to person what the person types.
func pty(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, terminal
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// TestReadHidden checks that the terminal does not show what is typed, and is restored afterwards, even after an
// interrupt.
func TestReadHidden(t *testing.T) {
	person, terminal := pty(t)
	in := NewLines(terminal)
	type result struct {
		text string
		err  error
	}
	ask := func(ctx context.Context) chan result {
		done := make(chan result, 1)
		go func() {
			text, err := in.ReadHidden(ctx)
			done <- result{text, err}
		}()
		for echoes(t, terminal) { // ends when the test's time does
			runtime.Gosched()
		}
		return done
	}
	done := ask(t.Context())
	if _, err := person.WriteString("it's 4711\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.text != "it's 4711" || got.err != nil || !echoes(t, terminal) {
		t.Errorf("%q, %v, echo %t", got.text, got.err, echoes(t, terminal))
	}
	ctx, interrupt := context.WithCancel(t.Context())
	done = ask(ctx)
	interrupt()
	if got := <-done; !errors.Is(got.err, context.Canceled) || !echoes(t, terminal) {
		t.Errorf("interrupted: %v, echo %t", got.err, echoes(t, terminal))
	}
	if _, err := NewLines(nil).ReadHidden(t.Context()); !errors.Is(err, ErrNobody) {
		t.Errorf("%v, want nobody", err)
	}
}

// late is a context that ends right after its first check.
type late struct{ context.Context }

func (late) Err() error { return nil }

// TestReadHiddenInterruptedAtOnce checks that the terminal shows again what is typed after the call has returned,
// however early the interrupt came.
func TestReadHiddenInterruptedAtOnce(t *testing.T) {
	gone, interrupt := context.WithCancel(t.Context())
	interrupt()
	for range 20 {
		person, terminal := pty(t)
		_, _ = NewLines(terminal).ReadHidden(late{gone})
		for range 100 {
			if !echoes(t, terminal) {
				t.Fatal("the terminal still hides what is typed")
			}
			runtime.Gosched()
		}
		_ = person.Close() // ends the reading
	}
}
