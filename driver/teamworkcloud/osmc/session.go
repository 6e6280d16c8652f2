package osmc

import (
	"bytes"
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

// sessionFor is how long a session is used after its cookies were set. They expire 15 minutes after the login
// (DEVG/303989506). A minute less avoids that a request arrives after the end of its session.
const sessionFor = 14 * time.Minute

// The documented cookies (DEVG/303989506). Other cookies from a server or gateway are kept as well.
const (
	userCookie    = "twc-rest-current-user"
	sessionCookie = "twc-rest-session-id"
)

// session is what identifies us to a server between login and logout. It is a rest.Session.
type session struct {
	client *Client
	proof  string // the Authorization header; "" once the cookies are sufficient

	mu      sync.Mutex
	cookies []cookie // in the order in which they came
	since   time.Time
	worked  bool // the server has answered a request in it, other than with 401
}

// cookie has the text that the server sent: net/http and its cookie jar drop values such as ACME\jörg.
type cookie struct{ name, value string }

func basicScheme(userPassword string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userPassword))
}

// Authorize adds our credentials or cookies to a request.
func (s *session) Authorize(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proof != "" {
		r.Header.Set("Authorization", s.proof)
	}
	pairs := make([]string, len(s.cookies))
	for i, c := range s.cookies {
		pairs[i] = c.name + "=" + c.value
	}
	if len(pairs) > 0 {
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
}

// Limits for the cookies of a server: what browsers must accept (RFC 6265, 6.1). Anything beyond is dropped.
const (
	mostCookies   = 50   // cookies in a session
	longestCookie = 4096 // bytes of a cookie's name and value
)

// Answered stores the cookies that an answer sets for its own server. It ignores when they expire: the server's clock
// may differ from ours, and a 401 shows it anyway.
func (s *session) Answered(resp *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range resp.Header.Values("Set-Cookie") {
		c, removed, ok := parseCookie(line, resp.Request.URL.Hostname())
		if !ok {
			continue
		}
		s.cookies = slices.DeleteFunc(s.cookies, func(old cookie) bool { return old.name == c.name })
		if !removed && len(s.cookies) < mostCookies {
			s.cookies = append(s.cookies, c)
		}
		s.since = s.client.now()
		if c.secret() {
			s.client.hide(strings.Trim(c.value, `"`), c.name == sessionCookie)
		}
	}
}

// parseCookie reads a Set-Cookie line of a host, as far as it matters for a client of only one server. removed means
// that the server deletes the cookie. ok is false for a cookie of another host.
func parseCookie(line, host string) (c cookie, removed, ok bool) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(pair, "=")
	c = cookie{name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
	if !found || c.name == "" || len(pair) > longestCookie ||
		strings.ContainsFunc(pair, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return cookie{}, false, false
	}
	removed = c.value == "" || c.value == `""`
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, value, _ := strings.Cut(attribute, "=")
		value = strings.TrimSpace(value)
		switch key = strings.TrimSpace(key); {
		case strings.EqualFold(key, "Max-Age"):
			removed = removed || value == "0" || strings.HasPrefix(value, "-")
		case strings.EqualFold(key, "Domain") && !within(host, strings.TrimPrefix(value, ".")):
			return cookie{}, false, false
		}
	}
	return c, removed, true
}

// within reports whether a cookie's domain is the host or contains it (RFC 6265, 5.1.3).
func within(host, domain string) bool {
	host, domain = strings.ToLower(host), strings.ToLower(domain)
	return domain == "" || host == domain || strings.HasSuffix(host, "."+domain)
}

// secret reports whether the cookie must not be shown. The user's name may be shown, and hiding a short value would
// hide other words.
func (c cookie) secret() bool {
	return c.name == sessionCookie || c.name != userCookie && len(c.value) >= 4
}

// hide keeps a cookie's value out of errors and logs, even after the session has ended. One that identifies a session
// is also kept out of what an answer says.
func (c *Client) hide(value string, session bool) {
	const most = 32 // a server may give a new one with every answer
	c.hiding.Lock()
	defer c.hiding.Unlock()
	if slices.Contains(c.hidden, value) {
		return
	}
	c.hidden = append(c.hidden, value)
	c.hidden = c.hidden[max(0, len(c.hidden)-most):]
	if session && len(value) >= leastMasked {
		c.masked = append(c.masked, []byte(value))
		c.masked = c.masked[max(0, len(c.masked)-most):]
	}
	c.rest.Hide(slices.Concat(c.concealed, c.hidden)...)
}

// leastMasked is the minimum length of a session's ID that is masked in answers. A shorter one may be a word or a
// number that means something else there.
const leastMasked = 12

// mask removes the IDs of sessions from an answer: a name that repeats one would be shown in a plan, and whoever reads
// it would be logged in.
func (c *Client) mask(answer *rest.Response) {
	c.hiding.Lock()
	defer c.hiding.Unlock()
	for _, id := range c.masked {
		if bytes.Contains(answer.Body, id) {
			answer.Body = bytes.ReplaceAll(answer.Body, id, []byte("(sensitive value)"))
		}
	}
}

