package policy

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `
environment  = ["TWC_PASSWORD", "JIRA_*"]
files        = ["~/certs", "/etc/ssl/ca.pem"]
commands     = ["/opt/answer.sh *", "/usr/bin/true"]
nonsensitive = false
signers      = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 ada"]

host "*.twc.example" {
  commands  = ["systemctl *"]
  files     = ["/opt/twc/conf", "/opt/java-*/cacerts", "/etc/a[b].p12"]
  ssh_keys  = ["~/.ssh/ops"]
  ssh_agent = true
}
host "jira.example:443" {
  variables   = ["jira_*", "token"]
  environment = ["JIRA_TOKEN"]
  ca          = ["AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB"]
  host_keys   = ["SHA256:o7gZyIYtu9dnHcGLKgBGxI+VPp+ukzXnAAAAAAAAAAA"]
}
host "open.example" {
  variables = ["*"]
  ca        = ["*"]
  host_keys = ["*"]
}
`

func parse(t *testing.T, text string) *Policy {
	t.Helper()
	p, _, diags := Parse([]byte(text), "/cfg/policy.hcl", "/home/ada")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

// pairs is a fingerprint of one byte, over and over.
func pairs(b string) string { return strings.Repeat(b+":", 31) + b }

// zoned is an address: what follows the % is the name of a network interface, and may be anything.
const zoned = "[2001:db8::1%a.twc.example]:22"

// deeds are things that a configuration may try, each with what the sample says about it.
var deeds = []struct {
	name    string
	try     func(*Policy) error
	allowed bool
}{
	{"a variable", func(p *Policy) error { return p.Environment("TWC_PASSWORD") }, true},
	{"a family of variables", func(p *Policy) error { return p.Environment("JIRA_TOKEN") }, true},
	{"another variable", func(p *Policy) error { return p.Environment("NPM_TOKEN") }, false},
	{"the end of a name", func(p *Policy) error { return p.Environment("XTWC_PASSWORD") }, false},
	{"a file in a folder", func(p *Policy) error { return p.File("/home/ada/certs/a/b.pem") }, true},
	{"a file itself", func(p *Policy) error { return p.File("/etc/ssl/ca.pem") }, true},
	{"a folder with such a beginning", func(p *Policy) error { return p.File("/home/ada/certs2/a.pem") }, false},
	{"up and out", func(p *Policy) error { return p.File("/home/ada/certs/../.netrc") }, false},
	{"a program with any arguments", func(p *Policy) error { return p.Command([]string{"/opt/answer.sh", "x"}) }, true},
	{"the same without arguments", func(p *Policy) error { return p.Command([]string{"/opt/answer.sh"}) }, true},
	{"a program without arguments", func(p *Policy) error { return p.Command([]string{"/usr/bin/true"}) }, true},
	{"the same with some", func(p *Policy) error { return p.Command([]string{"/usr/bin/true", "x"}) }, false},
	{"another program", func(p *Policy) error { return p.Command([]string{"/bin/sh", "-c", "x"}) }, false},
	{"no program", func(p *Policy) error { return p.Command(nil) }, false},
	{"nonsensitive", (*Policy).Nonsensitive, false},
	{"a secret of a host", func(p *Policy) error { return p.Variable("jira.example:443", "token") }, true},
	{"a family of secrets of a host", func(p *Policy) error { return p.Variable("JIRA.example:443", "jira_x") }, true},
	{"the same elsewhere", func(p *Policy) error { return p.Variable("a.twc.example:443", "token") }, false},
	{"the same at another port", func(p *Policy) error { return p.Variable("jira.example:80", "token") }, false},
	{"another secret there", func(p *Policy) error { return p.Variable("jira.example:443", "tokens") }, false},
	{"an address from a secret", func(p *Policy) error { return p.SecretAddress("var.token") }, false},
	{"any secret for a host", func(p *Policy) error { return p.Variable("open.example:1", "x") }, true},
	{"the environment there", func(p *Policy) error { return p.EnvironmentAt("jira.example:443", "JIRA_TOKEN") }, true},
	{"it for another host", func(p *Policy) error { return p.EnvironmentAt("a.twc.example:443", "JIRA_TOKEN") }, false},
	{"a variable is not the environment", func(p *Policy) error { return p.EnvironmentAt("open.example:1", "x") }, false},
	{"an authority of a host", func(p *Policy) error { return p.Authority("jira.example:443", pairs("AB")) }, true},
	{"another authority", func(p *Policy) error { return p.Authority("jira.example:443", pairs("AC")) }, false},
	{"an authority elsewhere", func(p *Policy) error { return p.Authority("a.twc.example:443", pairs("AB")) }, false},
	{"any authority of a host", func(p *Policy) error { return p.Authority("open.example:443", pairs("AC")) }, true},
	{"a host key", func(p *Policy) error {
		return p.HostKey("jira.example:443", "SHA256:o7gZyIYtu9dnHcGLKgBGxI+VPp+ukzXnAAAAAAAAAAA")
	}, true},
	{"another host key", func(p *Policy) error {
		return p.HostKey("jira.example:443", "SHA256:p7gZyIYtu9dnHcGLKgBGxI+VPp+ukzXnAAAAAAAAAAA")
	}, false},
	{"any host key", func(p *Policy) error { return p.HostKey("open.example:443", "SHA256:x") }, true},
	{"a host of a domain", func(p *Policy) error { return p.Connect("a.twc.example:8111") }, true},
	{"in other letters", func(p *Policy) error { return p.Connect("A.TWC.Example.:8111") }, true},
	{"the domain itself", func(p *Policy) error { return p.Connect("twc.example:8111") }, false},
	{"a name that ends so", func(p *Policy) error { return p.Connect("eviltwc.example:8111") }, false},
	{"a name that begins so", func(p *Policy) error { return p.Connect("a.twc.example.evil:8111") }, false},
	{"an address that ends so", func(p *Policy) error { return p.Connect("[2001:db8::1%.twc.example]:8111") }, false},
	{"an IPv4 address", func(p *Policy) error { return p.Connect("[::ffff:192.0.2.1%a.twc.example]:8111") }, false},
	{"a command at an address", func(p *Policy) error { return p.CommandAt(zoned, []string{"systemctl", "stop"}) }, false},
	{"a key at an address", func(p *Policy) error { return p.Key(zoned, "/home/ada/.ssh/ops") }, false},
	{"a host with its port", func(p *Policy) error { return p.Connect("jira.example:443") }, true},
	{"another port", func(p *Policy) error { return p.Connect("jira.example:22") }, false},
	{"a command there", func(p *Policy) error { return p.CommandAt("a.twc.example:22", []string{"systemctl", "stop"}) }, true},
	{"another command there", func(p *Policy) error { return p.CommandAt("a.twc.example:22", []string{"rm"}) }, false},
	{"a command elsewhere", func(p *Policy) error { return p.CommandAt("jira.example:443", []string{"systemctl"}) }, false},
	{"a file there", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/opt/twc/conf/x/a.p12") }, true},
	{"a folder there", func(p *Policy) error { return p.FolderAt("a.twc.example:22", "/opt/twc") }, true},
	{"the root there", func(p *Policy) error { return p.FolderAt("a.twc.example:22", "/") }, true},
	{"another folder there", func(p *Policy) error { return p.FolderAt("a.twc.example:22", "/opt/other") }, false},
	{"what leads to a file", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/opt/twc") }, false},
	{"a star", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/opt/java-17/cacerts") }, true},
	{"a star is one name", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/opt/java-1/7/cacerts") }, false},
	{"brackets", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/etc/a[b].p12") }, true},
	{"brackets are not a class", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/etc/ab.p12") }, false},
	{"the beginning of a name there", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/opt/twc/conf2") }, false},
	{"another file there", func(p *Policy) error { return p.FileAt("a.twc.example:22", "/etc/passwd") }, false},
	{"any file elsewhere", func(p *Policy) error { return p.FileAt("jira.example:443", "/opt/twc/conf/a.p12") }, false},
	{"a key", func(p *Policy) error { return p.Key("a.twc.example:22", "/home/ada/.ssh/ops") }, true},
	{"another key", func(p *Policy) error { return p.Key("a.twc.example:22", "/home/ada/.ssh/id") }, false},
	{"a key elsewhere", func(p *Policy) error { return p.Key("jira.example:443", "/home/ada/.ssh/ops") }, false},
}

func TestPolicy(t *testing.T) {
	p := parse(t, sample)
	for _, d := range deeds {
		err := d.try(p)
		var refused *Refusal
		if d.allowed != (err == nil) || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", d.name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "/cfg/policy.hcl") && d.name != "an address from a secret" {
			t.Errorf("%s: %v does not say where to allow it", d.name, err)
		}
		if err := d.try(nil); err != nil {
			t.Errorf("%s: without a policy: %v", d.name, err)
		}
		if err := d.try(&Policy{}); err == nil {
			t.Errorf("%s: allowed by nothing", d.name)
		}
	}
	if allowed, said := p.Agent("a.twc.example:22"); !allowed || !said {
		t.Error("the agent is named")
	}
	if allowed, _ := p.Agent(zoned); allowed {
		t.Error("an address is taken for a name of the domain")
	}
	if allowed, said := p.Agent("jira.example:443"); allowed || !said {
		t.Error("the agent is not named for jira.example")
	}
	if _, said := (*Policy)(nil).Agent("a.twc.example:22"); said {
		t.Error("no policy says something")
	}
}

// TestUpwards: a name with .. is refused whatever is allowed, and so is a relative one.
func TestUpwards(t *testing.T) {
	p := parse(t, "host \"*\" {\n files = [\"/\"]\n}\n")
	for _, name := range []string{"/a/../b", "/..", "a", "", "../a"} {
		if p.FileAt("a.example:22", name) == nil || p.FolderAt("a.example:22", name) == nil {
			t.Errorf("%q is allowed", name)
		}
	}
	if err := p.FileAt("a.example:22", "/a/b"); err != nil {
		t.Error(err)
	}
}

// TestUntrusted: of a policy, only the hosts remain, with what may be sent there and how they are known.
func TestUntrusted(t *testing.T) {
	for _, p := range []*Policy{parse(t, sample).Untrusted(), (*Policy)(nil).Untrusted()} {
		for _, d := range deeds {
			connecting := strings.Contains(d.name, "host") || d.name == "in other letters"
			if want := d.allowed && connecting && p.name != ""; want != (d.try(p) == nil) {
				t.Errorf("%s (policy %q): %v", d.name, p.name, d.try(p))
			}
		}
		if allowed, said := p.Agent("a.twc.example:22"); allowed || !said {
			t.Error("the agent is offered")
		}
	}
}

// TestSimulated: inside of the sandbox the simulated servers are reached and no other, with a policy, without one, and
// untrusted; of this machine what the policy allows.
func TestSimulated(t *testing.T) {
	const served = "127.0.0.1:4711"
	open := parse(t, "files = [\"/etc\"]\nhost \"*\" {\n commands = [\"*\"]\n files = [\"/\"]\n}\n")
	for name, from := range map[string]*Policy{"no policy": nil, "a policy": open, "untrusted": open.Untrusted()} {
		p := from.Simulated([]string{served}, []string{"URL_A"})
		for _, err := range []error{
			p.Environment("URL_A"), p.Connect(served), p.CommandAt(served, []string{"x"}), p.FileAt(served, "/a"),
			p.ConnectFrom(served, "twc.example:10002"), p.Key(served, "/k"), p.Variable(served, "v"),
			p.SecretAddress("var.v"), p.EnvironmentAt(served, "V"), p.Authority(served, pairs("AB")),
			p.HostKey(served, "SHA256:x"),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for what, err := range map[string]error{
			"host": p.Connect("evil.example:443"), "port": p.Connect("127.0.0.1:4712"),
			"command": p.CommandAt("evil.example:22", []string{"x"}), "file": p.FileAt("evil.example:22", "/a"),
			"way": p.ConnectFrom("evil.example:22", "twc.example:10002"), "key": p.Key("evil.example:22", "/k"),
		} {
			if err == nil {
				t.Errorf("%s: another %s is allowed inside of the sandbox", name, what)
			}
		}
		here := []error{p.Command([]string{"x"}), p.File("/home/x"), p.Environment("NPM_TOKEN"), p.Nonsensitive()}
		for i, err := range here {
			if (err == nil) != (from == nil) {
				t.Errorf("%s: %d of this machine: %v", name, i, err)
			}
		}
		if p.File("/etc/x") == nil != (from != nil && !from.untrusted || from == nil) {
			t.Errorf("%s: a file that the policy names: %v", name, p.File("/etc/x"))
		}
		if allowed, said := p.Agent(served); allowed || !said {
			t.Errorf("%s: the agent's keys are offered", name)
		}
	}
	p := (*Policy)(nil).Simulated(nil, nil).Confined([]string{served}, nil)
	if p.Environment("A") != nil || p.File("/x") == nil {
		t.Error("a rehearsal inside of the sandbox")
	}
}

// shortKey is an RSA key of 1024 bits.
const shortKey = "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDcYbvLesUFHVQWu89zw/6lP3DlNdrtLZyduvwMoKORRCDfZyB6vqhQNsB8WuJuNKU4" +
	"XKaNMNAUavzKN1Ys8ae9YHlyxtXX0f7CEIjMa2nAjcYaiArLvrWgD639mkfvwxf5nFVWfdPwuA0dRyWXyNWpaVmKCoB4Y5vOa2cg1XhK" +
	"ZQ=="

// TestParseMistakes: a policy with a mistake is an error at its line, and allows nothing.
func TestParseMistakes(t *testing.T) {
	for name, text := range map[string]string{
		"unknown argument":      `hosts = ["a"]`,
		"unknown block":         `server "a" {}`,
		"a text for a list":     `environment = "A"`,
		"a star inside":         `environment = ["A*B"]`,
		"an empty name":         `environment = [""]`,
		"null":                  `environment = [null]`,
		"a relative path":       `files = ["certs"]`,
		"an empty command":      `commands = [""]`,
		"an open quote":         `commands = ["'a"]`,
		"a text for a bool":     `nonsensitive = "perhaps"`,
		"no key":                `signers = ["ada"]`,
		"a short RSA key":       `signers = ["ssh-rsa ` + shortKey + `"]`,
		"a star in a host":      `host "a.*.example" {}`,
		"a star and no dot":     `host "*example" {}`,
		"a url":                 `host "https://a" {}`,
		"no host":               `host "" {}`,
		"a variable":            `environment = [var.x]`,
		"a function":            `environment = [env("X")]`,
		"no HCL":                `environment = [`,
		"a relative file there": "host \"a\" {\n files = [\"a.p12\"]\n}",
		"upwards there":         "host \"a\" {\n files = [\"/a/../b\"]\n}",
		"two stars there":       "host \"a\" {\n files = [\"/a/**\"]\n}",
		"a relative key":        "host \"a\" {\n ssh_keys = [\"id\"]\n}",
		"a short fingerprint":   "host \"a\" {\n ca = [\"AB:CD\"]\n}",
		"another fingerprint":   "host \"a\" {\n ca = [\"SHA256:o7gZyIYtu9dnHcGLKgBGxI+VPp+ukzXnAAAAAAAAAAA\"]\n}",
		"a short host key":      "host \"a\" {\n host_keys = [\"SHA256:o7gZ\"]\n}",
		"a host key in hex":     "host \"a\" {\n host_keys = [\"" + pairs("AB") + "\"]\n}",
		"a star inside a name":  "host \"a\" {\n variables = [\"a*b\"]\n}",
		"argument of a host":    "host \"a\" {\n keys = []\n}",
	} {
		p, _, diags := Parse([]byte(text+"\n"), "policy.hcl", "/home/ada")
		if !diags.HasErrors() || diags[0].Subject == nil {
			t.Errorf("%s: %v", name, diags)
		}
		if p == nil || p.Environment("A") == nil || p.Connect("a:1") == nil {
			t.Errorf("%s: something is allowed", name)
		}
	}
}

// TestWrite: what is written allows what is used, reads back, and is the same every time.
func TestWrite(t *testing.T) {
	used := Used{
		Environment: []string{"B", "A", "A"}, Files: []string{"/x"}, Commands: [][]string{{"*"}, {"/a b", "c"}},
		Hosts: map[string]*UsedHost{
			"b.example:22": {Commands: [][]string{{"*"}}, Files: []string{"/etc/f"}, SSHKeys: []string{"/k"}, SSHAgent: true},
			"a.example:443": {Variables: []string{"pw"}, Environment: []string{"B"}, CA: []string{pairs("0A")},
				HostKeys: []string{"SHA256:o7gZyIYtu9dnHcGLKgBGxI+VPp+ukzXnAAAAAAAAAAA"}},
		},
	}
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := Write(w, used); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Error(diff)
	}
	p := parse(t, first.String())
	for _, err := range []error{
		p.Environment("A"), p.Environment("B"), p.File("/x"), p.Command([]string{"/a b", "c"}),
		p.Command([]string{"anything"}),
		p.Connect("a.example:443"), p.CommandAt("b.example:22", []string{"x", "y"}), p.Key("b.example:22", "/k"),
		p.FileAt("b.example:22", "/etc/f"), p.Variable("a.example:443", "pw"), p.EnvironmentAt("a.example:443", "B"),
		p.Authority("a.example:443", pairs("0A")),
		p.HostKey("a.example:443", "SHA256:o7gZyIYtu9dnHcGLKgBGxI+VPp+ukzXnAAAAAAAAAAA"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if p.Variable("b.example:22", "pw") == nil || p.Connect("a.example:80") == nil || p.Environment("C") == nil ||
		p.Nonsensitive() == nil ||
		p.FileAt("b.example:22", "/etc/g") == nil || p.FileAt("a.example:443", "/etc/f") == nil {
		t.Error("more is allowed than is used")
	}
}

// TestWriteLiteral: what a policy would take for a pattern is not written into one.
func TestWriteLiteral(t *testing.T) {
	for name, used := range map[string]Used{
		"every variable": {Environment: []string{"*"}},
		"many variables": {Environment: []string{"A", "B_*"}},
		"no name":        {Environment: []string{""}},
		"any argument":   {Commands: [][]string{{"/bin/answer", "*"}}},
		"every host":     {Hosts: map[string]*UsedHost{"*:443": {}}},
		"many files":     {Hosts: map[string]*UsedHost{"a:22": {Files: []string{"/etc/*"}}}},
	} {
		var b bytes.Buffer
		if err := Write(&b, used); err == nil {
			t.Errorf("%s: %s", name, b.String())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(`host "*" {}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, _, diags := Parse([]byte(text), "policy.hcl", "/home/ada")
		if diags.HasErrors() && (p.Connect("a:1") == nil || p.Command([]string{"a"}) == nil) {
			t.Error("something is allowed by a policy with mistakes")
		}
	})
}

// TestConfined: against simulated servers a configuration reaches these and its folder, whatever the policy allows.
func TestConfined(t *testing.T) {
	addresses := []string{"127.0.0.1:4711"}
	open, _, diags := Parse([]byte(`
environment  = ["B"]
nonsensitive = false
files        = ["/etc"]
commands     = ["make"]
host "*" {
  commands  = ["*"]
  ssh_keys  = ["/"]
  ssh_agent = true
}
`), "policy.hcl", "/home/x")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for name, from := range map[string]*Policy{"no policy": nil, "a policy": open, "untrusted": open.Untrusted()} {
		p := from.Confined(addresses, []string{"A"})
		for _, err := range []error{
			p.Environment("A"), p.Connect("127.0.0.1:4711"), p.CommandAt("127.0.0.1:4711", []string{"x"}),
			p.ConnectFrom("127.0.0.1:4711", "twc.example:10002"),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		agent, said := p.Agent("127.0.0.1:4711")
		if agent || !said {
			t.Errorf("%s: the agent's keys are offered", name)
		}
		for what, err := range map[string]error{
			"host": p.Connect("jira.example:443"), "port": p.Connect("127.0.0.1:4712"), "file": p.File("/etc/passwd"),
			"command": p.Command([]string{"make"}), "key": p.AnyKey("/home/x/.ssh/id"),
			"way": p.ConnectFrom("jump.example:22", "twc.example:10002"),
		} {
			if err == nil {
				t.Errorf("%s: another %s is allowed", name, what)
			}
		}
		if got := p.Environment("C") == nil; got != (from == nil) {
			t.Errorf("%s: env(\"C\") is allowed: %v", name, got)
		}
		if got := p.Nonsensitive() == nil; got != (from == nil) {
			t.Errorf("%s: nonsensitive() is allowed: %v", name, got)
		}
	}
}
