package driver

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Doctor is a Driver that can examine a declared server or keystore before anything relies on it: whether it is
// reached, as which user, with which rights, in which version, and until when its certificates are valid.
type Doctor interface {
	// Examine examines a server or a keystore, and changes nothing. users are the declarations that refer to it; what
	// they need is examined, too. It returns when ctx ends, with what it has found until then. The same results have
	// the same words and order.
	Examine(ctx context.Context, r *schema.Resource, users []*schema.Resource) []Examination
}

// Examination is the result of examining one thing. It holds no secret.
type Examination struct {
	What   string `json:"what"`             // a few words: "certificate", "project SUP"
	State  State  `json:"state"`            // how it ended
	Seen   string `json:"seen"`             // one line
	Advice string `json:"advice,omitempty"` // what to do; there unless the state is ok
}

// State is how an examination ended.
type State string

// The states. What could not be found out is Unknown, never OK.
const (
	OK      State = "ok"
	Warn    State = "warn" // it works, but may soon not
	Fail    State = "fail"
	Unknown State = "unknown"
)

// What is examined of the servers of every product.
const (
	WhatReached     = "reached"
	WhatCredentials = "credentials"
	whatCertificate = "certificate"
	whatClock       = "clock"
)

// Rules returns the rules of the examinations that every product may make.
func Rules() []planner.Rule {
	return []planner.Rule{
		ExaminationRule(whatCertificate,
			"Until when the certificate that the server presents is valid, and who signed it.",
			"The server is reached by HTTPS. It is warned of 30 days before it expires.",
			"Renew the certificate. If it is not trusted, name its CA with ca or ca_file."),
		ExaminationRule(whatClock,
			"How far the server's clock is from this machine's. Maintenance windows and tokens depend on both.",
			"The server answers. More than a minute is a warning; an answer without Date leaves it unknown.",
			"Set both clocks by NTP."),
		ExaminationRule(WhatCredentials,
			"Whether the server accepts the user and password, or the token, of the declaration, and as whom.",
			"The server answers.",
			"Check user, and password or token."),
		ExaminationRule(WhatReached,
			"Whether the server answers at the declared address, and how fast.",
			"Each server is examined. Also when a declaration cannot be used, or the examination did not end in time.",
			"Check the address, the network between here and there, and the proxy (HTTPS_PROXY, NO_PROXY); -timeout "+
				"gives it more time."),
	}
}

// ExaminationRule returns the rule of the examinations whose What begins with id.
func ExaminationRule(id, meaning, when, do string) planner.Rule {
	return planner.Rule{ID: id, Kind: planner.KindExamination, Meaning: meaning, When: when, Do: do}
}

// warnBefore is the time before a certificate's end from which there is a warning.
const warnBefore = 30 * 24 * time.Hour

// maxSkew is the maximum difference of two clocks. Maintenance windows and the validity of tokens depend on minutes.
const maxSkew = time.Minute

// ExamineEndpoint examines how a server answers: how fast, with which certificate, and by which clock. err is why the
// request within ctx failed, or nil. e is nil if no answer has come. After an error that wraps rest.ErrAddress,
// nothing is known about the credentials.
func ExamineEndpoint(ctx context.Context, e *rest.Endpoint, url string, err error, now time.Time) []Examination {
	if e == nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		out := []Examination{{
			What: WhatReached, State: Fail, Seen: fmt.Sprintf("%s: no answer: %v", url, err),
			Advice: "Check the address, the network between here and there, and the proxy (HTTPS_PROXY, NO_PROXY).",
		}}
		if presented := rest.Presented(err); len(presented) > 0 {
			out[0].Advice = "Name the CA of its certificate with ca or ca_file, or correct the certificate or the address."
			x := ExamineCertificate(whatCertificate, presented[0], now)
			if x.State != Fail {
				x.State, x.Advice = Fail, "It is not trusted: see above."
			}
			out = append(out, x)
		}
		return out
	}
	seen := fmt.Sprintf("%s answered in %s", url, e.Took.Round(time.Millisecond))
	if err != nil {
		seen += fmt.Sprintf(", at last with status %d", e.Status)
	}
	out := []Examination{{What: WhatReached, State: OK, Seen: seen}}
	if errors.Is(err, rest.ErrAddress) {
		out[0] = Examination{What: WhatReached, State: Fail, Seen: fmt.Sprintf("%s: %v", url, err),
			Advice: "Check the address, with its port and path, and what stands before the server, such as a gateway or a " +
				"single sign-on; only then the credentials."}
	}
	if len(e.Certificates) > 0 {
		out = append(out, ExamineCertificate(whatCertificate, e.Certificates[0], now))
	}
	return append(out, examineClock(e))
}

// ExamineCertificate examines until when a certificate is valid.
func ExamineCertificate(what string, c *x509.Certificate, now time.Time) Examination {
	left := c.NotAfter.Sub(now)
	x := Examination{
		What: what, State: OK,
		Seen: fmt.Sprintf("%s, signed by %s, %d days left", c.Subject, c.Issuer, int(left.Hours()/24)),
	}
	switch {
	case now.Before(c.NotBefore):
		x.State, x.Advice = Fail, "Check the clocks of both machines, or wait until then."
		x.Seen = fmt.Sprintf("%s, signed by %s, not valid before %s", c.Subject, c.Issuer, day(c.NotBefore))
	case left <= 0:
		x.State, x.Advice = Fail, "Renew it."
		x.Seen = fmt.Sprintf("%s, signed by %s, expired on %s", c.Subject, c.Issuer, day(c.NotAfter))
	case left < warnBefore:
		x.State, x.Advice = Warn, fmt.Sprintf("Renew it before %s.", day(c.NotAfter))
	}
	return x
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// examineClock compares the server's clock with ours, at half of the request's time.
func examineClock(e *rest.Endpoint) Examination {
	x := Examination{What: whatClock, State: OK}
	if e.Date.IsZero() {
		x.State, x.Seen = Unknown, "its answers have no Date"
		x.Advice = "Compare its clock with this machine's: maintenance windows and tokens depend on it."
		return x
	}
	skew := e.Date.Sub(e.At.Add(-e.Took / 2)).Truncate(time.Second) // a Date has no fractions
	switch {
	case skew > 0:
		x.Seen = fmt.Sprintf("%s ahead of this machine", skew)
	case skew < 0:
		x.Seen = fmt.Sprintf("%s behind this machine", -skew)
	default:
		x.Seen = "the same as this machine's"
	}
	if skew.Abs() > maxSkew {
		x.State = Warn
		x.Advice = "Set both clocks by NTP: maintenance windows and tokens depend on them."
	}
	return x
}
