// Package policy reads what a user allows configurations to do: which hosts they may reach, which environment variables
// and files they may read, which commands they may run. A policy comes from outside of any repository, so that a
// configuration which is not trusted cannot allow itself anything. It knows no product.
package policy

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
)

// Policy is what a user allows. A nil Policy allows everything; the zero Policy allows nothing beyond the folder of the
// configuration. It may be used by several goroutines.
type Policy struct {
	name  string // where it was read, for errors
	hosts []hostRule

	environment  []string   // names, with * at the end for all that begin so
	files        []string   // folders and files, absolute
	commands     [][]string // command lines on this machine, with * at the end for any further arguments
	nonsensitive bool
	signers      []string // keys in the form of authorized_keys
	bundles      BundleLimits

	untrusted bool
	confined  bool // see Confined
	simulated bool // see Simulated
	free      bool // of this machine everything is allowed
}

// hostRule is what may be done with the hosts that a pattern names.
type hostRule struct {
	pattern  string // NAME, *.DOMAIN or *, in lower case, perhaps with :PORT
	commands [][]string
	sshKeys  []string
	sshAgent bool
	files    []filePattern
}

// Refusal is something that a policy does not allow.
type Refusal struct {
	What string // such as: connecting to twc.example:8111
	Way  string // what to write to allow it, and where
}

func (r *Refusal) Error() string { return "the policy does not allow " + r.What + ": " + r.Way }

// Untrusted is the policy for files that are not trusted, such as those of a pull request: no environment, no commands,
// no keys, no files of elsewhere; only the hosts that the policy names.
func (p *Policy) Untrusted() *Policy {
	u := &Policy{untrusted: true}
	if p != nil {
		u.name = p.name
		u.signers, u.bundles = p.signers, p.bundles
		for _, h := range p.hosts {
			u.hosts = append(u.hosts, hostRule{pattern: h.pattern})
		}
	}
	return u
}

// Simulated is the policy inside of the sandbox: of hosts these addresses (HOST:PORT), which are simulated, and no
// other, whatever p allows; of this machine, what p allows. The variables that the sandbox sets may be read.
func (p *Policy) Simulated(addresses, environment []string) *Policy {
	s := &Policy{free: true}
	if p != nil {
		c := *p
		s = &c
	}
	s.simulated, s.hosts = true, nil
	for _, a := range addresses {
		s.hosts = append(s.hosts, hostRule{
			pattern: a, commands: [][]string{{"*"}}, sshKeys: []string{string(filepath.Separator)}, files: everyFile,
		})
	}
	s.environment = append(slices.Clone(s.environment), environment...)
	return s
}

// Confined is the policy of a configuration that is tried against simulated servers: of hosts it may reach these
// addresses (HOST:PORT) and no other, and of this machine only its folder. The variables that the sandbox sets may be
// read; else of the environment what p allows.
func (p *Policy) Confined(addresses, environment []string) *Policy {
	c := &Policy{confined: true, nonsensitive: true, environment: []string{"*"}}
	if p != nil && !p.free {
		c.name, c.untrusted, c.nonsensitive = p.name, p.untrusted, p.nonsensitive
		c.environment = append(slices.Clone(p.environment), environment...)
	}
	for _, a := range addresses {
		c.hosts = append(c.hosts, hostRule{pattern: a, commands: [][]string{{"*"}}, files: everyFile})
	}
	return c
}

// open tells whether everything of this machine is allowed.
func (p *Policy) open() bool { return p == nil || p.free }

// elsewhere is beyond for what is about a host.
func (p *Policy) elsewhere(what, line string, always bool) error {
	if p.simulated {
		return &Refusal{what, "inside of the sandbox only the simulated servers are reached"}
	}
	return p.beyond(what, line, always)
}

// refuse makes a Refusal. line is what the policy file would have to hold.
func (p *Policy) refuse(what, line string, always bool) error {
	switch {
	case p.untrusted && always:
		return &Refusal{what, "-untrusted never allows it"}
	case p.name == "":
		return &Refusal{what, "-untrusted is given, and there is no policy that names it (" + line + ")"}
	}
	return &Refusal{what, "add " + line + " to " + p.name + " if you trust this configuration with it"}
}

// beyond is refuse for what lies beyond the folder of the configuration and its environment.
func (p *Policy) beyond(what, line string, always bool) error {
	if p.confined {
		return &Refusal{what, "here a configuration reaches the simulated servers and its own folder, and nothing else. " +
			"Let the sandbox give the value, as in env(\"NAME\", \"VALUE OUTSIDE OF IT\")"}
	}
	return p.refuse(what, line, always)
}

// Environment tells whether env() may read a variable.
func (p *Policy) Environment(name string) error {
	if p.open() || slices.ContainsFunc(p.environment, func(pattern string) bool { return matches(pattern, name) }) {
		return nil
	}
	return p.refuse(fmt.Sprintf("env(%q)", name), fmt.Sprintf("environment = [%q]", name), true)
}

// matches compares a name with a pattern, which may end in *.
func matches(pattern, name string) bool {
	head, open := strings.CutSuffix(pattern, "*")
	return pattern == name || open && strings.HasPrefix(name, head)
}

// File tells whether a configuration may use a file of this machine outside of its folder: read it, and write it where
// a declaration says what is to be in it. path is absolute, and free of links.
func (p *Policy) File(path string) error {
	if p.open() || slices.ContainsFunc(p.files, func(root string) bool { return within(root, path) }) {
		return nil
	}
	return p.beyond("the file "+path, fmt.Sprintf("files = [%q]", path), true)
}

