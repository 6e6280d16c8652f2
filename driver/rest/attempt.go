package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
)

// ErrTimeout is wrapped by the error of a request that took too long.
var ErrTimeout = errors.New("timed out")

// errTakesNothing is the end of an attempt whose connections all end before they take the request. The library makes
// new ones at once, and without end.
var errTakesNothing = fmt.Errorf("none of %d connections took the request", mostConnections)

// attempt is one attempt to send a call, and its answer.
type attempt struct {
	client *Client
	call   *call
	resp   *http.Response
	watch  *watchdog
	cancel context.CancelCauseFunc
	over   func() // ends the turn of a large answer; nil: it is none
}

// try makes one attempt. A nil error means that the function take has taken over the answer.
func (c *Client) try(ctx context.Context, k *call, take func(*attempt) error) *Error {
	limited, cancel := context.WithCancelCause(ctx)
	a := &attempt{client: c, call: k, cancel: cancel}
	a.watch = newWatchdog(c.o.Timeout, func(waited time.Duration) {
		if waited > c.o.Timeout {
			cancel(fmt.Errorf("%w: bytes came for %s, and no answer in them", ErrTimeout, waited))
			return
		}
		cancel(fmt.Errorf("%w: nothing came for %s (request_timeout)", ErrTimeout, waited))
	})
	failure := a.send(limited, ctx)
	if failure == nil {
		if err := take(a); err != nil && !errors.As(err, &failure) {
			failure = &Error{Status: a.resp.StatusCode, Sent: SentYes, Message: err.Error(), cause: err}
		}
	}
	if failure != nil {
		a.end()
		if a.over != nil {
			a.over()
		}
	}
	return failure
}

// end frees the resources of the attempt.
func (a *attempt) end() {
	a.watch.stop()
	if a.resp != nil {
		_ = a.resp.Body.Close() // the rest of it is not needed
	}
	a.cancel(context.Canceled)
}

