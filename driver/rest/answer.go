package rest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
)

// Response is a whole answer whose status is 2xx.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	client *Client
	call   *call
}

// DecodeJSON decodes the answer into v. An answer that is not JSON, or more than one value, or does not fit v, is an
// *Error that says what came instead. The Content-Type decides nothing: servers send JSON as text/plain, and pages
// as application/json.
func (r *Response) DecodeJSON(v any) error {
	body := bytes.TrimSpace(bytes.TrimPrefix(r.Body, []byte("\ufeff")))
	var err error
	switch {
	case len(body) == 0:
		err = errors.New("answered nothing where JSON was expected")
	case body[0] == '<':
		err = fmt.Errorf("answered with %s where JSON was expected: %w", pageOf(body), ErrAddress)
	default:
		if err = json.Unmarshal(body, v); err != nil {
			err = fmt.Errorf("the answer is not the JSON that was expected: %w", wording.Short(err))
		}
	}
	if err == nil {
		return nil
	}
	return r.client.fail(r.call, &Error{Status: r.Status, Sent: SentYes, Message: err.Error(), cause: err, Attempts: 1})
}

// refuseLogin catches the server that answers a login page with status 200.
func (r *Response) refuseLogin() error {
	if body := bytes.TrimSpace(r.Body); isPage(r.Header, body) && looksLikeLogin(titleOf(body)) {
		return loginPage(r.Status)
	}
	return nil
}

func loginPage(status int) *Error {
	return &Error{Status: status, Sent: SentYes, permanent: true, Message: loginWords, cause: ErrAddress}
}

const loginWords = "answered with a login page: are the credentials right? is the address?"

func isPage(h http.Header, body []byte) bool {
	return strings.Contains(strings.ToLower(h.Get("Content-Type")), "html") && len(body) > 0 && body[0] == '<'
}

// Stream is an answer whose status is 2xx, read as it comes.
type Stream struct {
	Status int
	Header http.Header
	Length int64         // as announced; -1: unknown
	Body   io.ReadCloser // ends with an *Error where the answer breaks off or stalls; Close frees the connection
}

// peekBytes is how much of a page is looked at for its title.
const peekBytes = 16 << 10

// stream hands the answer over, unless it is a page where none was asked for.
func (a *attempt) stream() (*Stream, error) {
	a.watch.stop()
	body := &streamBody{bounded: bounded{attempt: a, left: a.client.o.MaxStream}}
	buffered := bufio.NewReaderSize(body, peekBytes)
	body.buffered = buffered
	if strings.Contains(strings.ToLower(a.resp.Header.Get("Content-Type")), "html") &&
		!strings.Contains(a.call.header.Get("Accept"), "html") {
		text, err := buffered.Peek(peekBytes)
		if text = bytes.TrimSpace(text); isPage(a.resp.Header, text) {
			if looksLikeLogin(titleOf(text)) {
				return nil, loginPage(a.resp.StatusCode)
			}
			return nil, &Error{
				Status: a.resp.StatusCode, Sent: SentYes, permanent: true,
				Message: fmt.Sprintf("answered with %s where data was expected: %v", pageOf(text), ErrAddress),
				cause:   ErrAddress,
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return &Stream{Status: a.resp.StatusCode, Header: a.resp.Header, Length: a.resp.ContentLength,
		Body: &streamReader{body}}, nil
}

// streamBody reads from the server, with a watch over each wait: what the reader does in between takes as long as it
// takes.
type streamBody struct {
	bounded

	buffered *bufio.Reader
}

func (b *streamBody) Read(p []byte) (int, error) {
	a := b.attempt
	n, err := b.bounded.Read(p)
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	var e *Error
	if !errors.As(err, &e) {
		e = a.broken(err, b.read)
		e.Retryable = a.call.safe()
	}
	e.Attempts = 1
	return n, a.client.fail(a.call, e)
}

type streamReader struct{ body *streamBody }

func (r *streamReader) Read(p []byte) (int, error) { return r.body.buffered.Read(p) }

func (r *streamReader) Close() error {
	r.body.attempt.end()
	return nil
}
