// Package policy reads what a user allows configurations to do: which hosts they may reach, which environment
// variables and files they may read, and which commands they may run. A policy comes from outside of any repository,
// so that an untrusted configuration cannot allow itself anything. It knows no product.
package policy

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
)

// Policy is what a user allows. A nil Policy allows everything; the zero Policy allows only the folder of the
// configuration. It is safe for concurrent use.
type Policy struct {
	name  string // the file it was read from, for errors
	hosts []hostRule

	environment  []string   // names; with * at the end for all with that prefix
	files        []string   // folders and files, absolute
	commands     [][]string // command lines on this machine, with * at the end for any further arguments
	nonsensitive bool
	signers      []string // keys in the form of authorized_keys
	bundles      BundleLimits

	untrusted bool
	confined  bool // see Confined
	simulated bool // see Simulated
	free      bool // everything on this machine is allowed
}

// hostRule is what may be done with the hosts that match a pattern.
type hostRule struct {
	pattern  string // NAME, *.DOMAIN or *, in lower case, optionally with :PORT
	commands [][]string
	sshKeys  []string
	sshAgent bool
	files    []filePattern

	// Secrets that may be sent to the host: names; with * at the end for all with that prefix.
	variables   []string // of the configuration
	environment []string // of the environment

	// What a configuration may say of how the host is known: fingerprints, or *.
	ca       []string // of authorities, see Fingerprint
	hostKeys []string // of SSH keys: SHA256: and base64
}

// anything returns a rule that allows everything on a host but the SSH agent.
func anything(address string) hostRule {
	all := []string{"*"}
	return hostRule{
		pattern: address, commands: [][]string{all}, sshKeys: []string{string(filepath.Separator)}, files: everyFile,
		variables: all, environment: all, ca: all, hostKeys: all,
	}
}

// Refusal is the error for something that a policy does not allow.
type Refusal struct {
	What string // such as "connecting to twc.example:8111"
	Way  string // how to allow it
}

func (r *Refusal) Error() string { return "the policy does not allow " + r.What + ": " + r.Way }

// Untrusted returns the policy for untrusted files, such as those of a pull request. It allows no environment
// variables, commands, keys or files elsewhere, and only connections to the hosts that the policy names, as they are
// known there and with the variables that may be sent there.
func (p *Policy) Untrusted() *Policy {
	u := &Policy{untrusted: true}
	if p != nil {
		u.name = p.name
		u.signers, u.bundles = p.signers, p.bundles
		for _, h := range p.hosts {
			u.hosts = append(u.hosts, hostRule{pattern: h.pattern, variables: h.variables, ca: h.ca, hostKeys: h.hostKeys})
		}
	}
	return u
}

// Simulated returns the policy inside the sandbox. Of all hosts it allows only these simulated addresses (HOST:PORT),
// whatever p allows. On this machine it allows what p allows, and the environment variables that the sandbox sets.
func (p *Policy) Simulated(addresses, environment []string) *Policy {
	s := &Policy{free: true}
	if p != nil {
		c := *p
		s = &c
	}
	s.simulated, s.hosts = true, nil
	for _, a := range addresses {
		s.hosts = append(s.hosts, anything(a))
	}
	s.environment = append(slices.Clone(s.environment), environment...)
	return s
}

// Confined returns the policy for a configuration that is tried against simulated servers. It allows only these
// addresses (HOST:PORT) and, on this machine, only the configuration's folder. It allows the environment variables
// that p allows and those that the sandbox sets.
func (p *Policy) Confined(addresses, environment []string) *Policy {
	c := &Policy{confined: true, nonsensitive: true, environment: []string{"*"}}
	if p != nil && !p.free {
		c.name, c.untrusted, c.nonsensitive = p.name, p.untrusted, p.nonsensitive
		c.environment = append(slices.Clone(p.environment), environment...)
	}
	for _, a := range addresses {
		rule := anything(a)
		rule.sshKeys = nil
		c.hosts = append(c.hosts, rule)
	}
	return c
}

// open reports whether everything on this machine is allowed.
func (p *Policy) open() bool { return p == nil || p.free }

// elsewhere is like beyond, for hosts.
func (p *Policy) elsewhere(what, line string, always bool) error {
	if p.simulated {
		return &Refusal{what, "inside of the sandbox only the simulated servers are reached"}
	}
	return p.beyond(what, line, always)
}

// refuse returns a Refusal. line is what would have to be added to the policy file.
func (p *Policy) refuse(what, line string, always bool) error {
	switch {
	case p.untrusted && always:
		return &Refusal{what, "-untrusted never allows it"}
	case p.name == "":
		return &Refusal{what, "-untrusted is given, and there is no policy that names it (" + line + ")"}
	}
	return &Refusal{what, "add " + line + " to " + p.name + " if you trust this configuration with it"}
}

// beyond is like refuse, for what is outside the configuration's folder and its environment.
func (p *Policy) beyond(what, line string, always bool) error {
	if p.confined {
		return &Refusal{what, "here a configuration reaches the simulated servers and its own folder, and nothing else. " +
			"Let the sandbox give the value, as in env(\"NAME\", \"VALUE OUTSIDE OF IT\")"}
	}
	return p.refuse(what, line, always)
}

// Environment returns nil if env() may read a variable.
func (p *Policy) Environment(name string) error {
	if p.open() || slices.ContainsFunc(p.environment, func(pattern string) bool { return matches(pattern, name) }) {
		return nil
	}
	return p.refuse(fmt.Sprintf("env(%q)", name), fmt.Sprintf("environment = [%q]", name), true)
}