// conceal keeps values out of errors and logs for as long as the client lives.
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

// do sends a request in the session and records whether the session works: any answer except 401 shows that.
func (s *session) do(ctx context.Context, r rest.Request) (*rest.Response, error) {
	r.Session = s
	answer, err := s.client.rest.Do(ctx, r)
	if rest.WasSent(err) == rest.SentYes && !rest.IsStatus(err, http.StatusUnauthorized) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.worked = true
	}
	return answer, err
}

func (s *session) state() (hasCookies, old, worked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hasCookies = len(s.cookies) > 0
	return hasCookies, hasCookies && s.client.now().Sub(s.since) >= sessionFor, s.worked
}

// wait waits for the turn to use the fields that turn protects.
func (c *Client) wait(ctx context.Context) (leave func(), err error) {
	select {
	case c.turn <- struct{}{}:
		return func() { <-c.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a session: %w", ctx.Err())
	}
}

// send sends a request in the open session. If none is open, or it is too old, it opens one: with a password by a
// login, with a token by the request itself, while other requests wait for its cookies. The returned session is nil if
// none was opened.
func (c *Client) send(ctx context.Context, r rest.Request) (*session, *rest.Response, error) {
	fails := c.fails.Load()
	leave, err := c.wait(ctx)
	if err != nil {
		return nil, nil, err
	}
	s := c.open
	if s != nil {
		if _, old, _ := s.state(); !old {
			leave()
			answer, err := s.do(ctx, r)
			return s, answer, err
		}
	}
	if c.fails.Load() != fails { // the login that we waited for failed
		defer leave()
		return nil, nil, c.failed
	}
	c.giveBack(ctx)
	s = &session{client: c, proof: c.scheme}
	if c.token {
		defer leave()
		answer, err := c.openingPatiently(ctx, r, s, s.do)
		if err == nil || rest.WasSent(err) == rest.SentYes && !errors.Is(err, ErrNoLicence) {
			c.open = s
		}
		return s, answer, err
	}
	err = c.login(ctx, s)
	leave()
	if err != nil {
		return nil, nil, err
	}
	answer, err := s.do(ctx, r)
	return s, answer, err
}

// login opens a session (GET /osmc/login, DEVG/303989506). A login that the server refuses is remembered and not
// repeated. It must be called with the turn held.
func (c *Client) login(ctx context.Context, s *session) error {
	if c.refused != nil {
		return c.refused
	}
	login := rest.Request{Path: "/osmc/login", Header: http.Header{"Accept": {"*/*"}}, Session: s}
	answer, err := c.openingPatiently(ctx, login, s, c.rest.Do)
	hasCookies, _, _ := s.state()
	switch {
	case err != nil:
	case isPage(answer.Body):
		err = answer.DecodeJSON(new(any)) // the error says what page it is
	case !hasCookies:
		err = fmt.Errorf("the server at %s answers a login without opening a session: is it Teamwork Cloud's REST "+
			"interface? %w", c.rest.BaseURL(), rest.ErrAddress)
	}
	if err == nil {
		s.proof, c.open = "", s
		c.log.Debug("logged in", "user", c.user)
		return nil
	}
	if !errors.Is(err, ErrNoLicence) {
		err = c.loginFailed(err)
	}
	if rest.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) && !isLicence(err) {
		c.refused = err
	}
	if ctx.Err() == nil { // waiting requests have their own contexts
		c.failed = err
		c.fails.Add(1)
	}
	return err
}

// giveBack logs out of the open session. Otherwise its licence is free again only a quarter of an hour after its last
// use. It must be called with the turn held.
func (c *Client) giveBack(ctx context.Context) {
	s := c.open
	c.open = nil
	if s == nil {
		return
	}
	if err := c.logout(ctx, s, rest.Never); err != nil {
		c.log.Debug("the old session was not logged out", "error", err.Error())
	}
}

// ended finds out what a 401 means. again: the request can be repeated in another session. renewed: this session has
// ended; ended then also logs out of it. before says whether a session was already renewed for this request.
func (c *Client) ended(ctx context.Context, s *session, what string, before bool) (again, renewed bool) {
	leave, err := c.wait(ctx)
	if err != nil {
		return false, false
	}
	defer leave()
	hasCookies, _, worked := s.state()
	switch {
	case c.open != s: // another session was opened since
		return true, false
	case before:
		c.denied[what] = true
		return false, false
	case c.denied[what], !worked, !hasCookies: // the reason is the request
		return false, false
	}
	c.giveBack(ctx)
	return true, true
}

// noLicence reports whether a login was refused for lack of a licence. ASSUMED: the answer is not documented; it is
// expected to contain the word, in either spelling.
func noLicence(e *rest.Error) bool {
	switch e.Status {
	case http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return e.Says("licen")
	}
	return false
}

// lost reports whether a request got no answer, or none in time, although the server may have carried it out.
func lost(e *rest.Error) bool {
	return e.Sent != rest.SentNo && (e.Status == 0 || e.Status == http.StatusGatewayTimeout)
}