// send sends the request and waits for the headers of the answer. An answer that is not 2xx is a failure.
func (a *attempt) send(limited, ctx context.Context) *Error {
	var dialing, connected atomic.Bool
	var asked atomic.Int64
	trace := &httptrace.ClientTrace{
		GetConn: func(string) {
			dialing.Store(true)
			if asked.Add(1) > mostConnections {
				a.cancel(errTakesNothing)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			connected.Store(true)
			a.watch.over(wireOf(info.Conn))
		},
	}
	body, req, err := a.request(httptrace.WithClientTrace(limited, trace))
	if err != nil {
		return &Error{Sent: SentNo, Message: "making the request: " + err.Error(), cause: err, permanent: true}
	}
	client := a.client.writing
	if a.call.safe() {
		client = a.client.reading
	}
	if s := a.call.Session; s != nil {
		client = &http.Client{Transport: within{client.Transport, s}, CheckRedirect: client.CheckRedirect}
	}
	sent := a.client.o.Now()
	a.resp, err = client.Do(req) //nolint:bodyclose // end closes it
	a.watch.freeze()
	if err != nil {
		a.resp = nil         // that of a refused redirect, already closed
		reached := SentMaybe // also for a transport that does not report it
		if dialing.Load() && !connected.Load() {
			reached = SentNo
		}
		return a.unanswered(ctx, limited, err, reached, body.failure())
	}
	a.client.meet(a.resp, sent)
	switch {
	case a.resp.StatusCode/100 != 2:
		return a.refused()
	case isPart(a.resp):
		return &Error{Status: a.resp.StatusCode, Sent: SentYes, permanent: true, cause: ErrPart,
			Message: "answered with a part of what was asked for, or with what was changed on the way (203), which nothing " +
				"can be concluded from: is something in front of the server that changes answers?"}
	}
	return nil
}

// ErrPart is what an answer wraps that is said to be a part of the whole, or to have been changed on the way.
var ErrPart = errors.New("not the whole answer as the server gave it")

// isPart reports whether an answer says that it is not the whole, which was asked for, or that something on the way has
// changed it: of a list a part looks like one that is shorter, and what it lacks like what is gone.
func isPart(resp *http.Response) bool {
	return resp.StatusCode == http.StatusPartialContent || resp.StatusCode == http.StatusIMUsed ||
		resp.StatusCode == http.StatusNonAuthoritativeInfo ||
		resp.Header.Get("Content-Range") != ""
}

// request makes the http.Request of one attempt.
func (a *attempt) request(ctx context.Context) (*sentBody, *http.Request, error) {
	k := a.call
	req, err := http.NewRequestWithContext(ctx, k.Method, k.url.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header = k.header.Clone()
	var body *sentBody
	if k.open != nil {
		body = &sentBody{watch: a.watch}
		req.GetBody = func() (io.ReadCloser, error) {
			r, err := k.open()
			if err != nil {
				return nil, body.fail(fmt.Errorf("opening its body: %w", err))
			}
			return &bodyReader{r, body}, nil
		}
		if req.Body, err = req.GetBody(); err != nil {
			return nil, nil, err
		}
		req.ContentLength = k.length
		if k.length == 0 {
			_ = req.Body.Close() // nothing was read of it
			req.Body = http.NoBody
		}
	}
	if a.client.o.Authorize != nil {
		a.client.o.Authorize(req)
	}
	if k.Session != nil {
		k.Session.Authorize(req)
	}
	return body, req, nil
}

// unanswered returns the error of an attempt without an answer. bodyErr is the failure of our own body, if that is
// the cause.
func (a *attempt) unanswered(ctx, limited context.Context, err error, sent Sent, bodyErr error) *Error {
	e := &Error{Sent: sent}
	switch cause := context.Cause(limited); {
	case ctx.Err() != nil:
		err, e.permanent = ctx.Err(), true
	case bodyErr != nil:
		err, e.permanent = bodyErr, true
	case errors.Is(cause, ErrTimeout), errors.Is(cause, errTakesNothing):
		err = cause
	default:
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // its text repeats the method and the URL with its whole query
			err = wrapped.Err
		}
		if strings.HasPrefix(err.Error(), "failed to parse Location header") { // it quotes parts: of secrets, too
			err = errors.New("answered with a redirect to what is not an address")
		}
		if strings.Contains(err.Error(), "malformed MIME header") { // it quotes the line, which may have a session's ID
			err = errors.New("answered with a header that is not one")
		}
		e.permanent = hopeless(err)
	}
	e.Message, e.cause = wording.Closed(err).Error(), err
	return e
}

// refused returns the error for an answer that is not 2xx.
func (a *attempt) refused() *Error {
	asked := parseRetryAfter(a.resp.Header.Get("Retry-After"), a.client.o.Now())
	e := &Error{Status: a.resp.StatusCode, Sent: SentYes, retryAfter: asked, permanent: asked > maxRetryAfter,
		header: a.resp.Header}
	if e.Status/100 == 3 {
		e.Message, e.cause = redirected(a.resp), ErrAddress
		return e
	}
	text, _ := io.ReadAll(io.LimitReader(a.resp.Body, maxErrorBytes)) // part of the text is better than none
	if checkJSON(text) != nil {
		text = nil // it is not parsed
	}
	e.Message, e.answer = messageOf(a.resp.Header.Get("Content-Type"), text), text
	return e
}

// readAll reads the answer and ends the attempt. It reads a slow answer as long as data comes, up to a limit.
func (a *attempt) readAll(limit int64) ([]byte, error) {
	most := wholeAnswer * a.client.o.Timeout
	whole := time.AfterFunc(most, func() { a.cancel(fmt.Errorf("%w: it was still coming after %s", ErrTimeout, most)) })
	defer whole.Stop()
	from := &watchedReader{a.resp.Body, a.watch}
	b, err := io.ReadAll(io.LimitReader(from, min(limit+1, readAtOnce)))
	if err == nil && len(b) == readAtOnce {
		whole.Stop()
		if err = a.takeTurn(); err == nil {
			whole.Reset(most)
			more := bytes.NewBuffer(b)
			_, err = more.ReadFrom(io.LimitReader(from, limit+1-readAtOnce))
			b = more.Bytes()
		}
	}
	switch {
	case err != nil:
		return nil, a.broken(err, int64(len(b)))
	case int64(len(b)) > limit:
		return nil, beyond(a.resp.StatusCode, "the answer is larger than %d bytes", limit)
	}
	if err := checkJSON(b); err != nil {
		return nil, beyond(a.resp.StatusCode, "%s", err)
	}
	a.end()
	return b, nil
}

// takeTurn waits until no other large answer of the server is read or decoded. This wait is not the server's.
func (a *attempt) takeTurn() error {
	a.watch.stop()
	ctx := a.resp.Request.Context()
	select {
	case a.client.large <- struct{}{}:
		a.over = sync.OnceFunc(func() { <-a.client.large })
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watchedReader restarts the watchdog before every read.
type watchedReader struct {
	io.Reader
	watch *watchdog
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.watch.start()
	return r.Reader.Read(p)
}

// broken returns the error for an answer that began well but did not end.
func (a *attempt) broken(err error, read int64) *Error {
	if cause := context.Cause(a.resp.Request.Context()); cause != nil {
		err = cause
	}
	return &Error{
		Status: a.resp.StatusCode, Sent: SentYes, brokenOff: true, cause: err,
		Message: fmt.Sprintf("the answer broke off after %d bytes: %v", read, wording.Closed(err)),
	}
}

// sentBody is our body as the attempt's transport reads it, which may be more than once.
type sentBody struct {
	watch *watchdog

	mu  sync.Mutex
	err error
}

func (b *sentBody) fail(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
	return err
}

func (b *sentBody) failure() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// bodyReader reads the body once. A large body may take long, so the watchdog restarts with every piece that is read.
type bodyReader struct {
	io.ReadCloser

	body *sentBody
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.body.watch.kick()
	n, err := r.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.body.fail(fmt.Errorf("reading its body: %w", err))
	}
	return n, err
}
