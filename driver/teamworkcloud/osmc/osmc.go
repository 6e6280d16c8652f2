// Package osmc is a client of Teamwork Cloud's REST interface, which its paths call "osmc". It logs in once, keeps the
// session and logs out at the end, because every session holds a licence. It reads the answers of real servers, which
// differ between releases and from the vendor's specification.
//
// Documents are cited by the vendor's addresses: MCS, DEVG and VN are spaces of https://docs.nomagic.com. "The
// specification" is the OpenAPI file that each server contains, twc-rest-swagger.json.
package osmc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver/rest"
)

// Options describe how to reach a server, and as which user.
type Options struct {
	// Rest describes the server and the connection: BaseURL is https://HOST:8111, with or without /osmc. The client
	// adds secrets that it knows to Secrets.
	Rest rest.Options

	User      string // with Password; with a token it only says whose token it is
	Password  string
	Token     string // takes precedence over a password
	TokenKind string // kind of Token: "personal" (also ""), "id", "oauth"

	// Patience returns for how long a login may wait for a licence. If it is nil, the login does not wait.
	Patience func() time.Duration
}

// Client is a client of one server. Several goroutines may use it; they share one session.
type Client struct {
	rest   *rest.Client
	log    hclog.Logger
	now    func() time.Time
	user   string
	scheme string // Authorization header: with a token in each request, with a password only at login
	token  bool

	patience func() time.Duration

	turn    chan struct{}   // a lock of size one: must be held to use what follows
	open    *session        // nil if there is none
	refused error           // error of a refused login; not repeated, because accounts get locked
	failed  error           // error of the last login that failed otherwise
	denied  map[string]bool // requests answered with 401 in a session just opened: the reason is not the session
	fails   atomic.Int64    // number of failed logins; changed with turn held, and read at any time

	hiding    sync.Mutex
	hidden    []string // values of cookies
	masked    [][]byte // IDs of sessions
	concealed []string // other secrets that were seen
}

// New returns a client. It does not connect yet. Errors are about the options, and contain no secrets.
func New(o Options) (*Client, error) {
	if o.Patience == nil {
		o.Patience = func() time.Duration { return 0 }
	}
	o.Token = strings.TrimSpace(o.Token) // a file ends with a newline
	c := &Client{user: o.User, token: o.Token != "", turn: make(chan struct{}, 1), denied: map[string]bool{},
		patience: o.Patience}
	basic := o.User + ":" + o.Password
	switch {
	case c.token:
		scheme, ok := map[string]string{"": "Token", "personal": "Token", "id": "Token", "oauth": "Bearer"}[o.TokenKind]
		if !ok {
			return nil, fmt.Errorf("%q is not a kind of token: use personal, id or oauth", o.TokenKind)
		}
		if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, errors.New("the token has an invalid character, such as a space or the end of a line")
		}
		c.scheme = scheme + " " + o.Token
	case o.User == "" || o.Password == "":
		return nil, errors.New("no credentials: give a user and a password, or a token")
	case strings.Contains(o.User, ":"):
		return nil, fmt.Errorf("the user %q has a colon, which HTTP does not allow in a name", o.User)
	default:
		c.scheme = basicScheme(basic)
	}
	r := o.Rest
	r.BaseURL = strings.TrimSuffix(strings.TrimRight(r.BaseURL, "/"), "/osmc")
	r.Secrets = append(append([]string{}, r.Secrets...), o.Password, o.Token)
	if o.Password != "" {
		r.Secrets = append(r.Secrets, basic)
	}
	var err error
	if c.rest, err = rest.New(r); err != nil {
		return nil, err
	}
	if c.log = r.Log; c.log == nil {
		c.log = hclog.NewNullLogger()
	}
	if c.now = r.Now; c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Reader returns the methods that change nothing.
func (c *Client) Reader() Reader { return Reader{c} }

// Writer also returns the methods that change something.
func (c *Client) Writer() Writer { return Writer{Reader{c}} }

