package declare

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Host is a machine that is reached over SSH, as a block of any driver declares it. The block's body has
// HostAttributes.
type Host struct {
	Block

	SSH            string   `decl:"ssh"`
	Key            Secret   `decl:"key"`
	KeyFile        string   `decl:"key_file"`
	Passphrase     Secret   `decl:"passphrase"`
	KnownHosts     string   `decl:"known_hosts"`
	KnownHostsFile string   `decl:"known_hosts_file"`
	Agent          bool     `decl:"agent"`
	Jump           []string `decl:"jump"`
}

// HostAttributes are the arguments that Host holds. required: the block must name the machine with ssh; else the
// driver has another way to say which machine it is.
func HostAttributes(required bool) []schema.Attribute {
	return []schema.Attribute{
		{Name: "ssh", Type: cty.String, Required: required, Doc: "Where to log in over SSH: user@host or user@host:port."},
		{Name: "key", Type: cty.String, Secret: true, Doc: "Private key (PEM or OpenSSH) to log in with."},
		{Name: "key_file", Type: cty.String, Doc: "The same, from a file."},
		{Name: "passphrase", Type: cty.String, Secret: true, Doc: "What the private key is encrypted with."},
		{Name: "known_hosts", Type: cty.String, Doc: "Lines of a known_hosts file: the machine's key must be among them."},
		{Name: "known_hosts_file", Type: cty.String, Doc: "The same, from a file. Without either, .ssh/known_hosts of " +
			"the user who runs syncctl."},
		{Name: "agent", Type: cty.Bool, Default: cty.True, Doc: "Whether keys of the SSH agent (SSH_AUTH_SOCK) may be " +
			"used too."},
		{Name: "jump", Type: cty.List(cty.String), Doc: "Hosts to go through, in order, each as user@host or " +
			"user@host:port."},
	}
}

// Check holds the rules of the block that need no look at the machine.
func (h *Host) Check() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, pair := range [][2]string{{"key", "key_file"}, {"known_hosts", "known_hosts_file"}} {
		if h.Has(pair[0]) && h.Has(pair[1]) {
			diags = append(diags, h.Problem("Given twice", fmt.Sprintf("Give either %s or %s, not both.", pair[0], pair[1]),
				pair[1]))
		}
	}
	if h.Has("passphrase") && !h.Has("key") && !h.Has("key_file") {
		diags = append(diags, h.Problem("A passphrase without a key", "passphrase belongs to key or key_file.", "passphrase"))
	}
	if h.Known("ssh") {
		diags = append(diags, h.checkLogin(h.SSH, "ssh")...)
	}
	for i, login := range h.Jump {
		if h.Known("jump", strconv.Itoa(i)) {
			diags = append(diags, h.checkLogin(login, "jump", strconv.Itoa(i))...)
		}
	}
	return diags
}

func (h *Host) checkLogin(text string, path ...string) hcl.Diagnostics {
	scheme, _, isURL := strings.Cut(text, "://")
	user, name, _ := strings.Cut(text, "@")
	if isURL {
		return hcl.Diagnostics{h.Problem("Invalid SSH address",
			fmt.Sprintf("Write user@host or user@host:port, without %s://.", scheme), path...)}
	}
	if strings.Contains(user, ":") && name != "" {
		return hcl.Diagnostics{h.Problem("A password in an address",
			"Passwords are not used for logging in over SSH: give user@host, and a key.", path...)}
	}
	if err := host.CheckAddress(text); err != nil {
		return hcl.Diagnostics{h.Problem("Invalid SSH address", fmt.Sprintf("It cannot be used: %v.", err), path...)}
	}
	return nil
}

// Open reaches the machine. It connects when first used.
func (h *Host) Open(env driver.Env) (host.Host, error) {
	o := host.SSHOptions{Address: h.SSH, Passphrase: h.Passphrase.Reveal(), Jump: h.Jump, Log: logFor(env, h.Block)}
	key, err := Contents(env, []byte(h.Key.Reveal()), h.KeyFile, "key_file")
	if err != nil {
		return nil, err
	}
	if len(key) > 0 {
		o.Keys = [][]byte{key}
	}
	if o.KnownHosts, err = Contents(env, []byte(h.KnownHosts), h.KnownHostsFile, "known_hosts_file"); err != nil {
		return nil, err
	}
	if len(o.KnownHosts) == 0 {
		if o.KnownHosts, err = knownHosts(env); err != nil {
			return nil, err
		}
	}
	if h.Agent {
		o.AgentSocket = variable(env, "SSH_AUTH_SOCK")
	}
	return host.SSH(o)
}

// knownHosts are the lines of the known_hosts file of the user who runs syncctl. One who has none is told at the first
// connection which line is missing.
func knownHosts(env driver.Env) ([]byte, error) {
	home := variable(env, "HOME")
	if home == "" {
		return nil, nil
	}
	lines, err := Contents(env, nil, filepath.Join(home, ".ssh", "known_hosts"), "the known hosts")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return lines, err
}

// variable is an environment variable, "" where it is not set.
func variable(env driver.Env, name string) string {
	if env.LookupEnv == nil {
		return ""
	}
	value, _ := env.LookupEnv(name)
	return value
}
