package keystore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestOfAnotherSite: one company plans a keystore of the other without its secrets, and the other writes nothing with
// secrets that the plan would have refused.
func TestOfAnotherSite(t *testing.T) {
	f := newFamily(t)
	fs := afero.NewMemMapFs()
	text := ""
	for _, site := range []string{"a", "b"} {
		text += fmt.Sprintf("site %q {\n  signers = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfB"+
			"Tx7hbTen/mS5 admin@acme\"]\n}\n", site)
	}
	const entry = `
keystore "pkcs12" %q {
  site     = site.%s
  path     = "/keys/%s.p12"
  password = env(%q)
  entry "server" {
    certificate = file("cert.pem")
    key         = env(%q)
  }
  %s
}
`
	text += fmt.Sprintf(entry, "own", "a", "own", "A_PASSWORD", "A_KEY", "")
	text += fmt.Sprintf(entry, "k", "b", "k", "B_PASSWORD", "B_KEY", "")
	text += "keystore \"jks\" \"trust\" {\n  site = site.b\n  path = \"/keys/t\"\n  password = env(\"B_PASSWORD\")\n  " +
		"trust \"ca\" { certificate = env(\"B_CA\") }\n}\nkeystore \"jks\" \"own\" {\n  site = site.a\n  path = " +
		"\"/keys/own\"\n  password = env(\"A_PASSWORD\")\n  trust \"ca\" { certificate = file(\"root.pem\") }\n}\n"
	for name, content := range map[string]string{"/conf/main.sync.hcl": text, "/conf/root.pem": f.root.pem(),
		"/conf/cert.pem": f.server.pem() + f.inter.pem() + f.root.pem(), "/keys/x": ""} {
		if err := afero.WriteFile(fs, name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func(site string, env map[string]string) (*schema.Config, *Driver) {
		t.Helper()
		d := New(driver.Env{Fs: fs, Version: "test"}).(*Driver) //nolint:forcetypeassert // else the test ends
		cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fs, Dir: "/conf", Catalog: d.Types(), Site: site,
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
		if diags.HasErrors() {
			t.Fatal(site, diags)
		}
		return cfg, d
	}
	cfg, d := load("a", map[string]string{"A_PASSWORD": password, "A_KEY": f.server.keyPEM(t)})
	var step planner.Step
	var of schema.Addr
	for _, name := range []string{"keystore.jks.own", "keystore.pkcs12.own", "keystore.pkcs12.k"} {
		addr, err := schema.ParseAddr(name)
		if err != nil {
			t.Fatal(err)
		}
		r, seen := cfg.Lookup(addr), planner.NewObservations()
		seen.Put(Need(r), today, "", &Observed{Machine: "there", Now: today, State: Missing})
		out, diags := d.Plan(planner.Change{Resource: r, Seen: seen})
		if diags.HasErrors() || len(out.Steps) != 1 {
			t.Fatal(name, diags, out)
		}
		for _, x := range out.Findings {
			if x.Severity != planner.Note {
				t.Errorf("%s: %s: %s", name, x.Rule, x.Summary)
			}
		}
		of, step = addr, out.Steps[0]
	}
	for _, n := range []string{"keystore.pkcs12.k", "keystore.pkcs12.own"} { // a file of b is not looked for at a
		addr, _ := schema.ParseAddr(n)
		decl, err := decode(cfg.Lookup(addr))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.host(decl); errors.Is(err, declare.ErrElsewhere) != (addr == of) || err != nil && addr != of {
			t.Errorf("%s: %v", n, err)
		}
	}
	for _, row := range []string{ // what only b knows is not planned at a as if it were absent
		`path = env("B_1")`, `java = tonumber(env("B_1"))`, `names = [env("B_1")]`, `names = split(",", env("B_1"))`,
		`expires_warning_days = tonumber(env("B_1"))`, `keep_others = env("B_1") == "yes"`, `subject = env("B_1")`,
		`dns = ["x", env("B_1")]`, `ip = [env("B_1")]`, `days = tonumber(env("B_1"))`, `key_type = env("B_1")`,
	} {
		name, _, _ := strings.Cut(row, " ")
		top, made := row+"\n", ""
		if !slices.Contains([]string{"path", "java", "names", "expires_warning_days", "keep_others"}, name) {
			top, made = "", row+"\n"
		}
		if name != "path" {
			top += "path = \"/keys/u\"\n"
		}
		if name != "subject" {
			made += "subject = \"CN=x\"\n"
		}
		text := fmt.Appendf(nil, "keystore \"pkcs12\" \"u\" {\n site = site.b\n password = env(\"B_PASSWORD\")\n%s"+
			"entry \"made\" {\nself_signed {\n%s}\n}\n}\n", top, made)
		if err := afero.WriteFile(fs, "/conf/unknown.sync.hcl", text, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, _ := load("a", map[string]string{"A_PASSWORD": password, "A_KEY": f.server.keyPEM(t)})
		addr, _ := schema.ParseAddr("keystore.pkcs12.u")
		_, err := parse(cfg.Lookup(addr))
		if !errors.Is(err, errElsewhere) || !strings.Contains(err.Error(), "its "+name+":") {
			t.Errorf("%s: %v", row, err)
		}
	}
	_ = fs.Remove("/conf/unknown.sync.hcl")
	other := issue(t, "another", nil).keyPEM(t)
	for name, row := range map[string]struct{ password, key, why string }{
		"another key":     {password, other, "does not belong to the certificate"},
		"an odd password": {"pässword", f.server.keyPEM(t), "characters that Java does not accept"},
		"all is right":    {password, f.server.keyPEM(t), ""},
	} {
		cfg, d := load("b", map[string]string{"B_PASSWORD": row.password, "B_KEY": row.key, "B_CA": f.root.pem()})
		_ = fs.Remove("/keys/k.p12") // of the case before
		_, err := d.write(t.Context(), &executor.Task{Resource: cfg.Lookup(of), Step: step})
		if row.why == "" && err != nil || row.why != "" && (err == nil || !strings.Contains(err.Error(), row.why)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
