package declare

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Host is a machine that is reached over SSH, as any driver's block declares it. The body of the block must have
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

// HostAttributes returns the arguments of Host. If required is true, the block must name the machine with ssh.
// Otherwise the driver has another way to say which machine it is.
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
			"used too. Without a policy the machine must then show the key that your own known_hosts has for it."},
		{Name: "jump", Type: cty.List(cty.String), Doc: "Hosts to go through, in order, each as user@host or " +
			"user@host:port."},
	}
}

// Check checks the rules of the block that do not need the machine.
func (h *Host) Check() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, pair := range [][2]string{{"key", "key_file"}, {"known_hosts", "known_hosts_file"}} {
		if h.Has(pair[0]) && h.Has(pair[1]) {
			diags = append(diags, h.Problem("Given twice", fmt.Sprintf("Give either %s or %s, not both.", pair[0], pair[1]),
				pair[1]))
		}
	}
	if h.Has("passphrase") && !h.Has("key") && !h.Has("key_file") {
		diags = append(diags, h.Missing("A passphrase without a key", "passphrase belongs to key or key_file.",
			[]string{"passphrase"}, []string{"key"}, []string{"key_file"}))
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

// Open returns the machine. It connects at the first use.
func (h *Host) Open(env driver.Env) (host.Host, error) {
	o := host.SSHOptions{Address: h.SSH, Passphrase: h.Passphrase.Reveal(), Jump: h.Jump, Log: logFor(env, h.Block)}
	if err := Reachable(h.Resource()); err != nil {
		return nil, err
	}
	machines, err := h.permitted(env)
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", h.SSH, err)
	}
	last := machines[len(machines)-1]
	if err := maySend(env, h.Resource(), last); err != nil {
		return nil, fmt.Errorf("secrets of %s: %w", h.Addr(), err)
	}
	key, err := h.key(env, machines)
	if err != nil {
		return nil, err
	}
	if len(key) > 0 {
		o.Keys = [][]byte{key}
	}
	if o.KnownHosts, err = Contents(env, []byte(h.KnownHosts), h.KnownHostsFile, "known_hosts_file"); err != nil {
		return nil, err
	}
	o.KnownHostsFrom, o.HostKey = h.KnownHostsFile, env.Policy.HostKey
	if len(o.KnownHosts) == 0 {
		o.HostKey = nil // it is the user's own word
		if o.KnownHosts, err = knownHosts(env); err != nil {
			return nil, err
		}
		o.KnownHostsFrom = ownKnownHosts(env)
	}
	if h.Agent {
		socket, own, err := agentFor(env, machines)
		if err != nil && len(o.Keys) == 0 {
			return nil, fmt.Errorf("reaching %s: %w", h.SSH, err)
		}
		if o.AgentSocket = socket; socket != "" && own != nil {
			o.KnownHosts, o.HostKey = own, nil // what the configuration says of the same names does not count
			o.KnownHostsFrom = "your own " + ownKnownHosts(env) + " (it counts because of agent)"
		}
	}
	reached, err := host.SSH(o)
	if err != nil {
		return nil, err
	}
	may := host.Permission{
		Command: func(args []string) error { return env.Policy.CommandAt(last, args) },
		Connect: func(address string) error { return env.Policy.ConnectFrom(last, address) },
	}
	if env.Policy != nil {
		may.File = fileAt(last, env.Policy.FileAt)
		may.Folder = fileAt(last, env.Policy.FolderAt)
	}
	return host.Guard(reached, may), nil
}

// fileAt returns a function with which allows decides about a file of a machine: first about its name, so that the
// machine is not asked about a file that is not allowed, then about where the name leads.
func fileAt(machine string, allows func(machine, name string) error) func(host.Files, string) error {
	return func(files host.Files, name string) error {
		if err := allows(machine, name); err != nil {
			return err
		}
		real, err := host.Real(files, name)
		if err != nil {
			return err
		}
		return allows(machine, real)
	}
}

// KeyFile is the argument that names the file of a private key.
const KeyFile = "key_file"