// Folder tells whether a configuration may know of a folder of this machine that it is there: it is one of File, or
// leads to one.
func (p *Policy) Folder(path string) error {
	if !p.open() && slices.ContainsFunc(p.files, func(file string) bool { return within(path, file) }) {
		return nil
	}
	return p.File(path)
}

// within tells whether a path is a folder or lies in it.
func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// Nonsensitive tells whether nonsensitive() may take the mark off a secret.
func (p *Policy) Nonsensitive() error {
	if p.open() || p.nonsensitive {
		return nil
	}
	return p.refuse("nonsensitive()", "nonsensitive = true", true)
}

// Command tells whether a configuration may have a command run on this machine.
func (p *Policy) Command(args []string) error {
	if p.open() || runs(p.commands, args) {
		return nil
	}
	return p.beyond("running "+line(args)+" on this machine", "commands = ["+quote(args)+"]", true)
}

// CommandAt tells whether a configuration may have a command run on a host over SSH.
func (p *Policy) CommandAt(host string, args []string) error {
	if p == nil || p.host(host, func(h hostRule) bool { return runs(h.commands, args) }) {
		return nil
	}
	where := fmt.Sprintf("commands = [%s] in host %q { … }", quote(args), host)
	return p.elsewhere("running "+line(args)+" on "+host, where, true)
}

// Connect tells whether a configuration may have a host connected to. address is HOST:PORT.
func (p *Policy) Connect(address string) error {
	if p == nil || p.host(address, func(hostRule) bool { return true }) {
		return nil
	}
	return p.elsewhere("connecting to "+address, fmt.Sprintf("host %q {}", address), false)
}

// ConnectFrom tells whether a configuration may have a machine, HOST:PORT, connect to a host.
func (p *Policy) ConnectFrom(machine, address string) error {
	if p != nil && (p.confined || p.simulated) && p.Connect(machine) == nil {
		return nil // from a simulated machine a connection leads to the simulated network
	}
	return p.Connect(address)
}

// Key tells whether the SSH key in a file may be used to log in to a host. path is absolute.
func (p *Policy) Key(host, path string) error {
	if p == nil || p.host(host, func(h hostRule) bool { return h.hasKey(path) }) {
		return nil
	}
	return p.elsewhere("the SSH key "+path+" for "+host, fmt.Sprintf("ssh_keys = [%q] in host %q { … }", path, host), true)
}

// AnyKey tells whether a file may be used as an SSH key for any host.
func (p *Policy) AnyKey(path string) error {
	if p.open() || slices.ContainsFunc(p.hosts, func(h hostRule) bool { return h.hasKey(path) }) {
		return nil
	}
	return p.beyond("the SSH key "+path, fmt.Sprintf("ssh_keys = [%q] in a host block", path), true)
}

// Agent tells whether the keys of the SSH agent may be offered to a host, and whether the policy says anything about
// it: without a policy it is for the user's own known_hosts to say.
func (p *Policy) Agent(host string) (allowed, said bool) {
	if p == nil {
		return false, false
	}
	return p.host(host, func(h hostRule) bool { return h.sshAgent }), true
}

// Signers are the SSH keys, in the form of authorized_keys, whose plans may be applied.
func (p *Policy) Signers() []string {
	if p == nil {
		return nil
	}
	return p.signers
}

// BundleLimits bound what a bundle of another site may take of this machine. What is 0 is not said.
type BundleLimits struct {
	Bytes int64 // of all that it brings
	Parts int
	Name  int // bytes of a part's name
}

// Bundles are the limits of bundles.
func (p *Policy) Bundles() BundleLimits {
	if p == nil {
		return BundleLimits{}
	}
	return p.bundles
}

// host tells whether one of the rules that name the address allows something.
func (p *Policy) host(address string, allows func(hostRule) bool) bool {
	return slices.ContainsFunc(p.hosts, func(h hostRule) bool { return h.names(address) && allows(h) })
}

func (h hostRule) hasKey(path string) bool {
	return slices.ContainsFunc(h.sshKeys, func(root string) bool { return within(root, path) })
}

// names tells whether the rule is about an address, which is HOST or HOST:PORT.
func (h hostRule) names(address string) bool {
	name, port := split(address)
	pattern, wanted := split(h.pattern)
	if wanted != "" && wanted != port {
		return false
	}
	domain, wild := strings.CutPrefix(pattern, "*")
	in := isDomain(name) && strings.HasSuffix(name, domain)
	return pattern == name || wild && (domain == "" || in && name != domain[1:])
}

// isDomain tells whether a name may be that of a domain. An address may end as one does: in [2001:db8::1%a.example] all
// that follows the % is the name of a network interface, which is anything.
func isDomain(name string) bool { return !strings.ContainsAny(name, ":%") }

// split divides HOST:PORT, with the name in lower case and without the dot at its end.
func split(address string) (name, port string) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		name, port = strings.Trim(address, "[]"), ""
	}
	return strings.TrimSuffix(strings.ToLower(name), "."), port
}

// runs tells whether one of the patterns allows a command line.
func runs(patterns [][]string, args []string) bool {
	return slices.ContainsFunc(patterns, func(pattern []string) bool {
		n := len(pattern) - 1
		if n >= 0 && pattern[n] == "*" {
			return len(args) >= n && slices.Equal(args[:n], pattern[:n])
		}
		return slices.Equal(args, pattern)
	})
}
