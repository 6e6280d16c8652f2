package driver

import (
	"errors"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

const (
	pauseAfter429 = 30 * time.Second // after a 429 without a time to wait
	pauseUnsent   = 5 * time.Second  // after another failure before which nothing was changed
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
		return &executor.Later{After: pause(e), Err: err}
	}
	refused := e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
	if refused || rest.WasSent(err) == rest.SentNo {
		return executor.NotSent(err)
	}
	return err
}

// PutOff turns a temporary failure, before anything was changed, into executor.Later: the step is tried again, and its
// facts and guards are checked again before. It is for steps that are carried out with rest.WithoutRetries. It returns
// other errors unchanged.
func PutOff(err error) error {
	var e *rest.Error
	if !executor.WasNotSent(err) || !errors.As(err, &e) || !e.Retryable {
		return err
	}
	return &executor.Later{After: pause(e), Err: err}
}

// pause returns how long to wait before the next try: what the server asked for, or a pause of our own if it named no
// time, or none that is still to come: "Retry-After: 0" would use up all tries at once.
func pause(e *rest.Error) time.Duration {
	after, _ := e.RetryAfter()
	switch {
	case after > 0:
		return after
	case e.Status == http.StatusTooManyRequests:
		return pauseAfter429
	}
	return pauseUnsent
}
