// Package rest is the common part of all our REST clients. It authorizes, verifies TLS, limits the rate, retries what
// is safe to retry and nothing else, and says after a failure whether the server may have carried out the request. It
// knows no product.
package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/redact"
	"golang.org/x/time/rate"
)

// The defaults of Options.
const (
	DefaultTimeout    = 30 * time.Second
	DefaultMaxRetries = 4
	DefaultBackoffMin = 500 * time.Millisecond
	DefaultBackoffMax = 30 * time.Second
)

// Limits for kept connections. mostIdle is their number, high enough that steps that run at the same time do not take
// each other's. briefIdle is how long a connection that was written over is kept. Correctness does not depend on it:
// see Client.writing.
const (
	mostIdle  = 64
	briefIdle = 500 * time.Millisecond
)

// maxRetryAfter is the longest wait that a server may ask for before a retry. If it asks for more, the request is not
// retried, and the error says how long.
const maxRetryAfter = time.Minute

// Options says how to reach one server.
type Options struct {
	BaseURL   string              // https://HOST[:PORT][/CONTEXT]; http only to loopback. No user, query or fragment
	Authorize func(*http.Request) // adds the credentials; called for every attempt; may be nil
	CAPEM     []byte              // authorities that are trusted in addition to the system's, as PEM
	// Secrets never appear in an error or a log line, neither escaped nor in base64: give "user:password" too.
	Secrets   []string
	UserAgent string

	// Timeout limits each wait for the server: the wait for the headers, from the start of an attempt or from the
	// last byte of the request's body that was read, and then each wait for more of the answer. A whole answer of Do
	// may take ten times as long. 0 is DefaultTimeout.
	Timeout       time.Duration
	RatePerSecond float64 // attempts per second, with bursts of up to one second's worth; 0: no limit
	MaxRetries    int     // attempts after the first; 0 is DefaultMaxRetries, below zero none
	BackoffMin    time.Duration
	BackoffMax    time.Duration
	MaxBytes      int64 // maximum size of an answer of Do, after decompression; 0 is DefaultMaxBytes
	MaxStream     int64 // the same for Stream; 0 is DefaultMaxStream

	Log   hclog.Logger                          // may be nil
	Proxy func(*http.Request) (*url.URL, error) // nil: from HTTPS_PROXY, HTTP_PROXY, NO_PROXY

	Now   func() time.Time                                 // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) error // waits before a retry; nil: a timer
	// Waiting is called before a wait of a second or longer that the server asked for, and before a wait by Wait. why
	// is the reason. It may be nil.
	Waiting func(d time.Duration, why string)
	Random  func() float64 // jitter, from 0 to 1; nil: math/rand
	// Transport replaces all settings for TLS, proxy and connections; for tests.
	Transport http.RoundTripper
}

// Client talks to one server. It may be used by several goroutines.
type Client struct {
	base     *url.URL
	o        Options
	log      hclog.Logger
	scrubber atomic.Pointer[redact.Set]
	given    given
	limiter  *rate.Limiter // nil if there is no limit
	gate     *gate
	large    chan struct{} // held while the rest of a large answer is read
	endpoint atomic.Pointer[Endpoint]

	reading *http.Client // for requests that may be repeated
	// writing keeps connections only for briefIdle. On a kept connection, a server that closed it while it was idle
	// cannot be told from one that died while it handled our request, and such a request is not retried. Few servers
	// close a connection so soon. If one does, the request was perhaps sent (SentMaybe). It is not sent again, and
	// its effect is looked up.
	writing *http.Client
}

// New makes a client. It does not connect yet. Errors are about the options, and show no secret.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, o: withDefaults(o), gate: newGate(), large: make(chan struct{}, 1)}
	c.o.Secrets = slices.Concat(o.Secrets, proxySecret(c.o.Proxy, base))
	c.Hide()
	c.log = c.o.Log
	if o.RatePerSecond > 0 {
		// bursts of one second's worth
		c.limiter = rate.NewLimiter(rate.Limit(o.RatePerSecond), int(max(1, o.RatePerSecond)))
	}
	reading, writing := o.Transport, o.Transport
	if o.Transport == nil {
		t, err := transport(c.o, base)
		if err != nil {
			return nil, err
		}
		brief := t.Clone()
		brief.IdleConnTimeout = briefIdle
		reading, writing = t, brief
	}
	c.reading = &http.Client{Transport: noting{reading, &c.given}, CheckRedirect: followable}
	c.writing = &http.Client{Transport: noting{writing, &c.given}, CheckRedirect: followable}
	return c, nil
}

// Close closes idle connections. The client may still be used.
func (c *Client) Close() {
	c.reading.CloseIdleConnections()
	c.writing.CloseIdleConnections()
}

// Hide sets secrets that became known later, such as that of a session. From now on they are hidden like those of
// Options.Secrets. They replace the secrets of an earlier call.
func (c *Client) Hide(secrets ...string) {
	c.scrubber.Store(redact.New(redacted, slices.Concat(c.o.Secrets, secrets)...))
}

// BaseURL returns the server's address with its context path.
func (c *Client) BaseURL() string { return c.base.String() }

