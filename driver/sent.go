package driver

import (
	"errors"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

// pauseAfter429 is the pause after a 429 without Retry-After.
const pauseAfter429 = 30 * time.Second

// Sent tells the executor what is known about a failed request that was to change something: that nothing was changed
// (a refusal, or a request that was never written), or that the server wants it later (429). If neither is known, it
// returns err unchanged.
func Sent(err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Status == http.StatusTooManyRequests {
		after, ok := e.RetryAfter()
		if !ok {
			after = pauseAfter429
		}
		return &executor.Later{After: after, Err: err}
	}
	refused := e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
	if refused || rest.WasSent(err) == rest.SentNo {
		return executor.NotSent(err)
	}
	return err
}
