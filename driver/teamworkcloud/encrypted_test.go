package teamworkcloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// beside combines Teamwork Cloud and keystores, as the program does.
type beside struct{ cloud, keys driver.Driver }

func newBeside(env driver.Env) driver.Driver {
	return &beside{teamworkcloud.New(env), keystore.New(env)}
}

func (b *beside) of(r *schema.Resource) driver.Driver {
	if r.Addr.Kind == schema.Keystore {
		return b.keys
	}
	return b.cloud
}

// Rules returns only the cloud's: the other driver has its own bench.
func (b *beside) Rules() []planner.Rule { return b.cloud.Rules() }

func (b *beside) Types() []schema.Type { return append(b.cloud.Types(), b.keys.Types()...) }

func (b *beside) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	return b.of(c.Resource).Plan(c)
}

func (b *beside) Needs(r *schema.Resource, seen *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return b.of(r).Needs(r, seen)
}

func (b *beside) Observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	return b.of(r).Observe(ctx, r, n)
}

func (b *beside) Import(ctx context.Context, of driver.ImportRequest) ([]schema.Draft, error) {
	return b.of(of.Server).(driver.Importer).Import(ctx, of)
}

// alone is beside for the kit: it leaves out findings about keystores, whose rules are not the cloud's.
type alone struct{ *beside }

func (a alone) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	out, diags := a.beside.Plan(c)
	if c.Resource.Addr.Kind == schema.Keystore {
		out.Findings = nil
	}
	return out, diags
}

// rulesOf returns the rules of all findings that a driver's plan may have.
func rulesOf(d driver.Driver) []planner.Rule {
	if b, ok := d.(*beside); ok {
		return append(b.cloud.Rules(), b.keys.Rules()...)
	}
	return d.Rules()
}

func (b *beside) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	return b.of(r).Facts(ctx, r, names)
}

func (b *beside) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	return b.of(t.Resource).Execute(ctx, t)
}

func (b *beside) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return b.of(t.Resource).Verify(ctx, t)
}

func (b *beside) Close(ctx context.Context) error {
	return errors.Join(b.cloud.(driver.Closer).Close(ctx), b.keys.(driver.Closer).Close(ctx))
}

// encrypted is a world in which a and b should become encrypted, with certificates of one authority, and the category
// Cars is copied from a to b.
type encrypted struct {
	*world

	hosts string              // servers whose machines are declared
	lines map[string][]string // by server: lines of its sync_tls besides keystore and trust
	path  map[string]string   // by server: path of its keystore
	pass  map[string]string   // by server: variable with its password
	cert  map[string]string   // by server: expression of its certificate
	key   map[string]string   // by server: expression of its key
	port  map[string]string   // by server: suffix of its sync_address
	trust map[string]string   // by server: expression of what it trusts; "-": nothing
	chain string
	conf  string         // b's application.conf, if it is elsewhere
	also  map[string]any // more members of the seed
}

const javas = `trust_stores = ["/opt/java/twcloud/lib/security/cacerts", "/opt/java/webapp/lib/security/cacerts"]`

func newEncrypted(release string) *encrypted {
	e := &encrypted{
		world: newWorld(cars), hosts: "ab", lines: map[string][]string{}, path: map[string]string{},
		pass: map[string]string{}, cert: map[string]string{}, key: map[string]string{},
		port: map[string]string{}, trust: map[string]string{}, chain: `env("ACME_CA")`,
		also: map[string]any{"authorities": j{"acme": j{"name": "ACME Root CA", "env": "ACME_CA"},
			"other": j{"name": "Other Root CA", "env": "OTHER_CA"}}},
	}
	for _, name := range []string{"a", "b"} {
		upper := strings.ToUpper(name)
		env := e.servers[name]["env"].(j)
		for _, what := range []string{"ssh", "ssh_key", "known_hosts", "tls_address"} {
			env[what] = strings.ToUpper(name + "_" + what)
		}
		e.set(name, "machine", j{})
		e.set(name, "certificate", j{"authority": "acme", "env": upper + "_CERTIFICATE", "key_env": upper + "_KEY"})
		e.lines[name] = []string{javas}
		e.path[name], e.pass[name] = "/opt/sync.p12", "KEYSTORE_PASSWORD"
		e.cert[name], e.key[name], e.trust[name] = fmt.Sprintf("env(%q)", upper+"_CERTIFICATE"),
			fmt.Sprintf("env(%q)", upper+"_KEY"), `env("ACME_CA")`
	}
	delete(e.servers, "c")
	e.versions(release)
	return e
}

