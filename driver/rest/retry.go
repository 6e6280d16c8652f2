package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Do sends a request and reads the whole answer. It retries as Request.Retry allows. An answer with a status other
// than 2xx is an error, and so is one beyond Options.MaxBytes, MaxValues or MaxDepth. Every error is an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	var answer *Response
	err := c.repeat(ctx, r, c.gate, func(a *attempt) error {
		body, err := a.readAll(c.o.MaxBytes)
		if err != nil {
			return err
		}
		answer = &Response{Status: a.resp.StatusCode, Header: a.resp.Header, Body: body, client: c, call: a.call}
		if answer.over = a.over; answer.over != nil {
			time.AfterFunc(undecoded, answer.over)
		}
		return answer.refuseLogin()
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Stream sends a request and returns its answer, to be read as it comes, up to Options.MaxStream. It retries like Do
// until the answer begins. Afterwards the reader gets an *Error if the answer breaks off, stalls, or is too large or
// too slow. The caller must close Body.
func (c *Client) Stream(ctx context.Context, r Request) (*Stream, error) {
	var answer *Stream
	err := c.repeat(ctx, r, nil, func(a *attempt) error {
		var err error
		answer, err = a.stream()
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Get sends a GET request like Do, and decodes its JSON answer into v.
func (c *Client) Get(ctx context.Context, r Request, v any) error {
	r.Method = http.MethodGet
	answer, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	return answer.DecodeJSON(v)
}

// WithoutRetries returns a context in which no request is sent a second time. It is for what was allowed a moment ago,
// and may not be allowed any more after a wait. Error.Retryable still says whether a failure is temporary.
func WithoutRetries(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, true)
}

type onceKey struct{}

func isOnce(ctx context.Context) bool { return ctx.Value(onceKey{}) != nil }

// repeat makes attempts until one succeeds, fails permanently, or was the last one. take uses a 2xx answer. If it
// returns nil, it owns the attempt.
func (c *Client) repeat(ctx context.Context, r Request, gate *gate, take func(*attempt) error) error {
	k, err := c.prepare(r)
	if err != nil {
		return err
	}
	sent := SentNo
	for n := 1; ; n++ {
		leave, err := c.admit(ctx, k, gate)
		if err != nil {
			return c.fail(k, &Error{Sent: sent, Attempts: n - 1, Message: "waiting for its turn: " + err.Error(), cause: err})
		}
		begun := c.o.Now()
		failure := c.try(ctx, k, take)
		leave()
		if failure == nil {
			c.log.Debug("request done", "method", k.Method, "url", k.shown, "attempt", n, "duration", c.o.Now().Sub(begun))
			return nil
		}
		// What an earlier attempt may have done is still possible. 429 says that nothing was done.
		now := failure.Sent
		failure.Sent, failure.Attempts = max(sent, failure.Sent), n
		if failure.Status != http.StatusTooManyRequests {
			sent = max(sent, now)
		}
		failure.permanent = failure.permanent || k.GiveUp != nil && k.GiveUp(failure)
		failure.Retryable = retryable(k.safe(), now, failure)
		err = c.fail(k, failure)
		if !failure.Retryable || isOnce(ctx) || n > c.o.MaxRetries || ctx.Err() != nil {
			c.log.Debug("request failed", "method", k.Method, "url", k.shown, "attempt", n, "status", failure.Status,
				"error", err.Error())
			return err
		}
		wait := c.backoff(n, failure.retryAfter)
		c.log.Warn("request failed, trying again", "method", k.Method, "url", k.shown, "attempt", n,
			"status", failure.Status,
			"wait", wait, "error", err.Error())
		if failure.retryAfter >= time.Second {
			c.o.Waiting(wait, fmt.Sprintf("asked for it (status %d)", failure.Status))
		}
		if stopped := c.o.Sleep(ctx, wait); stopped != nil {
			failure.cause = errors.Join(stopped, failure.cause)
			return err
		}
	}
}

// Wait waits for the server, because of something that it did, until ctx ends. why says what it did. Options.Waiting
// is called first.
func (c *Client) Wait(ctx context.Context, d time.Duration, why string) error {
	c.o.Waiting(d, why)
	return c.o.Sleep(ctx, d)
}

// admit waits until another attempt may be made. Its end must call leave. The rate limit comes last: requests that have
// passed it and then wait would all be sent at the same moment.
func (c *Client) admit(ctx context.Context, k *call, gate *gate) (leave func(), err error) {
	leave = func() {}
	if gate != nil && k.safe() {
		if leave, err = gate.enter(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.throttle(ctx); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// throttle waits until the rate limit allows another attempt.
func (c *Client) throttle(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.limiter == nil {
		return nil
	}
	now := c.o.Now()
	if wait := c.limiter.ReserveN(now, 1).DelayFrom(now); wait > 0 {
		return c.o.Sleep(ctx, wait)
	}
	return nil
}

// retryable reports whether sending the request again may help and can do no harm. sent is that of the last attempt.
func retryable(safe bool, sent Sent, e *Error) bool {
	switch {
	case e.permanent:
		return false
	case e.Status == 0 && sent == SentNo:
		return true
	case !safe:
		return e.Status == http.StatusTooManyRequests && e.retryAfter != noRetryAfter
	case e.Status == 0, e.brokenOff:
		return true
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// hopeless reports whether retrying cannot help, as for untrusted certificates.
func hopeless(err error) bool {
	var (
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
	)
	return errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) ||
		errors.As(err, &record)
}

// backoff returns how long to wait after attempt n: what the server asked for, else a random time between half and
// all of a span that doubles.
func (c *Client) backoff(n int, asked time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	// After a gateway's "Retry-After: 0" we do not retry at once.
	span := c.o.BackoffMax
	if doubled := c.o.BackoffMin << min(n-1, 30); doubled > 0 && doubled>>min(n-1, 30) == c.o.BackoffMin {
		span = min(span, doubled)
	}
	return span/2 + time.Duration(c.o.Random()*float64(span-span/2))
}

const noRetryAfter = time.Duration(-1)

// parseRetryAfter parses the two forms of the header, seconds and a date (RFC 9110, 10.2.3). It returns noRetryAfter
// if the header is absent or has another form.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		if seconds < 0 {
			return noRetryAfter
		}
		return time.Duration(min(seconds, int64(math.MaxInt64/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	return noRetryAfter
}

// maxRedirects is generous: usually there is one, from http to https or for a trailing slash.
const maxRedirects = 5

// followable follows only redirects of a GET or HEAD within the same server. Another server must not get the
// credentials, and a POST would be repeated as something else. The answer of such a redirect is returned as it is,
// and becomes an error.
func followable(next *http.Request, via []*http.Request) error {
	first := via[0]
	reading := first.Method == http.MethodGet || first.Method == http.MethodHead
	if !leaves(next, first) && reading && len(via) <= maxRedirects && !looksLikeLogin(next.URL.Path) {
		return nil
	}
	return http.ErrUseLastResponse
}

// redirected returns the error message for a redirect that is not followed.
func redirected(resp *http.Response) string {
	to, err := resp.Location()
	switch {
	case err != nil:
		return fmt.Sprintf("answered with status %d, which leads nowhere", resp.StatusCode)
	case looksLikeLogin(to.Path):
		return loginWords
	case to.Scheme != resp.Request.URL.Scheme || to.Host != resp.Request.URL.Host:
		return fmt.Sprintf("answered with a redirect to another server, %s://%s, which the credentials are not for: "+
			"is the address right?", to.Scheme, to.Host)
	}
	return fmt.Sprintf("answered with a redirect to %s, which is not followed: is the address right?", redactURL(to))
}
