package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// parseBase parses and checks the server's address. Its errors never repeat an address that contains a password.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the server's address is not a URL")
	case u.User != nil:
		return nil, fmt.Errorf("the address of %s holds a user: credentials do not belong in an address", u.Host)
	case u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the server's address must be https://HOST, not %q", text)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("the address of %s ends in a query or fragment, which it cannot have", u.Host)
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return nil, fmt.Errorf("the address of %s is http: the credentials would be sent unencrypted; use https", u.Host)
	}
	if err := CheckHost(u); err != nil {
		return nil, fmt.Errorf("the address of %q: %w", u.Host, err)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// CheckHost returns an error if the name or the port of a URL is invalid. A name must have only one spelling.
// Otherwise two spellings would count as two servers, and letters that look alike as the same one.
func CheckHost(u *url.URL) error {
	name := u.Hostname()
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("its port is not a number from 1 to 65535")
		}
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	switch {
	case strings.HasSuffix(name, "."):
		return errors.New("write the name without the dot at its end")
	case strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789._-") != "":
		return errors.New("write the name with letters of the English alphabet, digits, dots and hyphens; a name in " +
			"another script begins with xn--, which its administrator can tell")
	}
	return nil
}

// IsLoopback reports whether a host is this machine itself, for which http is allowed.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// quiet wraps a choice of proxy so that its error does not repeat the address of the proxy: HTTPS_PROXY may contain a
// password.
func quiet(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		u, err := choose(r)
		if err != nil {
			return nil, errors.New("HTTPS_PROXY does not hold the address of a proxy: correct it, or unset it")
		}
		return u, nil
	}
}

// proxySecret returns what identifies us to the proxy on the way to an address: its answer may repeat that.
func proxySecret(choose func(*http.Request) (*url.URL, error), to *url.URL) []string {
	u, err := choose(&http.Request{URL: to})
	if err != nil || u == nil || u.User == nil {
		return nil
	}
	if password, _ := u.User.Password(); password != "" {
		return []string{password}
	}
	return []string{u.User.Username()} // a token, with or without a colon after it
}
