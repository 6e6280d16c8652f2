package keystore

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// How a machine is declared stands here and not beside driver/host, which knows neither drivers nor the language.

// HostAttributes are the arguments of a block that names a machine reached over SSH.
func HostAttributes() []schema.Attribute {
	return []schema.Attribute{
		{Name: "ssh", Type: cty.String, Required: true, Doc: "Where to log in over SSH: user@host or user@host:port."},
		{Name: "key", Type: cty.String, Secret: true, Doc: "Private key (PEM or OpenSSH) to log in with."},
		{Name: "key_file", Type: cty.String, Doc: "The same, from a file."},
		{Name: "passphrase", Type: cty.String, Secret: true, Doc: "What the private key is encrypted with."},
		{Name: "known_hosts", Type: cty.String, Doc: "Lines of a known_hosts file: the machine's key must be among them."},
		{Name: "known_hosts_file", Type: cty.String, Doc: "The same, from a file. Without either, .ssh/known_hosts of whoever runs syncctl."},
		{Name: "agent", Type: cty.Bool, Default: cty.True, Doc: "Whether keys of the SSH agent (SSH_AUTH_SOCK) may be used too."},
		{Name: "jump", Type: cty.List(cty.String), Doc: "Hosts to go through, in order, each as user@host or user@host:port."},
	}
}

// OpenHost reaches the machine that the block at path names, or this machine where there is no such block; its files are then
// env.Fs. It connects when first used.
func OpenHost(env driver.Env, r *schema.Resource, path ...string) (host.Host, error) {
	if r.Get(path...).IsNull() {
		return host.Local(host.LocalOptions{Fs: env.Fs}), nil
	}
	at := func(name string) []string { return append(append([]string{}, path...), name) }
	o := host.SSHOptions{Address: reveal(r, at("ssh")...), Passphrase: reveal(r, at("passphrase")...), Jump: texts(r.Get(at("jump")...))}
	if env.Log != nil {
		o.Log = env.Log.Named(r.Addr.Name)
	} else {
		o.Log = hclog.NewNullLogger()
	}
	key, err := contents(env, r, at("key"), at("key_file"))
	if err != nil {
		return nil, err
	}
	if len(key) > 0 {
		o.Keys = [][]byte{key}
	}
	if o.KnownHosts, err = contents(env, r, at("known_hosts"), at("known_hosts_file")); err != nil {
		return nil, err
	}
	lookup := env.LookupEnv
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	if home, ok := lookup("HOME"); ok && len(o.KnownHosts) == 0 && home != "" {
		// Whoever has none is told at the first connection which line is missing.
		o.KnownHosts, _ = afero.ReadFile(env.Fs, filepath.Join(home, ".ssh", "known_hosts"))
	}
	if agent := r.Get(at("agent")...); known(agent) && agent.True() {
		o.AgentSocket, _ = lookup("SSH_AUTH_SOCK")
	}
	return host.SSH(o)
}

// contents is what an argument holds, and the file that another one names.
func contents(env driver.Env, r *schema.Resource, inline, file []string) ([]byte, error) {
	b, name := []byte(reveal(r, inline...)), reveal(r, file...)
	if name == "" {
		return b, nil
	}
	more, err := afero.ReadFile(env.Fs, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file[len(file)-1], err)
	}
	if len(b) > 0 {
		b = append(b, '\n')
	}
	return append(b, more...), nil
}

func hasHost(r *schema.Resource) bool { return !r.Get("host").IsNull() }

// checkHost holds the rules of the block at path that need no look at anything.
func checkHost(r *schema.Resource, path ...string) hcl.Diagnostics {
	if r.Get(path...).IsNull() {
		return nil
	}
	at := func(name string) []string { return append(append([]string{}, path...), name) }
	var diags hcl.Diagnostics
	for _, pair := range [][2]string{{"key", "key_file"}, {"known_hosts", "known_hosts_file"}} {
		if !r.Get(at(pair[0])...).IsNull() && !r.Get(at(pair[1])...).IsNull() {
			diags = append(diags, problem(r, "Given twice", fmt.Sprintf("Give %s or %s, not both.", pair[0], pair[1]), at(pair[1])...))
		}
	}
	if v := r.Get(at("ssh")...); known(v) {
		user, name, _ := strings.Cut(v.AsString(), "@")
		if user == "" || name == "" || strings.Contains(v.AsString(), "://") {
			diags = append(diags, problem(r, "Not a machine", fmt.Sprintf("%q is no SSH address: write user@host or user@host:port.", v.AsString()), at("ssh")...))
		}
	}
	return diags
}
