package declare_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/crypto/ssh"
)

// permitted returns a server with a machine that has more arguments.
func permitted(t *testing.T, more string) *server {
	t.Helper()
	return decoded(t, "server \"depot\" \"a\" {\n  url = \"https://a.example\"\n  token = \"geheim-4711\"\n  host {\n"+
		"    ssh = \"admin@a.example:2222\"\n    jump = [\"gate@gate.example\"]\n"+more+"  }\n}\n")
}

// decoded returns the server that a text declares.
func decoded(t *testing.T, text string) *server {
	t.Helper()
	cfg, diags := load(t, text, false)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := declare.Decode[server](cfg.Resources[0])
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}

// environment returns the environment of a user whose known_hosts has these lines.
func environment(t *testing.T, p *policy.Policy, knownHosts string) driver.Env {
	t.Helper()
	fs := afero.NewMemMapFs()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"/home/ada/.ssh/known_hosts": knownHosts, "/keys/ops": string(pem.EncodeToMemory(block)),
	} {
		if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := driver.Env{Fs: fs, Policy: p, LookupEnv: func(name string) (string, bool) {
		value, ok := map[string]string{
			"HOME": "/home/ada", "SSH_AUTH_SOCK": "/run/agent", "PATH": "/usr/bin:/bin", "CANARY": "canary-4711",
		}[name]
		return value, ok
	}}
	if p != nil {
		env.Access = schema.Access{ReadFile: func(r schema.Reading) error { return p.AnyKey(r.Path) }}
	}
	return env
}

func parsePolicy(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, _, diags := policy.Parse([]byte(text), "policy.hcl", "/home/ada")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

const hostKey = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS\n"

// TestPermit checks that a machine is only connected to, with a key or the agent, as the user's policy allows, or the
// user's known_hosts if there is no policy. A server is only connected to as the policy allows.
func TestPermit(t *testing.T) {
	const both = "host \"a.example\" {\n  ssh_agent = true\n  ssh_keys = [\"/keys\"]\n}\n"
	const gate = "host \"gate.example\" {\n  ssh_agent = true\n  ssh_keys = [\"/keys\"]\n}\n"
	keyFile := "    key_file = \"/keys/ops\"\n"
	for name, c := range map[string]struct {
		more, policy, known string
		allowed             bool
	}{
		"the agent, known to the user":          {"", "", "[a.example]:2222" + hostKey + "gate.example" + hostKey, true},
		"the agent, known at another port":      {"", "", "a.example" + hostKey + "gate.example" + hostKey, false},
		"the agent, a jump unknown to the user": {"", "", "[a.example]:2222" + hostKey, false},
		"the agent, unknown to the user": {"    known_hosts = \"*" + strings.TrimSpace(hostKey) + "\"\n", "", "",
			false},
		"the agent by the policy": {"", both + gate, "", true},
		"the agent, the policy silent": {"", "host \"*\" {}\n",
			"[a.example]:2222" + hostKey + "gate.example" + hostKey, false},
		"a key without a policy":      {keyFile, "", "", true},
		"a key by the policy":         {keyFile, both + gate, "", true},
		"a key for another machine":   {keyFile, both + "host \"gate.example\" {}\n", "", false},
		"a jump that is not named":    {keyFile, both, "", false},
		"a machine that is not named": {keyFile, gate, "", false},
	} {
		var p *policy.Policy
		if c.policy != "" {
			p = parsePolicy(t, c.policy)
		}
		h, err := permitted(t, c.more).Host.Open(environment(t, p, c.known))
		if c.allowed != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			h.Close()
		}
	}
	for text, allowed := range map[string]bool{
		"": true, both: true, "host \"a.example:443\" {}\n": true, "host \"a.example:80\" {}\n": false, gate: false,
	} {
		var p *policy.Policy
		if text != "" {
			p = parsePolicy(t, text)
		}
		_, err := permitted(t, "").Rest(environment(t, p, ""))
		var refused *policy.Refusal
		if allowed != (err == nil) || err != nil && !errors.As(err, &refused) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestLocal checks that a command on this machine only runs as the policy allows, and cannot see the user's secrets.
func TestLocal(t *testing.T) {
	run := func(p *policy.Policy, args ...string) (host.Output, error) {
		h := declare.Local(environment(t, p, ""), afero.NewMemMapFs())
		defer h.Close()
		return h.Run(context.Background(), host.Command{Args: args})
	}
	t.Setenv("CANARY", "canary-4711")
	out, err := run(nil, "env")
	if err != nil || !strings.Contains(out.Stdout, "PATH=") || strings.Contains(out.Stdout, "canary") {
		t.Errorf("%q, %v", out.Stdout, err)
	}
	p := parsePolicy(t, `commands = ["env"]`)
	if _, err := run(p, "env"); err != nil {
		t.Error(err)
	}
	_, err = run(p, "env", "-u", "PATH")
	var refused *policy.Refusal
	if !errors.As(err, &refused) || host.WasStarted(err) != host.StartedNo {
		t.Errorf("another command: %v", err)
	}
	h := declare.Local(environment(t, p, ""), afero.NewMemMapFs())
	defer h.Close()
	if _, err := h.Dial(t.Context(), "127.0.0.1:1"); !errors.As(err, &refused) {
		t.Errorf("connecting: %v", err)
	}
}

// TestLocalFiles checks that on this machine only files of the configuration's folder, and those that the policy
// names, may be used.
func TestLocalFiles(t *testing.T) {
	const policyText = "files = [\"/etc/keys\", \"/opt/one/a.p12\"]\n"
	for name, allowed := range map[string]bool{
		"/etc/keys/a.p12": true, "/opt/one/a.p12": true, "/opt/one/.a.p12.syncctl-0123456789abcdef": true,
		"/opt/one/b.p12": false, "/etc/passwd": false, "/etc/keys/../passwd": false, "/proc/self/environ": false,
	} {
		fs := afero.NewMemMapFs()
		if err := afero.WriteFile(fs, name, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		p := parsePolicy(t, policyText)
		env := environment(t, p, "")
		env.Access = schema.Access{ReadFile: func(r schema.Reading) error { return p.File(r.Path) }}
		h := declare.Local(env, fs)
		_, err := host.ReadFile(h.Files(t.Context()), name, 100)
		if allowed != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.Files(t.Context()).Stat("/opt/one"); err != nil && strings.HasPrefix(name, "/opt/one") {
			t.Errorf("the folder of an allowed file: %v", err)
		}
		h.Close()
	}
}
