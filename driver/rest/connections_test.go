package rest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

// certificate makes a self-signed certificate, and returns it also in PEM as an authority.
func certificate(t *testing.T, change func(*x509.Certificate)) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// secretly makes a client that sends a password to an address.
func secretly(base string, ca []byte, change func(*rest.Options)) (*rest.Client, error) {
	o := rest.Options{BaseURL: base, CAPEM: ca, MaxRetries: -1, Timeout: time.Minute,
		Authorize: func(r *http.Request) { r.SetBasicAuth("admin", "canary") }}
	if change != nil {
		change(&o)
	}
	return rest.New(o)
}

// TestServersThatAreRefused tests the table in docs/connections.md: refused servers get no request, and so no
// credentials.
func TestServersThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*x509.Certificate)
		tls     func(*tls.Config)
		plain   bool // the server speaks http
		foreign bool // its certificate is not among the trusted ones
		served  bool
	}{
		"as it should be": {served: true},
		"another name": {change: func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"other.example"}
		}},
		"the name in the subject alone": {change: func(c *x509.Certificate) { c.IPAddresses = nil }},
		"expired":                       {change: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }},
		"not valid yet":                 {change: func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }},
		"not for servers": {change: func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}},
		"signed by nobody that is trusted": {foreign: true},
		"TLS 1.1": {tls: func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}},
		"no forward secrecy": {tls: func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}},
		"http at an address of https": {plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			cert, ca := certificate(t, c.change)
			if c.foreign {
				_, ca = certificate(t, nil)
			}
			var asked atomic.Int64
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				_, _ = io.WriteString(w, "{}")
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			if c.tls != nil {
				c.tls(s.TLS)
			}
			if c.plain {
				s.Start()
			} else {
				s.StartTLS()
			}
			defer s.Close()
			client, err := secretly("https://"+s.Listener.Addr().String(), ca, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, err = client.Do(t.Context(), rest.Request{})
			if served := asked.Load() == 1; served != c.served || served != (err == nil) {
				t.Errorf("asked %d times, %v", asked.Load(), err)
			}
			if err != nil && rest.WasSent(err) == rest.SentYes {
				t.Errorf("sent: %v", err)
			}
		})
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for base, fine := range map[string]bool{
		"https://jira.example": true, "https://jira.example:8443/jira/": true, "https://[::1]:8443": true,
		"https://192.0.2.1": true, "http://localhost:8080": true, "http://127.0.0.1": true, "http://[::1]": true,
		"https://xn--jra-ena.example": true, "https://a_b.example": true,

		"http://jira.example": false, "http://localhost.evil.example": false, "http://127.0.0.1.evil.example": false,
		"http://2130706433": false, "http://0x7f.1": false, "http://0.0.0.0": false,
		"https://good.example@evil.example": false, "https://user:canary@evil.example": false, "https://@evil.example": false,
		`https://good.example\@evil.example`: false, `https:\\evil.example`: false, `https://good.example\.evil.example`: false,
		"https://good.example%2f@evil.example": false, "https://good.example%00.evil.example": false,
		"https://good.example%2eevil.example": false, "https://good.example .evil.example": false,
		"https://good.example\n.evil.example": false, "https://j\u00edra.example": false, "https://jir\u0430.example": false,
		"https://good\u3002example": false, "https://jira.example.": false, "https://jira.example.:443": false,
		"https://jira.example:": false, "https://jira.example:0": false, "https://jira.example:65536": false,
		"https://jira.example:-1": false, "https://jira.example:80:81": false, "https://jira.example:http": false,
		"https://jira.example?x": false, "https://jira.example?": false, "https://jira.example#x": false, "https:///x": false,
		"https://:443": false, "//jira.example": false, "jira.example": false, "ftp://jira.example": false,
		"https:jira.example": false, "file:///etc/passwd": false, "": false,
	} {
		_, err := secretly(base, nil, nil)
		if (err == nil) != fine {
			t.Errorf("%q: %v", base, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: the error shows a password: %v", base, err)
		}
	}
}

