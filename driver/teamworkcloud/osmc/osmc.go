// Package osmc is a client of Teamwork Cloud's REST interface, which its paths call "osmc". It logs in once, keeps
// the session and gives it back, since every session holds a licence; and it reads the answers of real servers,
// which differ from one release to the next and from the vendor's specification.
//
// Documents are cited as in the vendor's addresses: MCS, DEVG and VN are spaces of https://docs.nomagic.com. "The
// specification" is the OpenAPI file that each server brings, twc-rest-swagger.json.
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

// Options say how to reach a server, and as whom.
type Options struct {
	// Rest is about the server and the way to it: BaseURL is https://HOST:8111, with or without /osmc. The client
	// adds what it knows to be secret to Secrets.
	Rest rest.Options

	User      string // with Password; beside a token it says only who that is
	Password  string
	Token     string // goes before a password
	TokenKind string // of Token: "personal" ("" too), "id", "oauth"

	// Patience tells for how long a login may wait for a licence. nil: it is refused at once.
	Patience func() time.Duration
}

// Client speaks to one server. It may be used by several goroutines, which share one session.
type Client struct {
	rest   *rest.Client
	log    hclog.Logger
	now    func() time.Time
	user   string
	scheme string // the header that proves who we are: of every request with a token, of the login with a password
	token  bool

	patience func() time.Duration

	turn    chan struct{}   // holds one: whoever has put it in may use what follows
	open    *session        // nil: none
	refused error           // by a login, which is not tried again with the same credentials: accounts get locked
	failed  error           // the last login that failed otherwise
	denied  map[string]bool // requests that were answered 401 in a session just opened: that is not about the session
	fails   atomic.Int64    // logins that failed; changed in turn, and read at any time

	hiding    sync.Mutex
	hidden    []string // values of cookies
	concealed []string // other secrets that came up
}

// New makes a client and reaches for nothing yet. Errors are about the options, and show no secret.
func New(o Options) (*Client, error) {
	if o.Patience == nil {
		o.Patience = func() time.Duration { return 0 }
	}
	o.Token = strings.TrimSpace(o.Token) // files end with the end of a line
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

// Reader gives the methods that change nothing.
func (c *Client) Reader() Reader { return Reader{c} }

// Writer gives those that change something, too.
func (c *Client) Writer() Writer { return Writer{Reader{c}} }

// Reader asks a server and changes nothing there. Its methods' errors say which request failed and why; with IsGone,
// NotAllowed, ErrLogin and ErrNoLicence a caller tells what it has to tell apart.
type Reader struct{ c *Client }

// Writer is a Reader that may also change things. What it sends is never repeated where it may have been carried
// out; WasSent tells of an error how far the request got.
type Writer struct{ Reader }

// Errors of a login, besides those of any request.
var (
	// ErrLogin is what every error of a login wraps: what was asked for was not sent.
	ErrLogin = errors.New("logging in")
	// ErrNoLicence is a login that was refused because all licences are in use. It may succeed later.
	ErrNoLicence = errors.New("no licence is free")
)

// LicenceWait is how long to wait before a login is tried again that was refused for want of a licence: after five
// times a licence has come back that a lost session held for a quarter of an hour.
const LicenceWait = 200 * time.Second

// IsGone tells whether the server says that it does not exist (404). That alone does not prove that it was
// removed: a proxy, or a lost permission, may answer the same. Of what is read in several requests, only the first
// counts.
func IsGone(err error) bool { return isAbout(err, http.StatusNotFound) }

// NotAllowed tells whether the server says that the user may not do what was asked for (401 and 403). A login that
// was refused is not that.
func NotAllowed(err error) bool { return isAbout(err, http.StatusUnauthorized, http.StatusForbidden) }

func isAbout(err error, status ...int) bool {
	var p *partError
	return rest.IsStatus(err, status...) && !errors.As(err, &p) && !errors.Is(err, ErrLogin)
}

// WasSent tells how far a request of the Writer got. nil is SentYes.
func WasSent(err error) rest.Sent {
	if sent, ok := SentBefore(err); ok {
		return sent
	}
	if errors.Is(err, ErrLogin) {
		return rest.SentNo
	}
	return rest.WasSent(err)
}

// SentBefore tells how far the request got that changes something, where the error is of another one; ok is false where
// it is of that request itself.
func SentBefore(err error) (sent rest.Sent, ok bool) {
	var p *partError
	if errors.As(err, &p) && p.sent != nil {
		return *p.sent, true
	}
	return rest.SentNo, false
}

// partError is the failure of one request among those that a method makes. It says nothing of the thing as a whole.
type partError struct {
	err  error
	sent *rest.Sent // of the method's request that changes something, if it makes one and this is about another
}

func (e *partError) Error() string { return e.err.Error() }
func (e *partError) Unwrap() error { return e.err }

func part(err error) error {
	if err == nil {
		return nil
	}
	return &partError{err: err}
}

// do sends a request within the session, and once more in a new one when the session has ended. 401 means that a
// request was not carried out, so this holds for requests that change something too.
func (c *Client) do(ctx context.Context, r rest.Request) (*rest.Response, error) {
	const most = 3 // sessions; more than two only where other goroutines end them at the same time
	renewed := false
	for n := 1; ; n++ {
		s, answer, err := c.send(ctx, r)
		if s == nil || !rest.IsStatus(err, http.StatusUnauthorized) {
			return answer, err
		}
		again, renews := c.ended(ctx, s, r.Method+" "+r.Path, renewed)
		if !again || n == most {
			return nil, c.unauthorized(err)
		}
		renewed = renewed || renews
	}
}

// unauthorized says of a request that was answered 401 whose credentials these were.
func (c *Client) unauthorized(err error) error {
	if c.token {
		return fmt.Errorf("the server does not accept the token for this: is it of the kind declared, still valid, "+
			"and is its user allowed to? (%w)", err)
	}
	return fmt.Errorf("the server does not let user %q do this (%w)", c.user, err)
}

// accept asks for what the vendor's documents show, and takes anything rather than be refused.
const accept = "application/ld+json, application/json, */*;q=0.1"
