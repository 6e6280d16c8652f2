package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/printable"
)

// address is a machine and the user who logs in there.
type address struct {
	user, host string
	port       uint16
}

// parseAddress parses user@host and user@host:port. The user may contain an @, as names in directories do. An IPv6
// address is in brackets. No error shows the part before the host: it may be a password.
func parseAddress(text string) (address, error) {
	if strings.Contains(text, "://") {
		return address{}, errors.New("an SSH address is written user@host or user@host:port, without a scheme")
	}
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return address{}, errors.New("an SSH address says who logs in: user@host or user@host:port")
	}
	user, rest := text[:at], text[at+1:]
	switch {
	case user == "":
		return address{}, errors.New("an SSH address says who logs in: there is nothing before the @")
	case strings.Contains(user, ":"):
		return address{}, errors.New("an SSH address has no password: log in with a key or an agent")
	case printable.Line(user) != user || strings.ContainsAny(user, " \t"):
		return address{}, errors.New("the user of the SSH address has a space or a control character in it")
	}
	name, port, err := splitPort(rest)
	if err != nil {
		return address{}, err
	}
	return address{user: user, host: strings.ToLower(name), port: port}, nil
}

// CheckAddress returns an error if an SSH address is invalid. The error shows nothing that may be a password.
func CheckAddress(text string) error {
	_, err := parseAddress(text)
	return err
}

// HostPort returns the machine of an SSH address, as host:port.
func HostPort(text string) (string, error) {
	a, err := parseAddress(text)
	if err != nil {
		return "", err
	}
	return a.hostPort(), nil
}

const defaultPort = 22

func splitPort(text string) (name string, port uint16, err error) {
	var digits string
	var found bool
	if inner, after, ok := strings.Cut(strings.TrimPrefix(text, "["), "]"); strings.HasPrefix(text, "[") && ok {
		ip, err := netip.ParseAddr(inner)
		if err != nil || !ip.Is6() || ip.Zone() != "" && checkName(ip.Zone()) != nil {
			return "", 0, fmt.Errorf("%q in brackets is not an IPv6 address", inner)
		}
		if digits, found = strings.CutPrefix(after, ":"); !found && after != "" {
			return "", 0, fmt.Errorf("%q stands between the address and its port", after)
		}
		name = inner
	} else if name, digits, found = strings.Cut(text, ":"); strings.Contains(digits, ":") {
		return "", 0, fmt.Errorf("an IPv6 address stands in brackets: %q", "["+text+"]")
	} else if err := checkName(name); err != nil {
		return "", 0, err
	}
	if !found {
		return name, defaultPort, nil
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || digits[0] == '+' {
		return "", 0, fmt.Errorf("the port %q is not between 1 and 65535", digits)
	}
	return name, uint16(n), nil
}

func checkName(name string) error {
	if name == "" {
		return errors.New("an SSH address names a machine after the @")
	}
	other := strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789._-")
	if other != "" || name[0] == '-' {
		return fmt.Errorf("%q is not the name of a machine: use letters of the English alphabet, digits, dots and "+
			"hyphens", name)
	}
	return nil
}

// hostPort returns the address in the form for connecting.
func (a address) hostPort() string {
	return net.JoinHostPort(a.host, strconv.Itoa(int(a.port)))
}

func (a address) String() string { return a.user + "@" + a.hostPort() }
