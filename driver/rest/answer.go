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
	"sync"

	"github.com/syncctl/syncctl/driver/wording"
)

// Response is a complete answer with a 2xx status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	client *Client
	call   *call
	over   func() // ends its turn, if it is a large one
}

// DecodeJSON decodes the answer into v. If the answer is not JSON, has more than one value, or does not fit v, it
// returns an *Error that says what came instead. The Content-Type does not matter: servers send JSON as text/plain,
// and pages as application/json.
func (r *Response) DecodeJSON(v any) error {
	if r.over != nil {
		defer r.over()
	}
	body := bytes.TrimSpace(bytes.TrimPrefix(r.Body, []byte("\ufeff")))
	var err error
	switch {
	case len(body) == 0:
		err = errors.New("answered nothing where JSON was expected")
	case body[0] == '<':
		err = fmt.Errorf("answered with %s where JSON was expected: %w", pageOf(body), ErrAddress)
	default:
		if err = decode(body, v); err != nil {
			err = fmt.Errorf("the answer is not the JSON that was expected: %w", wording.Short(err))
		}
	}
	if err == nil {
		return nil
	}
	return r.client.fail(r.call, &Error{Status: r.Status, Sent: SentYes, Message: err.Error(), cause: err, Attempts: 1})
}

// decoding is held while a large answer is decoded, which takes up to a hundred times its memory: one at a time,
// whatever server it is from.
var decoding sync.Mutex

func decode(body []byte, v any) error {
	if len(body) > decodedAtOnce {
		decoding.Lock()
		defer decoding.Unlock()
	}
	return json.Unmarshal(body, v)
}

// refuseLogin returns an error for a login page with status 200.
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

// Stream is an answer with a 2xx status that is read as it comes.
type Stream struct {
	Status int
	Header http.Header
	Length int64         // as announced; -1 if unknown
	Body   io.ReadCloser // ends with an *Error if the answer breaks off or stalls; Close frees the connection
}

// peekBytes is the number of bytes of a page that are searched for its title.
const peekBytes = 16 << 10

// stream returns the answer, or an error if it is a page and none was asked for.
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

// streamBody reads from the server and limits each wait. The time that the caller spends between reads does not
// count.
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
