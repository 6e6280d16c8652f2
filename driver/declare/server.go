package declare

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Server holds what every server that is reached over HTTP declares. A driver's struct embeds it, and its body must
// have ServerAttributes.
type Server struct {
	Block

	URL      Secret `decl:"url"`
	User     Secret `decl:"user"`
	Password Secret `decl:"password"`
	Token    Secret `decl:"token"`
	CA       Secret `decl:"ca"`
	CAFile   string `decl:"ca_file"`

	RequestsPerSecond float64       `decl:"requests_per_second"`
	RequestTimeout    time.Duration `decl:"request_timeout"`
}

// ServerAttributes returns the arguments of Server. urlDoc, userDoc and tokenDoc document those whose meaning depends
// on the product.
func ServerAttributes(urlDoc, userDoc, tokenDoc string) []schema.Attribute {
	return []schema.Attribute{
		{Name: "url", Type: cty.String, Required: true, Doc: urlDoc},
		{Name: "user", Type: cty.String, Doc: userDoc},
		{Name: "password", Type: cty.String, Secret: true, Doc: "Password of the user. Either this or token must be there."},
		{Name: "token", Type: cty.String, Secret: true, Doc: tokenDoc},
		{Name: "ca", Type: cty.String, Doc: "Certificates (PEM) of CAs trusted in addition to the system's."},
		{Name: "ca_file", Type: cty.String, Doc: "The same, from a file in the folder of the configuration, or from " +
			"anywhere with an absolute path. An empty name means none."},
		{Name: "requests_per_second", Type: cty.Number, Unit: "requests per second", Doc: "The most requests a second " +
			"that are sent to this server."},
		{Name: "request_timeout", Type: cty.String, Unit: schema.Duration, Default: cty.StringVal("30s"),
			Doc: "How long one request may stay without an answer."},
	}
}

// Check checks the rules of a server's connection that do not need the server.
func (s *Server) Check() hcl.Diagnostics {
	var diags hcl.Diagnostics
	switch {
	case s.Has("password") && s.Has("token"):
		diags = append(diags, s.Problem("Two secrets for one server", "Give either password or token, not both.", "token"))
	case !s.Has("password") && !s.Has("token"):
		with := [][]string{{"user", "password"}, {"token"}}
		if s.Has("user") {
			with[0] = with[0][1:]
		}
		diags = append(diags, s.Missing("No secret for the server",
			"Give user and password, or a token: the interface has no anonymous access.", nil, with...))
	case s.Has("password") && !s.Has("user"):
		diags = append(diags, s.Missing("A password without a user", "Add user, or give a token.", []string{"password"},
			[]string{"user"}))
	}
	if s.Known("user") && strings.Contains(s.User.Reveal(), ":") {
		diags = append(diags, s.Problem("A colon in the user's name",
			"HTTP ends the name at the first colon (RFC 7617): what follows would be sent as a part of the password.", "user"))
	}
	if s.Known("requests_per_second") && s.RequestsPerSecond <= 0 {
		diags = append(diags, s.Problem("No requests allowed", "requests_per_second must be above zero.",
			"requests_per_second"))
	}
	if s.Known("url") {
		diags = append(diags, CheckURL(s.Block, s.URL, "url")...)
	}
	return diags
}

// CheckURL checks a base URL, the argument at path of a block.
func CheckURL(b Block, s Secret, path ...string) hcl.Diagnostics {
	u, err := url.Parse(s.Reveal())
	why := ""
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		why = "write https://HOST, with the port and the path where there are any"
	case u.User != nil:
		why = "credentials do not belong into it: give user, and password or token"
	case rest.CheckHost(u) != nil:
		why = rest.CheckHost(u).Error()
	case u.Scheme == "http" && !rest.IsLoopback(u.Hostname()):
		why = "with http the credentials would travel in the clear; write https"
	case u.RawQuery != "" || u.Fragment != "":
		why = "nothing may follow the path"
	}
	if why == "" {
		return nil
	}
	shown := fmt.Sprintf("%q", s)
	if err != nil || u.User != nil {
		shown = "The value" // it may contain a password
	}
	return hcl.Diagnostics{b.Problem("Invalid base URL", fmt.Sprintf("%s is not the base URL of a server: %s.", shown,
		why), path...)}
}

// Secret returns what the user logs in with: the password, or else the token.
func (s *Server) Secret() string {
	if s.Password.Empty() {
		return s.Token.Reveal()
	}
	return s.Password.Reveal()
}

