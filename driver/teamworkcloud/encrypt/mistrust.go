package encrypt

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// trust holds the certificates that a server or trust store trusts.
type trust struct {
	whose string                 // description: "/opt/java/lib/security/cacerts"
	roots []keystore.Certificate // the trusted ones
	known bool                   // false: there may be others, and this machine's CAs are used instead of them
}

// mistrust returns what is wrong with a chain for a client that connects to name. more are certificates that the
// client does not have; they distinguish a missing intermediate certificate from an unknown CA.
func (t *trust) mistrust(chain []keystore.Certificate, name string, now time.Time,
	more []keystore.Certificate) []keystore.Problem {
	var out []keystore.Problem
	add := func(rule, detail, format string, args ...any) {
		out = append(out, keystore.Problem{
			Rule: rule, Severity: planner.Refuse, Summary: fmt.Sprintf(format, args...), Detail: detail,
		})
	}
	if _, err := chain[0].X509(); err != nil {
		add(ruleTLSUnreadable, "Inspect it with keytool -printcert.", "the certificate cannot be read: %s",
			wording.OneLine(err.Error()))
		return out
	}
	for i, c := range chain {
		x, err := c.X509()
		switch {
		case err != nil, i > 0 && c.SelfIssued(): // a root is trusted because of its key, whatever its dates
		case now.After(x.NotAfter):
			add(ruleTLSExpired, "Have the certificate renewed, and declare the new one in the keystore.", "%s expired on %s",
				c.Name(), c.Until())
		case now.Before(x.NotBefore):
			add(ruleTLSNotYetValid, "Wait until then; if it is valid already, the clock of this machine is wrong.",
				"%s is not valid before %s", c.Name(), x.NotBefore.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
	if chain[0].Covers(name) != nil {
		add(ruleTLSName, "Have a certificate issued that has it as an alternative name (subjectAltName), or correct "+
			"sync_address.",
			"%s does not cover %s: it covers %s", chain[0].Name(), name, namesOf(chain[0]))
	}
	last := chain[len(chain)-1]
	switch {
	case t.reaches(chain, nil, now):
	case t.reaches(chain, more, now):
		add(ruleTLSIncomplete,
			"Put the certificates of the issuers into chain of the keystore's entry, each after the one that it signed.",
			"the chain is incomplete: %s comes without the certificate of its issuer %s", last.Name(), last.Issuer())
	case len(chain) == 1 && chain[0].SelfIssued():
		add(ruleTLSUntrusted, "Declare it with trust in sync_tls of the servers that connect.",
			"%s is self-signed, and %s does not trust it",
			chain[0].Name(), t.whose)
	default:
		add(ruleTLSUntrusted,
			"Declare the CA's certificate with trust in sync_tls of the servers that connect. If it is not a CA's, the "+
				"chain lacks a certificate.", "%s, which signed %s, is not trusted by %s", last.Issuer(), last.Name(), t.whose)
	}
	return out
}

// reaches reports whether a chain leads to a trusted certificate. Dates are checked elsewhere, so it is enough if it
// does so now, or at some time when the first certificate is valid.
func (t *trust) reaches(chain, more []keystore.Certificate, now time.Time) bool {
	leaf, err := chain[0].X509()
	if err != nil {
		return false
	}
	o := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if !t.known {
		if system, err := x509.SystemCertPool(); err == nil {
			o.Roots = system
		}
	}
	into := func(pool *x509.CertPool, all []keystore.Certificate) {
		for _, c := range all {
			if x, err := c.X509(); err == nil {
				pool.AddCert(x)
			}
		}
	}
	into(o.Roots, t.roots)
	into(o.Intermediates, slices.Concat(chain[1:], more))
	half := leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	for _, o.CurrentTime = range []time.Time{now, leaf.NotBefore, half, leaf.NotAfter} {
		if _, err := leaf.Verify(o); err == nil {
			return true
		}
	}
	valid := !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter)
	return !valid && t.signed(leaf, slices.Concat(chain[1:], more), map[string]bool{})
}

// signed reports whether signatures lead to a trusted certificate, for certificates that were never valid at the same
// time. been holds the certificates on the way.
func (t *trust) signed(c *x509.Certificate, between []keystore.Certificate, been map[string]bool) bool {
	been[string(c.Raw)] = true
	by := func(o keystore.Certificate) *x509.Certificate {
		x, err := o.X509()
		if err != nil || c.CheckSignatureFrom(x) != nil {
			return nil
		}
		return x
	}
	for _, o := range t.roots {
		if x, err := o.X509(); err == nil && x.Equal(c) || by(o) != nil {
			return true
		}
	}
	return slices.ContainsFunc(between, func(o keystore.Certificate) bool {
		if been[string(o.DER)] {
			return false
		}
		x := by(o)
		return x != nil && t.signed(x, between, been)
	})
}

// mistrusted returns what is wrong with a chain for all who have to trust it, with at most one problem per rule.
func mistrusted(views []trust, chain []keystore.Certificate, name string, now time.Time,
	more []keystore.Certificate) []keystore.Problem {
	var out []keystore.Problem
	for i := range views {
		for _, p := range views[i].mistrust(chain, name, now, more) {
			if !slices.ContainsFunc(out, func(q keystore.Problem) bool { return q.Rule == p.Rule }) {
				out = append(out, p)
			}
		}
	}
	return out
}

// namesOf lists the names that a certificate covers, for people.
func namesOf(c keystore.Certificate) string {
	return cmp.Or(wording.OneLine(strings.Join(wording.FirstTen(c.Names()), ", ")), "no names")
}

func certificatesOf(all []keystore.Trusted) []keystore.Certificate {
	var out []keystore.Certificate
	for _, t := range all {
		out = append(out, t.Certificate)
	}
	return out
}
