package schema

import (
	"context"
	"sync"
	"time"
)

// outside manages calls out of a Load that wait for a person or for a person's program. During a call the timeout of
// the Load is suspended, and Load does not return before the call has.
type outside struct {
	mu     sync.Mutex      // held during a call
	ctx    context.Context // of the Load
	cancel context.CancelCauseFunc
	timer  *time.Timer
	time   time.Duration
}

// newOutside returns the context of a Load, which ends at the latest after the time of the room, not counting calls.
func newOutside(parent context.Context, room Room) (*outside, context.Context) {
	ctx, cancel := context.WithCancelCause(parent)
	timer := time.AfterFunc(room.orUsual().time, func() { cancel(context.DeadlineExceeded) })
	return &outside{ctx: ctx, cancel: cancel, timer: timer, time: room.orUsual().time}, ctx
}

func (o *outside) close() {
	o.timer.Stop()
	o.cancel(nil)
}

// finish waits for a running call, whose context has ended, and prevents further calls.
func (o *outside) finish() {
	o.mu.Lock()
	o.cancel(nil) // if it has not ended yet
	o.mu.Unlock()
}

// call returns a text from outside.
func (o *outside) call(f func(context.Context) (string, error)) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.timer.Stop()
	defer o.timer.Reset(o.time)
	if err := context.Cause(o.ctx); err != nil {
		return "", err
	}
	return f(o.ctx)
}