// Rest returns the options of a client of this server, without credentials: each product logs in in its own way.
func (s *Server) Rest(env driver.Env) (rest.Options, error) {
	if err := Reachable(s.Resource()); err != nil {
		return rest.Options{}, err
	}
	address := s.hostPort()
	for _, from := range schema.SourcesOf(s.Resource().Get(s.at([]string{"url"})...)) {
		if err := env.Policy.SecretAddress(from.String()); err != nil {
			return rest.Options{}, fmt.Errorf("url of %s: %w", s.Addr(), err)
		}
	}
	if err := env.Policy.Connect(address); err != nil {
		return rest.Options{}, fmt.Errorf("url of %s: %w", s.Addr(), err)
	}
	if err := maySend(env, s.Resource(), address); err != nil {
		return rest.Options{}, fmt.Errorf("secrets of %s: %w", s.Addr(), err)
	}
	ca, err := Contents(env, []byte(s.CA.Reveal()), s.CAFile, "ca_file")
	if err != nil {
		return rest.Options{}, err
	}
	if err = rest.CheckCA(ca); err == nil {
		err = mayTrust(env, ca, address)
	}
	if err != nil {
		err = fmt.Errorf("%s of %s: %w", s.caNames(), s.Addr(), err)
	}
	return rest.Options{
		BaseURL: s.URL.Reveal(), CAPEM: ca, Timeout: s.RequestTimeout, RatePerSecond: s.RequestsPerSecond,
		Log: logFor(env, s.Block), UserAgent: "syncctl/" + env.Version, Now: env.Now, Sleep: env.Sleep,
		Waiting: func(d time.Duration, why string) {
			if env.Waiting != nil {
				env.Waiting(driver.Wait{Server: s.Addr(), For: d, Why: why})
			}
		},
	}, err
}

// hostPort returns the host:port of the server's URL, or "" if it is not a URL.
func (s *Server) hostPort() string {
	u, err := url.Parse(s.URL.Reveal())
	if err != nil {
		return ""
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// caNames names the arguments that the authorities come from.
func (s *Server) caNames() string {
	switch {
	case s.CAFile == "":
		return "ca"
	case s.CA.Empty():
		return "ca_file " + s.CAFile
	}
	return "ca and ca_file " + s.CAFile + ", one after the other"
}

// Authorize adds credentials to a request: user and password or, without a user, a bearer token.
func (s *Server) Authorize(r *http.Request) {
	if s.User.Empty() {
		r.Header.Set("Authorization", "Bearer "+s.Secret())
		return
	}
	r.SetBasicAuth(s.User.Reveal(), s.Secret())
}

// Contents returns the value of an argument, followed by the content of the file that another argument names. what is
// the name of that argument, for errors.
func Contents(env driver.Env, inline []byte, file, what string) ([]byte, error) {
	if file == "" {
		return inline, nil
	}
	name, err := atHome(env, file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	folder := schema.Folder{Fs: env.Fs, Access: env.Access}
	b, err := folder.Read(schema.Reading{Path: name, By: what, Most: mostOfFile, Whole: true})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("reading %s: %s is text in UTF-16: save it as UTF-8, or as ASCII", what, name)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // a byte order mark
	if len(inline) > 0 {
		inline = append(inline, '\n')
	}
	return append(inline, b...), nil
}

// mostOfFile is the maximum size of a file that an argument names. Certificates, keys and known hosts are far
// smaller.
const mostOfFile = 4 << 20

// atHome returns the name of a file with ~ replaced by the home folder of the user who runs syncctl, as in shells.
func atHome(env driver.Env, file string) (string, error) {
	rest, tilde := strings.CutPrefix(filepath.ToSlash(file), "~")
	home := variable(env, "HOME")
	switch {
	case !tilde:
		return file, nil
	case rest != "" && rest[0] != '/':
		return "", fmt.Errorf("%s names another user's home folder, which is unknown here: write the whole name", file)
	case home == "":
		return "", fmt.Errorf("%s begins with the home folder, and HOME is not set: write the whole name", file)
	}
	return filepath.Join(home, rest), nil
}

func logFor(env driver.Env, b Block) hclog.Logger {
	if env.Log == nil {
		return hclog.NewNullLogger()
	}
	return env.Log.Named(b.Addr().Name)
}