// Reader reads from a server and changes nothing. The errors of its methods say which request failed and why. Callers
// distinguish them with IsGone, NotAllowed, ErrLogin and ErrNoLicence.
type Reader struct{ c *Client }

// Writer is a Reader that may also change things. A request is never repeated if the server may have carried it out.
// WasSent returns how far the request of an error got.
type Writer struct{ Reader }

// Errors of a login, besides those of any request.
var (
	// ErrLogin is wrapped by every error of a login: the request itself was not sent.
	ErrLogin = errors.New("logging in")
	// ErrNoLicence means that a login was refused because all licences are in use. It may succeed later.
	ErrNoLicence = errors.New("no licence is free")
)

// LicenceWait is how long to wait before repeating a login that was refused for lack of a licence. After five such
// waits, a licence that a lost session held for a quarter of an hour is free again.
const LicenceWait = 200 * time.Second

// IsGone reports whether the server answered that something does not exist (404). That alone does not prove that it
// was removed: a proxy, or a missing permission, may cause the same answer. If a method makes several requests, only
// the first one counts.
func IsGone(err error) bool { return isAbout(err, http.StatusNotFound) }

// NotAllowed reports whether the server answered that the user may not do this (401 and 403). It is false for a
// refused login.
func NotAllowed(err error) bool { return isAbout(err, http.StatusUnauthorized, http.StatusForbidden) }

func isAbout(err error, status ...int) bool {
	var p *partError
	return rest.IsStatus(err, status...) && !errors.As(err, &p) && !errors.Is(err, ErrLogin)
}

// WasSent returns how far a request of the Writer got. For nil it returns SentYes.
func WasSent(err error) rest.Sent {
	if sent, ok := SentBefore(err); ok {
		return sent
	}
	if errors.Is(err, ErrLogin) {
		return rest.SentNo
	}
	return rest.WasSent(err)
}

// SentBefore returns how far the request got that changes something, if err is about another request of the same
// method. ok is false if err is about that request itself.
func SentBefore(err error) (sent rest.Sent, ok bool) {
	var p *partError
	if errors.As(err, &p) && p.sent != nil {
		return *p.sent, true
	}
	return rest.SentNo, false
}

// partError is the error of one of several requests that a method makes. It says nothing about the method's subject as
// a whole.
type partError struct {
	err  error
	sent *rest.Sent // how far the request got that changes something, if the method makes one and err is about another
}

func (e *partError) Error() string { return e.err.Error() }
func (e *partError) Unwrap() error { return e.err }

func part(err error) error {
	if err == nil {
		return nil
	}
	return &partError{err: err}
}

// do sends a request in the session, and once more in a new one if the session has ended. A request that is answered
// with 401 was not carried out, so this is safe for requests that change something, too.
func (c *Client) do(ctx context.Context, r rest.Request) (*rest.Response, error) {
	const most = 3 // sessions; more than two only if other goroutines end them at the same time
	renewed := false
	for n := 1; ; n++ {
		s, answer, err := c.send(ctx, r)
		if s == nil || !rest.IsStatus(err, http.StatusUnauthorized) {
			if err == nil {
				c.mask(answer)
			}
			return answer, err
		}
		again, renews := c.ended(ctx, s, r.Method+" "+r.Path, renewed)
		if !again || n == most {
			return nil, c.unauthorized(err)
		}
		renewed = renewed || renews
	}
}

// unauthorized adds to the error of a request answered with 401 whose credentials were used.
func (c *Client) unauthorized(err error) error {
	if c.token {
		return fmt.Errorf("the server does not accept the token for this: is it of the kind declared, still valid, "+
			"and is its user allowed to? (%w)", err)
	}
	return fmt.Errorf("the server does not let user %q do this (%w)", c.user, err)
}

// accept prefers what the vendor's documents show, but takes anything rather than be refused.
const accept = "application/ld+json, application/json, */*;q=0.1"
