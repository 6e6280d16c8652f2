package sandbox

import (
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
	"golang.org/x/crypto/ssh"
)

// The variables that the sandbox sets in addition to those of the simulated servers.
const (
	// EnvCAFile names the PEM file of the authority that signed every certificate of the sandbox.
	EnvCAFile = "SYNCCTL_SANDBOX_CA_FILE"
	// EnvPerson is the address of the stand-in for a person, with its token, for NewPersonClient.
	EnvPerson = "SYNCCTL_SANDBOX_PERSON"
	// EnvRehearsal tells syncctl that it is a process of a rehearsal, confined to its folder and to EnvAddresses. Its
	// value lists the names of the variables that the sandbox sets, separated by commas.
	EnvRehearsal = "SYNCCTL_SANDBOX_REHEARSAL"
	// EnvUntrusted, with any value, tells a process of a rehearsal that nobody has reviewed the files.
	EnvUntrusted = "SYNCCTL_SANDBOX_UNTRUSTED"
	// EnvSiteKeys names a file with the public SSH keys that stand for those of the site blocks in a rehearsal. Each
	// line has a site's name and its key.
	EnvSiteKeys = "SYNCCTL_SANDBOX_SITE_KEYS"
	// EnvAddresses lists the addresses of everything that is served, host:port, separated by commas. Inside of the
	// sandbox syncctl reaches only these.
	EnvAddresses = "SYNCCTL_SANDBOX_ADDRESSES"
)

// Environment returns the environment for a command inside the sandbox: the worlds' own variables, EnvCAFile and
// EnvAddresses once WriteCA was called, and EnvPerson if there is a stand-in.
func (s *Sandbox) Environment() map[string]string {
	env, _ := s.environment(everyName) // Start has refused everything that can fail here
	return env
}

func everyName(string) bool { return true }

// EnvironmentOf is like Environment, for a command that may reach only these servers and machines. It has the
// addresses of the others, which are public, but not their credentials.
func (s *Sandbox) EnvironmentOf(names []string) map[string]string {
	env, _ := s.environment(func(name string) bool { return slices.Contains(names, name) }) // as above
	return env
}

// environment returns the variables of the wanted servers and machines, and the addresses of all.
func (s *Sandbox) environment(wanted func(name string) bool) (map[string]string, error) {
	env, owner := map[string]string{}, map[string]string{}
	set := func(from, name, value string) error {
		if old, taken := env[name]; taken && old != value {
			return fmt.Errorf("%s and %s both set the variable %s, to different values", owner[name], from, name)
		}
		env[name], owner[name] = value, from
		return nil
	}
	var errs []error
	served := s.Addresses()
	for _, p := range s.products {
		for _, server := range p.names() {
			vars := p.world.Environment(server)
			names := make([]string, 0, len(vars))
			for name, value := range vars {
				if wanted(server) || isPlace(name, value, served) {
					names = append(names, name)
				}
			}
			sort.Strings(names)
			for _, name := range names {
				from := fmt.Sprintf("server %s of %s", server, p.name)
				if err := checkVariable(name, vars[name], served); err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", from, err))
					continue
				}
				errs = append(errs, set(from, name, vars[name]))
			}
		}
	}
	s.mu.Lock()
	caFile := s.caFile
	s.mu.Unlock()
	if caFile != "" {
		errs = append(errs, set("the sandbox", EnvCAFile, caFile),
			set("the sandbox", EnvAddresses, strings.Join(s.addresses(wanted), ",")))
	}
	if s.person != nil {
		errs = append(errs, set("the sandbox", EnvPerson, s.person.address))
	}
	return env, errors.Join(errs...)
}

// ofVariables is the prefix of the names of environment variables that set the configuration's variables.
const ofVariables = "SYNCCTL_VAR_"