// matches reports whether a name matches a pattern, which may end in *.
func matches(pattern, name string) bool {
	head, open := strings.CutSuffix(pattern, "*")
	return pattern == name || open && strings.HasPrefix(name, head)
}

// File returns nil if a configuration may use a file of this machine outside its folder: read it, and write it if a
// declaration sets its content. path must be absolute and without links.
func (p *Policy) File(path string) error {
	if p.open() || slices.ContainsFunc(p.files, func(root string) bool { return within(root, path) }) {
		return nil
	}
	return p.beyond("the file "+path, fmt.Sprintf("files = [%q]", path), true)
}

// Folder returns nil if a configuration may know that a folder of this machine exists: File allows it, or a file or
// folder inside it.
func (p *Policy) Folder(path string) error {
	if !p.open() && slices.ContainsFunc(p.files, func(file string) bool { return within(path, file) }) {
		return nil
	}
	return p.File(path)
}

// within reports whether a path is the folder root or inside it.
func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// Nonsensitive returns nil if nonsensitive() may remove the mark from a secret.
func (p *Policy) Nonsensitive() error {
	if p.open() || p.nonsensitive {
		return nil
	}
	return p.refuse("nonsensitive()", "nonsensitive = true", true)
}

// Command returns nil if a configuration may run a command on this machine.
func (p *Policy) Command(args []string) error {
	if p.open() || runs(p.commands, args) {
		return nil
	}
	return p.beyond("running "+line(args)+" on this machine", "commands = ["+quote(args)+"]", true)
}

// CommandAt returns nil if a configuration may run a command on a host over SSH.
func (p *Policy) CommandAt(host string, args []string) error {
	if p == nil || p.host(host, func(h hostRule) bool { return runs(h.commands, args) }) {
		return nil
	}
	where := fmt.Sprintf("commands = [%s] in host %q { … }", quote(args), host)
	return p.elsewhere("running "+line(args)+" on "+host, where, true)
}

// Connect returns nil if a configuration may connect to a host. address is HOST:PORT.
func (p *Policy) Connect(address string) error {
	if p == nil || p.host(address, func(hostRule) bool { return true }) {
		return nil
	}
	return p.elsewhere("connecting to "+address, fmt.Sprintf("host %q {}", address), false)
}

// ConnectFrom returns nil if a configuration may make a machine (HOST:PORT) connect to a host.
func (p *Policy) ConnectFrom(machine, address string) error {
	if p != nil && (p.confined || p.simulated) && p.Connect(machine) == nil {
		return nil // connections from a simulated machine stay in the simulated network
	}
	return p.Connect(address)
}

// Key returns nil if the SSH key in a file may be used to log in to a host. path must be absolute.
func (p *Policy) Key(host, path string) error {
	if p == nil || p.host(host, func(h hostRule) bool { return h.hasKey(path) }) {
		return nil
	}
	return p.elsewhere("the SSH key "+path+" for "+host, fmt.Sprintf("ssh_keys = [%q] in host %q { … }", path, host), true)
}

// AnyKey returns nil if a file may be used as an SSH key for any host.
func (p *Policy) AnyKey(path string) error {
	if p.open() || slices.ContainsFunc(p.hosts, func(h hostRule) bool { return h.hasKey(path) }) {
		return nil
	}
	return p.beyond("the SSH key "+path, fmt.Sprintf("ssh_keys = [%q] in a host block", path), true)
}

// Agent reports whether the keys of the SSH agent may be offered to a host. said is false without a policy: then the
// user's own known_hosts decides.
func (p *Policy) Agent(host string) (allowed, said bool) {
	if p == nil {
		return false, false
	}
	return p.host(host, func(h hostRule) bool { return h.sshAgent }), true
}

// Signers returns the SSH keys, in the form of authorized_keys, whose plans may be applied.
func (p *Policy) Signers() []string {
	if p == nil {
		return nil
	}
	return p.signers
}

// BundleLimits limits what receiving another site's bundle may use of this machine. 0 means that the policy sets no
// limit.
type BundleLimits struct {
	Bytes int64 // of all parts together
	Parts int
	Name  int // maximum length of a part's name, in bytes
}

// Bundles returns the limits of bundles.
func (p *Policy) Bundles() BundleLimits {
	if p == nil {
		return BundleLimits{}
	}
	return p.bundles
}

// host reports whether a rule that matches the address allows something.
func (p *Policy) host(address string, allows func(hostRule) bool) bool {
	return slices.ContainsFunc(p.hosts, func(h hostRule) bool { return h.names(address) && allows(h) })
}

func (h hostRule) hasKey(path string) bool {
	return slices.ContainsFunc(h.sshKeys, func(root string) bool { return within(root, path) })
}

// names reports whether the rule matches an address, which is HOST or HOST:PORT.
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

// isDomain reports whether a name may be a domain name. An IP address may look like one at its end: in
// [2001:db8::1%a.example] everything after the % is the name of a network interface, which is arbitrary.
func isDomain(name string) bool { return !strings.ContainsAny(name, ":%") }

// split splits HOST:PORT. The name is in lower case and without a final dot.
func split(address string) (name, port string) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		name, port = strings.Trim(address, "[]"), ""
	}
	return strings.TrimSuffix(strings.ToLower(name), "."), port
}

// runs reports whether one of the patterns allows a command line.
func runs(patterns [][]string, args []string) bool {
	return slices.ContainsFunc(patterns, func(pattern []string) bool {
		n := len(pattern) - 1
		if n >= 0 && pattern[n] == "*" {
			return len(args) >= n && slices.Equal(args[:n], pattern[:n])
		}
		return slices.Equal(args, pattern)
	})
}