// TestRedirectsThatAreRefused checks that a redirect never sends the credentials to another server, and never changes
// a request.
func TestRedirectsThatAreRefused(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for name, c := range map[string]struct {
		method, to string // {host} is the server's own
		status     int
		followed   bool
	}{
		"the same server":        {"GET", "/jira/there", 302, true},
		"a POST":                 {"POST", "/jira/there", 302, false},
		"a POST that is kept":    {"POST", "/jira/there", 307, false},
		"a DELETE":               {"DELETE", "/jira/there", 308, false},
		"another server":         {"GET", other.URL + "/there", 302, false},
		"http":                   {"GET", "http://{host}/there", 302, false},
		"another port":           {"GET", "https://127.0.0.1:1/there", 301, false},
		"a user":                 {"GET", "https://eve:x@{host}/there", 302, false},
		"no scheme":              {"GET", "//" + strings.TrimPrefix(other.URL, "http://") + "/there", 302, false},
		"a backslash":            {"GET", `https://{host}\@127.0.0.1:1/there`, 302, false},
		"a dot after the name":   {"GET", "https://localhost.:1/there", 302, false},
		"another scheme":         {"GET", "file:///etc/passwd", 302, false},
		"a login page":           {"GET", "/jira/login.jsp", 302, false},
		"to itself, and so on":   {"GET", "/jira/x", 302, false},
		"without saying whither": {"GET", "", 302, false},
	} {
		t.Run(name, func(t *testing.T) {
			elsewhere.Store(0)
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/there") {
					_, _ = io.WriteString(w, "{}")
					return
				}
				if c.to != "" {
					w.Header().Set("Location", strings.ReplaceAll(c.to, "{host}", r.Host))
				}
				w.WriteHeader(c.status)
			})
			client, err := secretly(s.URL+"/jira", caOf(s.Server), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, err = client.Do(t.Context(), rest.Request{Method: c.method, Path: "x"})
			if (err == nil) != c.followed || elsewhere.Load() != 0 || !c.followed && s.count() > 10 {
				t.Errorf("%v after %d requests, %d elsewhere", err, s.count(), elsewhere.Load())
			}
		})
	}
}

// TestProxies checks that a proxy only sees where to connect, and not what is sent. Connections to this machine use
// no proxy.
func TestProxies(t *testing.T) {
	var seen []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.Host+" "+r.Header.Get("Authorization")+r.Header.Get("Cookie"))
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := secretly("https://jira.example", nil, func(o *rest.Options) { o.Proxy = http.ProxyURL(at) })
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Do(t.Context(), rest.Request{}); err == nil {
		t.Error("a proxy that refuses passes for a server")
	}
	if len(seen) != 1 || seen[0] != "CONNECT jira.example:443 " {
		t.Errorf("the proxy saw %q", seen)
	}
	client, err = secretly("https://jira.example", nil, func(o *rest.Options) {
		o.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("canary") }
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(t.Context(), rest.Request{})
	if err == nil || rest.WasSent(err) == rest.SentYes || strings.Contains(err.Error(), "canary") {
		t.Errorf("sent without a proxy, or the error shows its address: %v", err)
	}
}

// TestSecretOfAProxy checks that a proxy that repeats its own password does not bring it into an error.
func TestSecretOfAProxy(t *testing.T) {
	for _, login := range []*url.Userinfo{
		url.UserPassword("ada", "can@ry-word"), url.User("can@ry-word"), url.UserPassword("can@ry-word", ""),
	} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, encoded, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 407 you said can@ry-word, %s\r\n\r\n", encoded)
				_ = conn.Close()
			}
		}))
		at, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		at.User = login
		client, err := secretly("https://jira.example", nil, func(o *rest.Options) { o.Proxy = http.ProxyURL(at) })
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Do(t.Context(), rest.Request{})
		if err == nil || strings.Contains(err.Error(), "can@ry") || strings.Count(err.Error(), "REDACTED") != 2 {
			t.Error(err)
		}
		client.Close()
		proxy.Close()
	}
}

// TestWritesOverKeptConnections checks servers that close an idle connection at any moment. A request that changes
// something is either answered or reported as perhaps sent, and the client never sends it twice.
func TestWritesOverKeptConnections(t *testing.T) {
	var received atomic.Int64
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		received.Add(1)
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") // it claims to keep the connection
		_ = buffered.Flush()
		_ = conn.Close()
	}))
	defer s.Close()
	client, err := secretly(s.URL, caOf(s), func(o *rest.Options) {
		o.MaxRetries, o.BackoffMin, o.BackoffMax = 2, time.Microsecond, time.Microsecond
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		for range 20 {
			before := received.Load()
			_, err := client.Do(t.Context(), rest.Request{Method: method, Path: "x", Retry: rest.Never})
			if sent := received.Load() - before; sent > 1 || err == nil && sent != 1 ||
				err != nil && sent == 1 && rest.WasSent(err) == rest.SentNo {
				t.Fatalf("%s was received %d times: %v", method, sent, err)
			}
		}
	}
}
