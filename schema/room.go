package schema

import (
	"context"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/fault"
)

// Room is a limit on the resources used for reading a configuration. The zero Room means Usual.
type Room struct {
	bytes int64 // of all files of a folder together; of one file of values
	signs int   // words and signs in them; the parsers use some hundred bytes of memory for each
	time  time.Duration

	values int64 // that evaluation creates or visits, apart from what the size of the configuration adds
}

var (
	// Usual is the limit for files that nobody has reviewed: 16 MiB, a million words and signs, a minute, and a million
	// values.
	Usual = Room{bytes: 16 << 20, signs: 1 << 20, time: time.Minute, values: 1 << 20}

	// Large is the limit for somebody's own configuration: 128 MiB, sixteen million words and signs, ten minutes, and
	// eight million values. A hundred thousand declarations fit, also in one for_each.
	Large = Room{bytes: 128 << 20, signs: 16 << 20, time: 10 * time.Minute, values: 8 << 20}

	// AtPrompt is Large for somebody who waits for a completion: five seconds.
	AtPrompt = Room{bytes: 128 << 20, signs: 16 << 20, time: 5 * time.Second, values: 8 << 20}
)

// Bytes is the maximum size of a file.
func (r Room) Bytes() int64 { return r.orUsual().bytes }

func (r Room) orUsual() Room {
	if r == (Room{}) {
		return Usual
	}
	return r
}

// within calls f and waits for it within the time limit. After an error, f is still running: the libraries cannot be
// interrupted, so that it ends with the process, or by itself.
func (r Room) within(ctx context.Context, f func()) error {
	ctx, cancel := context.WithTimeout(ctx, r.orUsual().time)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var failed error
		defer func() { done <- failed }()
		defer fault.Catch(&failed)
		f()
	}()
	select {
	case failed := <-done:
		if failed != nil {
			panic(failed)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r Room) interrupted(rng hcl.Range, err error) *hcl.Diagnostic {
	return problem(rng, "Interrupted", "Reading the configuration was ended: %s. It takes at most %s.", err,
		r.orUsual().time)
}
