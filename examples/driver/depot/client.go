package depot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// client speaks to one depot. It logs in when it is first asked for something.
type client struct {
	rest *rest.Client

	mu    sync.Mutex
	token string // of the session; "" for none
}

// connect makes the client of a declared server.
func connect(env driver.Env, server *schema.Resource) (*client, error) {
	s, diags := decodeServer(server)
	if diags.HasErrors() {
		return nil, diags
	}
	o, err := s.Rest(env)
	if err != nil {
		return nil, err
	}
	o.Secrets = []string{s.Secret(), s.User.Reveal() + ":" + s.Secret()}
	return newClient(o, s.Authorize)
}

const sessionsPath = "/sessions"

// newClient makes a client that opens its session with the credentials that login adds to a request.
func newClient(o rest.Options, login func(*http.Request)) (c *client, err error) {
	c = &client{}
	o.Authorize = func(r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == sessionsPath {
			login(r)
		}
	}
	c.rest, err = rest.New(o)
	return c, err
}

// session returns the header of the client's session, which it opens first if there is none.
func (c *client) session(ctx context.Context) (http.Header, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" {
		return bearer(c.token), nil
	}
	answer, err := c.rest.Do(ctx, rest.Request{Method: http.MethodPost, Path: sessionsPath})
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	var s struct {
		Token string `json:"token"`
	}
	if err := answer.DecodeJSON(&s); err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	if s.Token == "" {
		return nil, errors.New("logging in: the answer has no token")
	}
	c.token = s.Token
	c.rest.Hide(s.Token)
	return bearer(c.token), nil
}

// logOut ends the session, if there is one. The client may be used again.
func (c *client) logOut(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == "" {
		return nil
	}
	_, err := c.rest.Do(ctx, rest.Request{
		Method: http.MethodDelete, Path: sessionsPath, Header: bearer(c.token), Retry: rest.Safe,
	})
	if err != nil {
		return fmt.Errorf("logging out: %w", err)
	}
	c.token = ""
	return nil
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// reader is what observing and verifying get: it has no method that changes anything.
type reader struct{ c *client }

// box reads a box; nil without an error: the depot has none of that name.
func (r reader) box(ctx context.Context, name string) (*box, error) {
	session, err := r.c.session(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := r.c.rest.Do(ctx, rest.Request{Path: boxPath(name), Header: session})
	if rest.IsStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading box %s: %w", name, err)
	}
	var shown answeredBox
	if err := answer.DecodeJSON(&shown); err != nil {
		return nil, fmt.Errorf("reading box %s: %w", name, err)
	}
	return shown.box(name)
}

// answeredBox is a box as an answer has it. A member that it does not have is unknown, not empty.
type answeredBox struct{ Color, Label *string }

func (b answeredBox) box(name string) (*box, error) {
	if b.Color == nil || b.Label == nil {
		return nil, fmt.Errorf("reading box %s: the answer lacks its color or its label", name)
	}
	return &box{Color: *b.Color, Label: *b.Label}, nil
}

// boxes reads all boxes, by name.
func (r reader) boxes(ctx context.Context) (map[string]*box, error) {
	session, err := r.c.session(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := r.c.rest.Do(ctx, rest.Request{Path: "/boxes", Header: session})
	var shown map[string]answeredBox
	if err == nil {
		err = answer.DecodeJSON(&shown)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the boxes: %w", err)
	}
	all := map[string]*box{}
	for name, b := range shown {
		if all[name], err = b.box(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// endpoint is what the last answer showed of the server itself.
func (r reader) endpoint() *rest.Endpoint { return r.c.rest.Endpoint() }

// logIn tells whether the depot accepts the credentials.
func (r reader) logIn(ctx context.Context) error {
	_, err := r.c.session(ctx)
	return err
}

// writer is what executing gets.
type writer struct{ reader }

// change sends a request that changes something. It is not repeated when it may have been carried out.
func (w writer) change(ctx context.Context, doing string, r rest.Request) error {
	session, err := w.c.session(ctx)
	if err != nil {
		return executor.NotSent(err)
	}
	r.Header, r.Retry = session, rest.Never
	if _, err := w.c.rest.Do(ctx, r); err != nil {
		return driver.Sent(fmt.Errorf("%s: %w", doing, err))
	}
	return nil
}

func boxPath(name string) string { return "/boxes/" + url.PathEscape(name) }
