package rest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"time"
)

// Endpoint is what the last answer showed about the server itself, whatever the request was.
type Endpoint struct {
	Status int           // of the answer
	Took   time.Duration // from sending the request to the headers of the answer
	At     time.Time     // when the headers came, by our clock

	Date         time.Time           // by the server's clock; zero if it does not say
	Certificates []*x509.Certificate // what the server presented, its own first; none over http
}

// Endpoint returns what the last answer showed, or nil if there was none yet.
func (c *Client) Endpoint() *Endpoint { return c.endpoint.Load() }

// meet records what an answer shows about the server.
func (c *Client) meet(resp *http.Response, sent time.Time) {
	now := c.o.Now()
	e := &Endpoint{Status: resp.StatusCode, Took: now.Sub(sent), At: now}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		e.Date = date
	}
	if resp.TLS != nil {
		e.Certificates = resp.TLS.PeerCertificates
	}
	c.endpoint.Store(e)
}

// Presented returns the certificates of a server that was not trusted, its own first. It returns nil if err is about
// something else.
func Presented(err error) []*x509.Certificate {
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return untrusted.UnverifiedCertificates
	}
	return nil
}
