package driver

import (
	"errors"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

const (
	pauseAfter429 = 30 * time.Second // after a 429 without Retry-After
	pauseUnsent   = 5 * time.Second  // after a request that was not sent
)

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

// SentOnce is Sent for a request with rest.Once. If there was no connection, which may be temporary, the step is tried
// again later, and its guards are verified again before.
func SentOnce(err error) error {
	var e *rest.Error
	if errors.As(err, &e) && e.Status == 0 && e.Retryable && rest.WasSent(err) == rest.SentNo {
		return &executor.Later{After: pauseUnsent, Err: err}
	}
	return Sent(err)
}