func withDefaults(o Options) Options {
	orElse := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	orElse(&o.Timeout, DefaultTimeout)
	orElse(&o.BackoffMin, DefaultBackoffMin)
	orElse(&o.BackoffMax, max(DefaultBackoffMax, o.BackoffMin))
	if o.MaxRetries == 0 {
		o.MaxRetries = DefaultMaxRetries
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxStream <= 0 {
		o.MaxStream = DefaultMaxStream
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	o.Proxy = quiet(o.Proxy)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Waiting == nil {
		o.Waiting = func(time.Duration, string) {}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// Session is what identifies a caller to a server, such as cookies. It may be used by several goroutines.
type Session interface {
	Authorize(*http.Request) // like Options.Authorize, which is called first
	// Answered gets the headers of an answer before anything else does, also those of redirects and errors. It must
	// not read the body.
	Answered(*http.Response)
}

// within passes each answer to a session, including redirects, which http.Client follows by itself.
type within struct {
	http.RoundTripper

	session Session
}

func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(r)
	if err == nil {
		w.session.Answered(resp)
	}
	return resp, err
}

// onlyHere refuses connections to other machines. A resolver may name one for localhost, too.
func onlyHere(_, address string, _ syscall.RawConn) error {
	if host, _, err := net.SplitHostPort(address); err != nil || !IsLoopback(host) {
		return fmt.Errorf("%s is not this machine, and http is for this machine alone: use https", address)
	}
	return nil
}

func transport(o Options, base *url.URL) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil { // some systems have no list of them
		roots = x509.NewCertPool()
	}
	extra, err := Authorities(o.CAPEM)
	if err != nil {
		return nil, err
	}
	for _, c := range extra {
		roots.AddCert(c)
	}
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second}
	if base.Scheme == "http" {
		dialer.Control = onlyHere
	}
	config := &tls.Config{
		RootCAs: roots, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	return &http.Transport{
		Proxy:               o.Proxy,
		DialContext:         counted(dialer.DialContext),
		TLSClientConfig:     config,
		TLSHandshakeTimeout: o.Timeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: mostIdle,
		IdleConnTimeout:     90 * time.Second,

		MaxResponseHeaderBytes: maxHeader,
	}, nil
}

// Retry reports whether a request may be sent again after a failure if the server may have carried it out.
type Retry int

// The choices of Retry.
const (
	ByMethod Retry = iota // GET and HEAD as Safe, others as Never
	Safe                  // carrying it out twice is the same as once: retried after every temporary failure
	// Never: retried only if it certainly was not carried out: there was no connection, or the server answered 429
	// and said when to try again.
	Never
)

// Request is one request. At most one of Body, Bytes and JSON is set.
type Request struct {
	Method string // "" is GET
	Path   string // below the base URL; elements with foreign text must be escaped (url.PathEscape)
	Query  url.Values
	Header http.Header // Accept is application/json unless it is set

	Body          func() (io.ReadCloser, error) // opens the body; called for every attempt
	ContentLength int64                         // of Body, in bytes; 0 if unknown
	Bytes         []byte
	JSON          any // sent as JSON, with its Content-Type

	Session Session // the session to use; may be nil
	Retry   Retry
	// GiveUp reports whether retrying is useless after a failed attempt, even if its status suggests otherwise. If
	// nil, the status decides.
	GiveUp func(*Error) bool
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

func (r Request) safe() bool {
	if r.Retry == ByMethod {
		return r.method() == http.MethodGet || r.method() == http.MethodHead
	}
	return r.Retry == Safe
}

// call is a prepared request: what is the same for all its attempts.
type call struct {
	Request

	url    *url.URL
	shown  string // the URL as errors and logs show it
	open   func() (io.ReadCloser, error)
	length int64
	header http.Header
}

func (c *Client) prepare(r Request) (*call, error) {
	r.Method = r.method()
	k := &call{Request: r, header: r.Header.Clone()}
	if k.header == nil {
		k.header = http.Header{}
	}
	if k.header.Get("Accept") == "" {
		k.header.Set("Accept", "application/json")
	}
	k.header.Set("Cache-Control", "no-cache") // what a cache on the way has stored says nothing of now
	if c.o.UserAgent != "" && k.header.Get("User-Agent") == "" {
		k.header.Set("User-Agent", c.o.UserAgent)
	}
	k.url = c.base
	k.shown = c.scrub(k.url.String())
	u, err := joinPath(c.base, r.Path)
	if err == nil {
		u.RawQuery = r.Query.Encode()
		k.url, k.shown = u, c.scrub(redactURL(u))
		err = k.setBody()
	}
	if err != nil {
		return nil, c.fail(k, &Error{Sent: SentNo, Message: "making the request: " + err.Error(), cause: err})
	}
	return k, nil
}

func joinPath(base *url.URL, path string) (*url.URL, error) {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return nil, fmt.Errorf("the path is not escaped as a URL's: %w", err)
	}
	for _, segment := range strings.FieldsFunc(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return nil, errors.New("the path contains . or .., so it would lead elsewhere")
		}
	}
	return base.JoinPath(path), nil
}

func (k *call) setBody() error {
	given := 0
	for _, set := range []bool{k.Body != nil, k.Bytes != nil, k.JSON != nil} {
		if set {
			given++
		}
	}
	body := k.Bytes
	switch {
	case given > 1:
		return errors.New("more than one of Body, Bytes and JSON is set")
	case given == 0:
		return nil
	case k.Body != nil:
		k.open, k.length = k.Body, k.ContentLength
		if k.length == 0 {
			k.length = -1
		}
		return nil
	case k.JSON != nil:
		var err error
		if body, err = json.Marshal(k.JSON); err != nil {
			return fmt.Errorf("writing its body as JSON: %w", err)
		}
		if k.header.Get("Content-Type") == "" {
			k.header.Set("Content-Type", "application/json")
		}
	}
	k.length = int64(len(body))
	k.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