var variableName = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_]*$`)

// given holds the words that the name of a variable may end in, and the checks of their values: the things that
// simulated servers provide. Only for names, passwords and the like is any text allowed.
var given = map[string]func(value string, served []string) bool{
	"URL": isURL, "HOST": isHost, "PORT": isPort,
	"ADDRESS": isAddress, "PLAIN": isAddress, "TLS": isAddress, "SSH": isAddress,
	"CA": isPEM, "CERT": isPEM, "CERTIFICATE": isPEM, "KEY": isPEM, "HOSTS": isKnownHosts,
	"LOGIN": isText, "NAME": isText, "USER": isText, "PASS": isText, "PASSWORD": isText, "TOKEN": isText,
}

// ofPrograms lists those of such names that programs use for a command to run, or for the identity of the user.
var ofPrograms = []string{"GIT_SSH", "SVN_SSH", "USER", "LOGNAME", "NAME", "HOST"}

// checkVariable returns an error for a variable that a seed may not set, and for a value that does not fit its name.
// served are the addresses of the sandbox. A seed is a file that others may have written, and shells, programs and
// syncctl itself see what it sets. LD_PRELOAD, BASH_ENV or SYNCCTL_LOG_PATH would have an effect there. So would
// another server in PIP_INDEX_URL or DOCKER_HOST, where the seed calls it a password.
func checkVariable(name, value string, served []string) error {
	if !variableName.MatchString(name) {
		return fmt.Errorf("the variable %q: its name has letters, digits and _, and begins with a letter", name)
	}
	upper := strings.ToUpper(name)
	if strings.HasPrefix(name, ofVariables) && len(name) > len(ofVariables) {
		return nil
	}
	last := upper[strings.LastIndex(upper, "_")+1:]
	fits, ok := given[last]
	if strings.HasPrefix(upper, "SYNCCTL_") || slices.Contains(ofPrograms, upper) || !ok {
		return fmt.Errorf("the variable %s may mean something to other programs: use %sNAME, or a name that ends in _%s",
			name, ofVariables, strings.Join(slices.Sorted(maps.Keys(given)), ", _"))
	}
	if value != "" && !fits(value, served) {
		return fmt.Errorf("the variable %s may mean something to other programs, and what it is set to is no %s of the "+
			"sandbox: use %sNAME, or for a password or token a name that ends in _PASS, _PASSWORD or _TOKEN",
			name, last, ofVariables)
	}
	return nil
}

// isPlace reports whether the value of a variable is an address where something is served, or a part of one.
func isPlace(name, value string, served []string) bool {
	switch upper := strings.ToUpper(name); {
	case isURL(value, served) || isAddress(value, served):
		return true
	case strings.HasSuffix(upper, "_HOST"):
		return isHost(value, served)
	default:
		return strings.HasSuffix(upper, "_PORT") && isPort(value, served)
	}
}

func isText(string, []string) bool { return true }

func isURL(value string, served []string) bool {
	u, err := url.Parse(value)
	return err == nil && u.Scheme == "https" && u.User == nil && slices.Contains(served, u.Host)
}

// isAddress reports whether the value is an address of the sandbox, for SSH also with the sandbox's user.
func isAddress(value string, served []string) bool {
	return slices.Contains(served, strings.TrimPrefix(value, loginUser+"@"))
}

func isHost(value string, served []string) bool { return isPartOf(value, served, 0) }

func isPort(value string, served []string) bool { return isPartOf(value, served, 1) }

// isPartOf reports whether a value is the host (0) or the port (1) of an address.
func isPartOf(value string, served []string, part int) bool {
	return slices.ContainsFunc(served, func(address string) bool {
		host, port, err := net.SplitHostPort(address)
		return err == nil && value == []string{host, port}[part]
	})
}

func isPEM(value string, _ []string) bool {
	block, _ := pem.Decode([]byte(value))
	return block != nil && strings.HasPrefix(value, "-----BEGIN ")
}

func isKnownHosts(value string, _ []string) bool {
	_, _, _, _, _, err := ssh.ParseKnownHosts([]byte(value))
	return err == nil
}
