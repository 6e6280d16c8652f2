package osmc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

// sessionFor is how long a session is used after its cookies were set. They expire 15 minutes after the login (DEVG/303989506);
// a minute before that, so that none dies on its way.
const sessionFor = 14 * time.Minute

// The cookies that the documents name (DEVG/303989506). Whatever else a server or what is before it sets is kept as well.
const (
	userCookie    = "twc-rest-current-user"
	sessionCookie = "twc-rest-session-id"
)

// session is what a server knows us by between a login and a logout.
type session struct {
	client *Client
	proof  string // the Authorization header; "" once the cookies do

	mu      sync.Mutex
	cookies []cookie // in the order in which they came
	since   time.Time
	worked  bool // the server has answered something within it
}

// cookie is kept as the server wrote it: a user's name may hold what Go's own cookies drop.
type cookie struct{ name, value string }

type sessionKey struct{}

// within makes requests of ctx a session's.
func within(ctx context.Context, s *session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

func basicScheme(userPassword string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userPassword))
}

// authorize adds what proves who we are to a request.
func authorize(r *http.Request) {
	s, ok := r.Context().Value(sessionKey{}).(*session)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proof != "" {
		r.Header.Set("Authorization", s.proof)
	}
	var pairs []string
	for _, c := range s.cookies {
		pairs = append(pairs, c.name+"="+c.value)
	}
	if len(pairs) > 0 {
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
}

// answered keeps the cookies that an answer sets, be it an error or a redirect.
func answered(resp *http.Response) {
	s, ok := resp.Request.Context().Value(sessionKey{}).(*session)
	if ok && len(resp.Header.Values("Set-Cookie")) > 0 {
		s.take(resp.Header.Values("Set-Cookie"))
	}
}

// take replaces cookies. When they expire is not looked at: the server's clock may differ from ours, and 401 says it anyway.
func (s *session) take(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range lines {
		c, gone, ok := parseCookie(line)
		if !ok {
			continue
		}
		i := slices.IndexFunc(s.cookies, func(old cookie) bool { return old.name == c.name })
		switch {
		case gone && i >= 0:
			s.cookies = slices.Delete(s.cookies, i, i+1)
		case gone:
		case i >= 0:
			s.cookies[i] = c
		default:
			s.cookies = append(s.cookies, c)
		}
		s.since = s.client.now()
		if c.secret() {
			s.client.hide(strings.Trim(c.value, `"`))
		}
	}
}

// secret tells whether the cookie must not be shown. The user's name is none, and what is short would blot out other words.
func (c cookie) secret() bool {
	return c.name == sessionCookie || c.name != userCookie && len(c.value) >= 4
}

// hide keeps a cookie's value out of errors and logs, after the session's end too.
func (c *Client) hide(value string) {
	const most = 32 // a server may give a new one with every answer
	c.hiding.Lock()
	defer c.hiding.Unlock()
	if slices.Contains(c.hidden, value) {
		return
	}
	c.hidden = append(c.hidden, value)
	c.hidden = c.hidden[max(0, len(c.hidden)-most):]
	c.rest.Hide(slices.Concat(c.concealed, c.hidden)...)
}

// conceal keeps what is secret as long as the client lives out of errors and logs.
func (c *Client) conceal(values ...string) {
	c.hiding.Lock()
	defer c.hiding.Unlock()
	for _, value := range values {
		if value != "" && !slices.Contains(c.concealed, value) {
			c.concealed = append(c.concealed, value)
		}
	}
	c.rest.Hide(slices.Concat(c.concealed, c.hidden)...)
}

// parseCookie reads a Set-Cookie line as far as it matters to who talks to one server only. gone: it is taken away.
func parseCookie(line string) (c cookie, gone, ok bool) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(pair, "=")
	c = cookie{name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
	if !found || c.name == "" || strings.ContainsFunc(pair, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return cookie{}, false, false
	}
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, value, _ := strings.Cut(attribute, "=")
		value = strings.TrimSpace(value)
		if strings.EqualFold(strings.TrimSpace(key), "Max-Age") && (value == "0" || strings.HasPrefix(value, "-")) {
			return c, true, true
		}
	}
	return c, c.value == "" || c.value == `""`, true
}

// works notes that the session works: any answer but 401 shows it.
func (s *session) works(err error) {
	if rest.WasSent(err) != rest.SentYes {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worked = true
}

func (s *session) state() (cookies int, old, worked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cookies), len(s.cookies) > 0 && s.client.now().Sub(s.since) >= sessionFor, s.worked
}

// pass waits for the door, through which one goes at a time.
func (c *Client) pass(ctx context.Context) (leave func(), err error) {
	select {
	case c.door <- struct{}{}:
		return func() { <-c.door }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a session: %w", ctx.Err())
	}
}

// failure is a login that failed, for those who waited for it.
type failure struct{ err error }

// session gives the session to work in, and opens one where there is none or where it is too old. done is called with the outcome
// of the request that it was wanted for.
func (c *Client) session(ctx context.Context) (s *session, done func(error), err error) {
	nothing := func(error) {}
	s, before := c.current()
	if s != nil {
		return s, nothing, nil
	}
	leave, err := c.pass(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, last := c.current()
	switch {
	case s != nil:
		leave()
		return s, nothing, nil
	case last != nil && last != before: // of the one that we waited for
		leave()
		return nil, nil, last.err
	}
	c.giveBack(ctx)
	if c.token { // whoever is first opens the session, and the others wait for its cookies
		s = &session{client: c, proof: c.scheme}
		return s, func(err error) { c.settle(s, err); leave() }, nil
	}
	defer leave()
	if s, err = c.login(ctx); err != nil {
		return nil, nil, err
	}
	return s, nothing, nil
}

// current is the session if it is young enough, and how the last login failed.
func (c *Client) current() (*session, *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		return nil, c.failed
	}
	if _, old, _ := c.open.state(); old {
		return nil, c.failed
	}
	return c.open, c.failed
}

