package serve

import (
	"bytes"
	"crypto/subtle"
	_ "embed" // the script of the page
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/report/page"
)

//go:embed live.js
var script []byte

const scriptName = "live.js"

// policy is the Content-Security-Policy of the page. It allows only what the page needs: its style sheet, its script,
// its events and its two forms. The script cannot turn text into markup.
var policy = "default-src 'none'; style-src " + page.StyleSource + "; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// refusal is an error that is answered with a status and plain text.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func (p *Page) handle(w http.ResponseWriter, r *http.Request) {
	var err error
	func() {
		defer fault.Catch(&err)
		err = p.answer(w, r)
	}()
	p.failed(err)
	var no *refusal
	switch {
	case errors.As(err, &no):
		http.Error(w, no.text, no.status)
	case fault.Is(err):
		http.Error(w, "syncctl has a fault; it is reported when the run ends", http.StatusInternalServerError)
	case err != nil:
		http.Error(w, "the run cannot be shown at the moment", http.StatusServiceUnavailable)
	}
}

func (p *Page) answer(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers send forms with the origin "null"
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if !p.isOwnHost(r.Host) {
		return &refusal{http.StatusForbidden, "this host is not served here"}
	}
	// The path is compared as it was sent: it is not unescaped, cleaned or redirected.
	path := r.URL.EscapedPath()
	if len(path) < len(p.base) || subtle.ConstantTimeCompare([]byte(path[:len(p.base)]), []byte(p.base)) != 1 {
		return &refusal{http.StatusNotFound, "not found"}
	}
	if c, ok := r.Context().Value(placedKey{}).(*placed); ok {
		c.known()
	}
	way, method := p.ways()[path[len(p.base):]], http.MethodGet
	if way == nil {
		return &refusal{http.StatusNotFound, "not found"}
	}
	if way.changes {
		method = http.MethodPost
	}
	if r.Method != method {
		h.Set("Allow", method)
		return &refusal{http.StatusMethodNotAllowed, "this is for " + method}
	}
	if !isOwnSite(r, way) {
		return &refusal{http.StatusForbidden, "this request comes from another site"}
	}
	if way.changes {
		if err := readForm(r); err != nil {
			return err
		}
	}
	return way.take(w, r)
}

// way is something that a browser can request.
type way struct {
	changes bool // it changes something, so it is requested with POST
	part    bool // only the page itself loads it
	take    func(http.ResponseWriter, *http.Request) error
}

func (p *Page) ways() map[string]*way {
	return map[string]*way{
		"":         {take: func(w http.ResponseWriter, r *http.Request) error { return p.show(w, r, http.StatusOK, "") }},
		scriptName: {part: true, take: sendScript},
		"events":   {part: true, take: p.stream},
		"session":  {changes: true, take: p.open},
		"answer":   {changes: true, take: p.reply},
	}
}

// isOwnHost reports whether a request is meant for this server. It accepts only localhost and IP addresses: a web page
// could make a name of its own resolve to this server (DNS rebinding), to get around the browser's same-origin rule.
// IP addresses other than loopback are accepted only if the server does not listen on loopback alone.
func (p *Page) isOwnHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	served, _ := p.listener.Addr().(*net.TCPAddr)
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	if err != nil || ip.Zone() != "" {
		return false
	}
	return ip.Unmap().IsLoopback() || served != nil && !served.IP.IsLoopback()
}

// isOwnSite reports whether a request comes from the page itself, according to the headers that browsers send. A
// request that changes something must say so. The page itself may also be reached by a link, or by typing its address.
func isOwnSite(r *http.Request, way *way) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case way.changes:
		origin, err := url.Parse(r.Header.Get("Origin"))
		return err == nil && origin.Scheme == "http" && origin.Host == r.Host && (site == "" || site == "same-origin")
	case way.part:
		return site == "" || site == "same-origin"
	}
	dest := r.Header.Get("Sec-Fetch-Dest")
	return site == "" || site == "none" || site == "same-origin" || dest == "document"
}

// readForm parses the form in the body into r.PostForm. Callers must not use values from the query.
func readForm(r *http.Request) error {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(strings.ToLower(kind)) != "application/x-www-form-urlencoded" {
		return &refusal{http.StatusUnsupportedMediaType, "this is for the forms of the page"}
	}
	if err := r.ParseForm(); errors.As(err, new(*http.MaxBytesError)) {
		return &refusal{http.StatusRequestEntityTooLarge, "this is too much"}
	} else if err != nil {
		return &refusal{http.StatusBadRequest, "this is not a form of the page"}
	}
	return nil
}

func sendScript(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, _ = w.Write(script) // an error means that the browser is gone
	return nil
}

// show sends the whole page.
func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, notice string) error {
	report, l, err := p.look()
	if err != nil {
		return err
	}
	l.Notice = notice
	if s := p.sessionOf(r); s != nil {
		l.User, l.Secret = s.name, s.secret
	}
	var b bytes.Buffer
	if err := page.LiveHTML(&b, report, l); err != nil {
		return err
	}
	p.patient(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the browser is gone
	if l.User != "" {
		p.mu.Lock()
		if p.owed != nil {
			close(p.owed)
			p.owed = nil
		}
		p.mu.Unlock()
	}
	return nil
}