func isLost(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && lost(e)
}

// opening sends a request that opens a session, which takes a licence. If its answer is lost, the server is first
// asked for a page that needs no session. Once it answers, for example after a start, the request is repeated, at most
// once.
func (c *Client) opening(ctx context.Context, r rest.Request,
	send func(context.Context, rest.Request) (*rest.Response, error),
) (*rest.Response, error) {
	giveUp := r.GiveUp
	r.GiveUp = func(e *rest.Error) bool { return giveUp != nil && giveUp(e) || noLicence(e) || lost(e) }
	// net/http by itself repeats requests that it considers safe, on a connection that was used before.
	c.rest.Close()
	answer, err := send(ctx, r)
	if !isLost(err) {
		return answer, err
	}
	page := rest.Request{Path: "/osmc/login.html", Header: http.Header{"Accept": {"*/*"}}}
	if _, silent := c.rest.Do(ctx, page); rest.WasSent(silent) != rest.SentYes {
		return answer, err
	}
	c.rest.Close()
	return send(ctx, r)
}

// openingPatiently is opening, but waits for a licence as long as Options.Patience allows. If none becomes free, the
// error wraps ErrNoLicence, the request was not carried out, and no session was opened.
func (c *Client) openingPatiently(ctx context.Context, r rest.Request, s *session,
	send func(context.Context, rest.Request) (*rest.Response, error),
) (*rest.Response, error) {
	for waited := LicenceWait; ; waited += LicenceWait {
		answer, err := c.opening(ctx, r, send)
		if hasCookies, _, _ := s.state(); !isLicence(err) || hasCookies {
			return answer, err
		}
		if waited > c.patience() || c.rest.Wait(ctx, LicenceWait, "has no licence left, and gives those of lost sessions "+
			"back a quarter of an hour after their last use") != nil {
			return nil, c.loginFailed(err)
		}
	}
}

func isLicence(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && noLicence(e)
}

// misdirected adds to an error for a path that every server has that the answer seems to come from something else.
func (c *Client) misdirected(err error) error {
	if errors.Is(err, ErrLogin) || !IsGone(err) && !errors.Is(err, rest.ErrAddress) {
		return err
	}
	return fmt.Errorf("%s does not answer as Teamwork Cloud's REST interface, which usually is https://HOST:8111: %w (%w)",
		c.rest.BaseURL(), rest.ErrAddress, err)
}

// loginFailed adds to the error of a login what it means.
func (c *Client) loginFailed(err error) error {
	switch {
	case isLicence(err):
		return fmt.Errorf("%w as user %q: %w: sessions hold them all; those that were not logged out, such as a killed "+
			"process's, give theirs back by themselves a quarter of an hour after they were last used: wait that long and "+
			"try again, or have others log out (%w)", ErrLogin, c.user, ErrNoLicence, err)
	case isLost(err):
		return fmt.Errorf("%w as user %q: %w; it is not repeated any more, since the server may have opened a session "+
			"all the same, which holds a licence for a quarter of an hour", ErrLogin, c.user, err)
	case rest.IsStatus(err, http.StatusUnauthorized):
		return fmt.Errorf("%w: the server does not accept the password of user %q; it is not tried again, since "+
			"accounts get locked (%w)",
			ErrLogin, c.user, err)
	case rest.IsStatus(err, http.StatusForbidden):
		return fmt.Errorf("%w: the server does not let user %q in (%w)", ErrLogin, c.user, err)
	}
	return fmt.Errorf("%w as user %q: %w", ErrLogin, c.user, c.misdirected(err))
}

// Close logs out if a session is open, because it holds a licence. It may be called any number of times. The client
// may be used afterwards, and then logs in again.
func (c *Client) Close(ctx context.Context) error {
	leave, err := c.wait(ctx)
	if err != nil {
		return err
	}
	defer leave()
	defer c.rest.Close()
	s := c.open
	c.open, c.refused, c.failed, c.denied = nil, nil, nil, map[string]bool{}
	if s == nil {
		return nil
	}
	if err := c.logout(ctx, s, rest.Safe); err != nil {
		return fmt.Errorf("logging out: the session holds a licence until it expires, in a quarter of an hour: %w", err)
	}
	return nil
}

// logout ends a session (GET /osmc/logout). It sends only the cookies: with a password or a token the server would
// open another session.
func (c *Client) logout(ctx context.Context, s *session, retry rest.Retry) error {
	s.mu.Lock()
	last := &session{client: c, cookies: slices.Clone(s.cookies)}
	s.mu.Unlock()
	if len(last.cookies) == 0 {
		return nil
	}
	_, err := c.rest.Do(ctx, rest.Request{Path: "/osmc/logout", Header: http.Header{"Accept": {"*/*"}},
		Retry: retry, Session: last})
	if rest.IsStatus(err, http.StatusUnauthorized) { // the session had expired
		return nil
	}
	if err == nil {
		c.log.Debug("logged out", "user", c.user)
	}
	return err
}