// key returns the private key to log in with. If a policy decides, a key from outside of the configuration's folder
// must be allowed for each machine on the way.
func (h *Host) key(env driver.Env, machines []string) ([]byte, error) {
	if env.Access.ReadFile != nil {
		decide := env.Access.ReadFile
		env.Access.ReadFile = func(r schema.Reading) error {
			for _, machine := range machines {
				if err := env.Policy.Key(machine, r.Path); err != nil {
					return err
				}
			}
			return decide(r)
		}
	}
	return Contents(env, []byte(h.Key.Reveal()), h.KeyFile, KeyFile)
}

// permitted returns the machines on the way as host:port, the target last. It returns an error if the user's policy
// does not allow one of them.
func (h *Host) permitted(env driver.Env) ([]string, error) {
	var machines []string
	for _, address := range append(slices.Clone(h.Jump), h.SSH) {
		machine, err := host.HostPort(address)
		if err != nil {
			return nil, err
		}
		if err := env.Policy.Connect(machine); err != nil {
			return nil, err
		}
		machines = append(machines, machine)
	}
	return machines, nil
}

// agentFor returns the SSH agent's socket if its keys may be offered to all of the machines: because the user's
// policy allows it or, without a policy, because the user's own known_hosts names them. It then returns the lines of
// that, too: they say which keys those machines have. A machine that only the configuration knows may be anybody's,
// and an agent signs for whoever it is connected to.
func agentFor(env driver.Env, machines []string) (socket string, own []byte, err error) {
	if own, err = knownHosts(env); err != nil {
		return "", nil, err
	}
	for _, machine := range machines {
		allowed, said := env.Policy.Agent(machine)
		if said && !allowed {
			return "", nil, fmt.Errorf("the policy does not offer the SSH agent's keys to %s: give a key, or "+
				"ssh_agent = true in a host block of the policy", machine)
		}
		if said {
			own = nil
			continue
		}
		known, err := host.Known(own, ownKnownHosts(env), machine)
		if err != nil {
			return "", nil, err
		}
		if !known {
			return "", nil, fmt.Errorf("the SSH agent's keys are offered only to machines that your own known_hosts or your "+
				"policy names, and %s is not one of them: log in there once with ssh, or give a key", machine)
		}
	}
	return variable(env, "SSH_AUTH_SOCK"), own, nil
}

// Local returns the machine that this process runs on, as far as the user's policy allows its use.
func Local(env driver.Env, fs afero.Fs) host.Host {
	local := host.LocalOptions{Fs: fs}
	if env.LookupEnv != nil { // commands do not see secrets of the user's environment
		local.Env = host.PlainEnvironment(env.LookupEnv)
	}
	check := func(access schema.Access) func(host.Files, string) error {
		folder := schema.Folder{Fs: env.Fs, Access: access}
		return func(_ host.Files, name string) error {
			return folder.Check(schema.Reading{Path: name, By: "path", Whole: true})
		}
	}
	leading := env.Access
	if env.Policy != nil {
		leading.ReadFile = func(r schema.Reading) error { return env.Policy.Folder(r.Path) }
	}
	return host.Guard(host.Local(local), host.Permission{
		Command: env.Policy.Command, Connect: env.Policy.Connect, File: check(env.Access), Folder: check(leading),
	})
}

// knownHosts returns the lines of the known_hosts file of the user who runs syncctl. If there is no such file, the
// error of the first connection says which line is missing.
func knownHosts(env driver.Env) ([]byte, error) {
	name := ownKnownHosts(env)
	if name == "" {
		return nil, nil
	}
	env.Access = schema.Access{} // it is the user's own
	lines, err := Contents(env, nil, name, "the known hosts")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && env.Own != nil {
		err = env.Own(name)
	}
	return lines, err
}

// ownKnownHosts returns the name of that file, or "" if nobody's home is known.
func ownKnownHosts(env driver.Env) string {
	home := variable(env, "HOME")
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".ssh", "known_hosts")
}

// variable returns an environment variable, or "" if it is not set.
func variable(env driver.Env, name string) string {
	if env.LookupEnv == nil {
		return ""
	}
	value, _ := env.LookupEnv(name)
	return value
}