// settle makes the session of a token the one of all, once its first request was answered.
func (c *Client) settle(s *session, err error) {
	if rest.WasSent(err) != rest.SentYes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = s
}

// login opens a session (GET /osmc/login, DEVG/303989506). A login that the server refuses is remembered and not tried again.
// The caller has passed the door.
func (c *Client) login(ctx context.Context) (*session, error) {
	c.mu.Lock()
	refused := c.refused
	c.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	s := &session{client: c, proof: c.scheme}
	answer, err := c.rest.Do(within(ctx, s), rest.Request{
		Path: "/osmc/login", Header: http.Header{"Accept": {"*/*"}}, GiveUp: noLicence,
	})
	cookies, _, _ := s.state()
	switch {
	case err != nil:
	case isPage(answer.Body):
		err = answer.DecodeJSON(new(any)) // which says what page it is
	case cookies == 0:
		err = fmt.Errorf("the server at %s answers a login without opening a session: is it Teamwork Cloud's REST interface?", c.rest.BaseURL())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		s.proof, c.open, c.failed = "", s, nil
		c.log.Debug("logged in", "user", c.user)
		return s, nil
	}
	err = c.loginFailed(err)
	if rest.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) && !isLicence(err) {
		c.refused = err
	}
	if ctx.Err() == nil { // who waited has a context of its own
		c.failed = &failure{err}
	}
	return nil, err
}

// giveBack logs an old session out. Its licence comes back by itself only a quarter of an hour after it was last used. The caller
// has passed the door.
func (c *Client) giveBack(ctx context.Context) {
	c.mu.Lock()
	s := c.open
	c.open = nil
	c.mu.Unlock()
	if s == nil {
		return
	}
	if err := c.logout(ctx, s, rest.Never); err != nil {
		c.log.Debug("the old session was not logged out", "error", err.Error())
	}
}

// What to do about a request that was answered 401.
type remedy int

const (
	accepted remedy = iota // it is not about the session
	repeat                 // somebody has opened another session since
	renew                  // the session has ended
)

// ended tells what a 401 means. It ends the session if that is what it means.
func (c *Client) ended(ctx context.Context, s *session, what string, renewed bool) remedy {
	leave, err := c.pass(ctx)
	if err != nil {
		return accepted
	}
	defer leave()
	c.mu.Lock()
	current := c.open == s
	if current && renewed {
		c.denied[what] = true
	}
	denied := c.denied[what]
	c.mu.Unlock()
	cookies, _, worked := s.state()
	switch {
	case !current:
		return repeat
	case denied, renewed, !worked, cookies == 0:
		return accepted
	}
	c.giveBack(ctx)
	return renew
}

// noLicence tells a login that was refused for want of a licence. ASSUMED: no document shows that answer; it is taken to say so,
// in either spelling.
func noLicence(e *rest.Error) bool {
	switch e.Status {
	case http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return e.Says("licen")
	}
	return false
}

func isLicence(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && noLicence(e)
}

// loginFailed says what a failed login means.
func (c *Client) loginFailed(err error) error {
	switch {
	case isLicence(err):
		return fmt.Errorf("%w as user %q: %w: sessions of others, or some that were not logged out, hold them all (%w)", ErrLogin, c.user, ErrNoLicence, err)
	case rest.IsStatus(err, http.StatusUnauthorized):
		return fmt.Errorf("%w: the server does not accept the password of user %q; it is not tried again, since accounts get locked (%w)", ErrLogin, c.user, err)
	case rest.IsStatus(err, http.StatusForbidden):
		return fmt.Errorf("%w: the server does not let user %q in (%w)", ErrLogin, c.user, err)
	}
	return fmt.Errorf("%w as user %q: %w", ErrLogin, c.user, err)
}

// Close logs out, if a session is open: while it is, it holds a licence. It may be called any number of times, and the client
// may be used again, which logs in anew.
func (c *Client) Close(ctx context.Context) error {
	leave, err := c.pass(ctx)
	if err != nil {
		return err
	}
	defer leave()
	c.mu.Lock()
	s := c.open
	c.open, c.refused, c.failed, c.denied = nil, nil, nil, map[string]bool{}
	c.mu.Unlock()
	defer c.rest.Close()
	if s == nil {
		return nil
	}
	if err := c.logout(ctx, s, rest.Safe); err != nil {
		return fmt.Errorf("logging out: the session holds a licence until it expires, in a quarter of an hour: %w", err)
	}
	return nil
}

// logout ends a session (GET /osmc/logout). It goes by its cookies alone: with anything else the server would open another one.
func (c *Client) logout(ctx context.Context, s *session, retry rest.Retry) error {
	cookies, _, _ := s.state()
	if cookies == 0 {
		return nil
	}
	s.mu.Lock()
	last := &session{client: c, cookies: slices.Clone(s.cookies)}
	s.mu.Unlock()
	_, err := c.rest.Do(within(ctx, last), rest.Request{
		Path: "/osmc/logout", Header: http.Header{"Accept": {"*/*"}}, Retry: retry,
	})
	if rest.IsStatus(err, http.StatusUnauthorized) { // it had expired
		return nil
	}
	if err == nil {
		c.log.Debug("logged out", "user", c.user)
	}
	return err
}
