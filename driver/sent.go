package driver

import (
	"errors"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

// pauseAfter429 is used for a 429 without Retry-After.
const pauseAfter429 = 30 * time.Second

// Sent tells the executor what the client knows about a changing request that failed: that nothing was changed (a
// refusal, a request that was never written), that the server wants it later (429), or nothing, which leaves it open.
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