func (e *encrypted) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "variable \"keystore_password\" {\n  type = string\n  sensitive = true\n  default = "+
		"\"geheim-store\"\n}\n")
	for _, name := range []string{"a", "b"} {
		upper := strings.ToUpper(name)
		way := fmt.Sprintf("host {\n    ssh = env(%q)\n    key = env(%q)\n    known_hosts = env(%q)\n  }\n", upper+"_SSH",
			upper+"_SSH_KEY", upper+"_KNOWN_HOSTS")
		fmt.Fprintf(&b, "keystore \"pkcs12\" %q {\n  path = %q\n  password = %s\n  %s  entry \"teamworkcloud\" {\n    "+
			"certificate = %s\n    chain = %s\n    key = %s\n  }\n}\n",
			name, e.path[name], e.password(name), way, e.cert[name], e.chain, e.key[name])
		host := ""
		if strings.Contains(e.hosts, name) {
			host = way
		}
		if e.conf != "" && name == "b" {
			host = strings.Replace(host, "host {\n", fmt.Sprintf("host {\n    application_conf = %q\n", e.conf), 1)
		}
		address := fmt.Sprintf("\"twc.%s.example%s\"", name, e.port[name])
		if e.port[name] == "LOOPBACK" {
			address = fmt.Sprintf("env(%q)", upper+"_TLS_ADDRESS")
		}
		trust := ""
		if e.trust[name] != "-" {
			trust = fmt.Sprintf("trust \"acme\" {\n      certificate = %s\n    }\n", e.trust[name])
		}
		fmt.Fprintf(&b, "server \"teamwork_cloud\" %q {\n  requests_per_second = 10000\n  url = env(%q)\n  sync_address "+
			"= %s\n  user = env(%q)\n  password = env(%q)\n  ca_file = env(\"SYNCCTL_SANDBOX_CA_FILE\")\n  %s  sync_tls {\n "+
			"   keystore = keystore.pkcs12.%s\n    %s\n    %s  }\n}\n",
			name, upper+"_URL", address, upper+"_USER", upper+"_PASSWORD", host, name, strings.Join(e.lines[name], "\n    "),
			trust)
	}
	return b.String() + with(e.hcl)
}

func (e *encrypted) password(name string) string {
	if e.pass[name] == "KEYSTORE_PASSWORD" {
		return "var.keystore_password"
	}
	return fmt.Sprintf("env(%q, \"geheim-else\")", e.pass[name])
}

func (e *encrypted) kase(t *testing.T) drivertest.Case {
	t.Helper()
	product := j{"now": "2026-03-02T08:00:00Z", "servers": e.servers}
	for name, value := range e.also {
		product[name] = value
	}
	seed, err := json.Marshal(j{"teamwork_cloud": product})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(e.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	return drivertest.Case{Name: t.Name(), Dir: dir, Seed: seed}
}

// encryptedBench is the bench with keystores and the product.
func encryptedBench() drivertest.Bench {
	b := twc()
	b.New = newBeside
	return b
}

func (e *encrypted) rehearse(t *testing.T, o drivertest.Rehearsal) drivertest.Outcome {
	t.Helper()
	out := drivertest.Rehearse(t, encryptedBench(), e.kase(t), o)
	if out.Plan == nil {
		t.Fatal(out.Diags)
	}
	return out
}

// goes applies the world's configuration completely; the second plan has no steps.
func (e *encrypted) goes(t *testing.T, o drivertest.Rehearsal) drivertest.Outcome {
	t.Helper()
	return carriedOut(t, e.rehearse(t, o))
}

// open serves the world for a configuration that changes.
func (e *encrypted) open(t *testing.T) *site {
	t.Helper()
	s := openCase(t, e.kase(t))
	s.make = newBeside
	s.text = func(hcl string) string {
		e.hcl = hcl
		return e.text()
	}
	return s
}

// file returns the content of a file on the machine of a server.
func (s *site) file(server, name string) string {
	s.t.Helper()
	said, err := s.box.Person(s.t.Context(), "run_maintenance",
		map[string]string{"server": server, "commands": "cat " + name})
	if err != nil {
		s.t.Fatal(err)
	}
	_, content, _ := strings.Cut(said, "\n") // the first line is the command
	return content + "\n"
}
