package teamworkcloud_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/offload"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// verbs returns the steps of one declaration in short.
func verbs(p *planner.Plan, addr string) string {
	var out []string
	for i := range p.Steps {
		if p.Steps[i].Addr == addr {
			out = append(out, strings.TrimRight(fingerprints.ReplaceAllString(p.Steps[i].Op, ""), "_"))
		}
	}
	return strings.Join(out, " ")
}

var fingerprints = regexp.MustCompile(`(_[0-9a-f]{6,8})+$`)

// rules returns the rules that refuse a plan, without duplicates.
func rules(p *planner.Plan) []string {
	var out []string
	for _, f := range p.Refusals() {
		out = append(out, strings.TrimPrefix(f.Rule, "teamwork_cloud/"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// configurationsOn returns a server's remote resource configurations at the end: whether each is encrypted, and its
// status.
func configurationsOn(t *testing.T, state []byte, server string) []string {
	t.Helper()
	var all struct {
		Product struct {
			Servers map[string]struct {
				Configurations []struct {
					TLS    bool   `json:"tls"`
					Status string `json:"status"`
					Reason string `json:"reason"`
				} `json:"configurations"`
			} `json:"servers"`
		} `json:"teamwork_cloud"`
	}
	if err := json.Unmarshal(state, &all); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range all.Product.Servers[server].Configurations {
		out = append(out, strings.TrimSpace(fmt.Sprintf("tls %t %s %s", c.TLS, c.Status, c.Reason)))
	}
	return out
}

// differing returns the arguments of server a that a plan shows as different.
func differing(p *planner.Plan) string {
	var out []string
	for _, c := range p.Changes {
		for _, d := range c.Diff {
			if c.Addr == "server.teamwork_cloud.a" {
				out = append(out, d.Path)
			}
		}
	}
	return strings.Join(out, " ")
}

// starts counts how often the services of a server were started.
func starts(out drivertest.Outcome, server string) int {
	n := 0
	for _, line := range ran(out, server) {
		if strings.Contains(line, "systemctl start twcloud") {
			n++
		}
	}
	return n
}

// TestEncrypts encrypts two servers by the page for their version, and checks that they are used only after that.
func TestEncrypts(t *testing.T) {
	const settings = "encrypted_port settings_webappplatform_properties settings_application_conf trust trust trust " +
		"idle_server stop_server start_server presented"
	const stores = "encrypted_port trust trust idle_server stop_server start_server presented"
	for release, want := range sampled(t, map[string]string{
		"2024x": settings, "2024x Hot Fix 2": settings, "2024x Refresh1": stores, "2024x Refresh2 Hot Fix 1": stores,
		"2024x Refresh3": stores, "2026x": stores, "2026x Refresh1": stores,
	}) {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			out := newEncrypted(release).goes(t, drivertest.Rehearsal{})
			for _, server := range []string{"a", "b"} {
				if got := verbs(out.Plan, "server.teamwork_cloud."+server); got != want {
					t.Errorf("%s: %s\nwant %s", server, got, want)
				}
				if n := starts(out, server); n != 1 {
					t.Errorf("the services of %s were started %d times", server, n)
				}
			}
			if got := verbs(out.Plan, "sync.teamwork_cloud.cars"); !strings.HasPrefix(got, "secured ") {
				t.Errorf("the sync: %s", got)
			}
			// a resumed run would ask a server that is stopped
			if facts := step(t, out.Plan, "create_category").Facts; len(facts) > 0 {
				t.Errorf("the sync relies on %v", facts)
			}
			if got := configurationsOn(t, out.State, "b"); !slices.Equal(got, []string{"tls true Synchronized"}) {
				t.Errorf("configurations %v", got)
			}
			before, after := differing(out.Plan), differing(out.Again)
			if before != "sync_tls.trust.acme.certificate" || after != "" {
				t.Errorf("it differs in %q before, in %q afterwards", before, after)
			}
			recipe := finding(out.Plan, "tls-recipe")
			if open := finding(out.Plan, "tls-readable"); (open != nil) != (want == settings) {
				t.Errorf("who reads the password: %+v", open)
			}
			if recipe == nil || !strings.Contains(recipe.Summary, "since its version is "+release[:5]) {
				t.Errorf("which page is followed: %+v", recipe)
			}
		})
	}
}

// TestProof checks that the verdict contains what was seen in the handshakes, with fingerprints, and who trusts it.
func TestProof(t *testing.T) {
	s := newEncrypted("2024x Refresh3").open(t)
	var told []string
	var mu sync.Mutex
	s.during = func(e executor.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Name == executor.EventDone && (e.Step.Op == "secured" || e.Step.Op == "presented") {
			told = append(told, e.Step.Op+": "+e.Message)
		}
	}
	s.apply(cars)
	slices.Sort(told)
	seen := `(localhost|twc\.[ab]\.example):10002 presents CN=twc\.[ab]\.example, SHA-256 [0-9A-F:]{95}, ` +
		`valid until 20..-..-.. \(TLS 1.3, seen from admin@127.0.0.1:[0-9]+\)`
	trusted := `; trusted by /opt/java/twcloud/lib/security/cacerts on admin@127.0.0.1:[0-9]+ ` +
		`and /opt/java/webapp/lib/security/cacerts on admin@127.0.0.1:[0-9]+`
	for i, want := range []string{"presented: " + seen, "presented: " + seen,
		"secured: " + seen + trusted + "; " + seen + trusted} {
		if len(told) != 3 || !regexp.MustCompile("^"+want+"$").MatchString(told[i]) {
			t.Errorf("told %q, want %s", told, want)
		}
	}
}

// leafOnly returns the first certificate in a variable.
func leafOnly(variable string) string {
	return fmt.Sprintf(`"${split("-----END CERTIFICATE-----", env(%q))[0]}-----END CERTIFICATE-----\n"`, variable)
}

// TestRefusedBeforeAnythingIsWritten checks that everything that would fail in a handshake, or between the two ends,
// has its own rule.
func TestRefusedBeforeAnythingIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		release string
		spoil   func(*encrypted)
		rules   []string // all that refuse
		words   string   // in the summary of the first
	}{
		"expired": {"2024x Refresh3", func(e *encrypted) {
			e.servers["a"]["certificate"].(j)["days"] = -3
		}, []string{"keystore/expired", "tls-expired"}, "CN=twc.a.example expired on"},
		"another name": {"2024x Refresh3", func(e *encrypted) {
			e.servers["a"]["certificate"].(j)["names"] = []any{"twc.old.example"}
		}, []string{"tls-name"}, "twc.old.example"},
		"a missing intermediate": {"2024x Refresh3", func(e *encrypted) {
			e.also["authorities"].(j)["acme"].(j)["intermediate"] = true
			e.cert["a"], e.chain = leafOnly("A_CERTIFICATE"), "null"
		}, []string{"keystore/chain-incomplete", "tls-untrusted"}, "the chain is incomplete"},
		"a swapped key": {"2024x Refresh3", func(e *encrypted) {
			e.key["a"] = `env("B_KEY")`
		}, []string{"keystore/key-mismatch"}, "does not belong to the certificate"},
		"another password": {"2024x", func(e *encrypted) {
			e.pass["b"] = "OTHER_PASSWORD"
		}, []string{"tls-mismatch"},
			"twc.client.keystore.password differs: server.teamwork_cloud.a " +
				"(/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/webappplatform.properties"},
		"another path": {"2024x", func(e *encrypted) {
			e.path["b"] = "/opt/other.p12"
		}, []string{"tls-mismatch"}, `has "/opt/sync.p12", server.teamwork_cloud.b (`},
		"the authority is not trusted": {"2024x Refresh3", func(e *encrypted) {
			e.trust["b"] = "-"
		}, []string{"tls-untrusted"},
			"what server.teamwork_cloud.a is going to present is not accepted by server.teamwork_cloud.b: CN=ACME Root CA"},
		"another authority is": {"2024x", func(e *encrypted) {
			e.trust["b"] = `env("OTHER_CA")`
		}, []string{"tls-untrusted"}, "is not trusted by"},
		"no trust stores": {"2024x Refresh1", func(e *encrypted) {
			e.lines["b"] = nil
		}, []string{"tls-trust-stores"}, `is to trust "acme"`},
		"a trust store that is not there": {"2024x Refresh1", func(e *encrypted) {
			e.lines["b"] = []string{`trust_stores = ["/opt/java/none/cacerts", "/opt/java/webapp/lib/security/cacerts"]`}
		}, []string{"tls-store"}, "/opt/java/none/cacerts on "},
		"a trust store's password": {"2024x Refresh1", func(e *encrypted) {
			e.lines["b"] = append(e.lines["b"], `trust_stores_password = "geheim-wrong"`)
		}, []string{"tls-store"}, "the password does not open it"},
		"a taken port": {"2024x Refresh3", func(e *encrypted) {
			e.lines["a"] = append(e.lines["a"], "port = 3579")
		}, []string{"login-port", "tls-port"},
			"port 3579 of server.teamwork_cloud.a is that for clients without encryption"},
		"the trap of the port": {"2024x Refresh3", func(e *encrypted) {
			e.lines["a"] = append(e.lines["a"], "port = 10443")
		}, []string{"login-port"}, "the ports for encrypted clients differ"},
		"an old release": {"2022x Refresh2", func(*encrypted) {}, []string{"tls-version"},
			"no page says how 2022x Refresh 2 synchronizes encrypted"},
		"a settings file that is broken": {"2024x", func(e *encrypted) {
			e.servers["b"]["machine"].(j)["files"] = j{
				"/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf.other": "",
				"/etc/broken.conf": "esi { a = ",
			}
			e.conf = "/etc/broken.conf"
		}, []string{"tls-file"}, "/etc/broken.conf on "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEncrypted(c.release)
			c.spoil(e)
			out := e.rehearse(t, drivertest.Rehearsal{})
			if got := rules(out.Plan); !slices.Equal(got, c.rules) {
				t.Errorf("refused by %v, want %v: %+v", got, c.rules, out.Plan.Refusals())
			}
			if !slices.ContainsFunc(out.Plan.Refusals(), func(f planner.Finding) bool {
				return strings.Contains(f.Summary,
					c.words)
			}) {
				t.Errorf("nothing says %q: %+v", c.words, out.Plan.Refusals())
			}
			for _, l := range out.Lines {
				if !l.Reading && l.OK {
					t.Errorf("something was changed: %s %s %s", l.Server, l.Method, l.Path)
				}
			}
		})
	}
}

// TestBothPlacesOf2024x checks both pages on 2024x: one names the trust stores of the Javas, the other the server's
// keystore. The latter gets the certificates in any case; a finding says that the former are not declared.
func TestBothPlacesOf2024x(t *testing.T) {
	t.Parallel()
	e := newEncrypted("2024x")
	e.lines["b"] = nil
	p := e.open(t).plan(cars)
	var graded []string
	for _, f := range p.Findings {
		if strings.HasSuffix(f.Rule, "/tls-trust-stores") {
			graded = append(graded, string(f.Severity)+" "+f.Addr)
		}
	}
	if !slices.Equal(graded, []string{"warn server.teamwork_cloud.b"}) || len(p.Refusals()) > 0 {
		t.Errorf("%v, refused by %v", graded, p.Refusals())
	}
}

// TestLater checks what happens to encrypted servers later, and how the next plan reacts.
func TestLater(t *testing.T) {
	const conf, web = "/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf",
		"/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/webappplatform.properties"
	s := newEncrypted("2024x").open(t)
	s.apply(cars)
	a := s.env["A_URL"]
	t.Run("a firewall", func(t *testing.T) {
		s.person("block_port", "server", a, "open", "false")
		defer s.person("block_port", "server", a, "open", "true")
		p := s.plan(cars)
		f := finding(p, "tls-closed")
		if f == nil || f.Severity != planner.Refuse || !strings.Contains(f.Summary,
			"server.teamwork_cloud.b cannot reach the encrypted port of server.teamwork_cloud.a at twc.a.example:10002") {
			t.Errorf("%+v", p.Findings)
		}
	})
	for what, why := range map[string]string{"expired": "valid until", "self_signed": "CN=", "other_authority": "CN="} {
		t.Run(what, func(t *testing.T) {
			s.person("replace_certificate", "server", a, "what", what)
			p := s.apply(cars)
			if got := verbs(p, "server.teamwork_cloud.a"); got != "encrypted_port presented" {
				t.Errorf("%s", got)
			}
			if because := step(t, p, "encrypted_port").Because; !strings.HasPrefix(because, "it presents ") ||
				!strings.Contains(because, why) {
				t.Error(because)
			}
		})
	}
	t.Run("a setting is taken back", func(t *testing.T) {
		s.person("edit_file", "server", a, "path", web, "content",
			strings.Replace(s.file(a, web), "\ntwc.client.tls=true", "\ntwc.client.tls=false", 1))
		p := s.apply(cars)
		if got := verbs(p, "server.teamwork_cloud.a"); got != "settings_webappplatform_properties idle_server "+
			"stop_server start_server presented" {
			t.Error(got)
		}
		for rule, severity := range map[string]planner.Severity{"tls-readable": planner.Warn, "tls-backup": planner.Note} {
			if f := finding(p, rule); f == nil || f.Severity != severity || !strings.Contains(f.Summary, web) {
				t.Errorf("%s: %+v", rule, f)
			}
		}
	})
	t.Run("a trust store is lost", func(t *testing.T) {
		const cacerts = "/opt/java/twcloud/lib/security/cacerts"
		s.person("edit_file", "server", a, "path", web, "content",
			strings.Replace(s.file(a, web), "\ntwc.client.tls=true", "\ntwc.client.tls=false", 1))
		p := s.plan(cars)
		// what the machine trusts, or how it connects, is to change
		if got := verbs(p, "sync.teamwork_cloud.cars"); got != "secured" {
			t.Errorf("the sync: %q", got)
		}
		step(t, p, "secured").Within = planner.Duration(time.Second) // it is going to fail
		var lost sync.Once
		s.during = func(e executor.Event) {
			if e.Name == executor.EventDone && e.Step.Op == "presented" && e.Step.Addr == "server.teamwork_cloud.a" {
				lost.Do(func() { s.person("run_maintenance", "server", a, "commands", "mv "+cacerts+" "+cacerts+".away") })
			}
		}
		rep := s.carry(p, cars)
		s.during = nil
		i := slices.IndexFunc(rep.Steps, func(r executor.StepReport) bool { return r.Step.Op == "secured" })
		if why := rep.Steps[i].Why; rep.Finished || !strings.Contains(why,
			"the trust of server.teamwork_cloud.a cannot be read") || !strings.Contains(why, cacerts) {
			t.Errorf("finished %t: %s", rep.Finished, why)
		}
		if got := rules(s.plan(cars)); !slices.Equal(got, []string{"tls-store"}) {
			t.Errorf("refused by %v", got)
		}
		s.person("run_maintenance", "server", a, "commands", "mv "+cacerts+".away "+cacerts)
		s.apply(cars)
	})
	t.Run("something else is edited", func(t *testing.T) {
		s.person("edit_file", "server", a, "path", conf, "content", s.file(a, conf)+"# seen\n")
		p := s.plan(cars)
		if f := finding(p, "tls-restart"); len(p.Steps) > 0 || f == nil || f.Severity != planner.Warn ||
			!strings.Contains(f.Summary, conf) {
			t.Errorf("%s %+v", ops(p), p.Findings)
		}
	})
}

// TestChangedInBetween checks that a file which somebody changed after planning is not edited, and the run stops.
func TestChangedInBetween(t *testing.T) {
	const conf = "/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf"
	s := newEncrypted("2024x").open(t)
	p := s.plan(cars)
	a := s.env["A_URL"]
	content := s.file(a, conf) + "# by somebody\n"
	s.person("edit_file", "server", a, "path", conf, "content", content)
	rep := s.carry(p, cars)
	i := slices.IndexFunc(rep.Steps, func(r executor.StepReport) bool {
		return r.Step.Op == "settings_application_conf" && r.Step.Addr == "server.teamwork_cloud.a"
	})
	if rep.Finished || i < 0 || !strings.Contains(rep.Steps[i].Why, "file:"+conf) {
		t.Errorf("finished %t: %+v", rep.Finished, rep.Steps[i])
	}
	if got := s.file(a, conf); got != content {
		t.Errorf("the file is %q", got)
	}
}

// TestEncryptsByHand checks that without machines a person does that part, and the proof is the same.
func TestEncryptsByHand(t *testing.T) {
	for _, release := range []string{"2024x", "2024x Refresh3"} {
		t.Run(release, func(t *testing.T) {
			e := newEncrypted(release)
			e.hosts, e.hcl = "", strings.Replace(cars, "MORE", "tls = true", 1)
			for _, name := range []string{"a", "b"} {
				e.lines[name] = nil
				e.port[name] = "LOOPBACK"
				e.servers[name]["certificate"].(j)["names"] = []any{"twc." + name + ".example", "127.0.0.1"}
			}
			out := e.goes(t, drivertest.Rehearsal{})
			if got := verbs(out.Plan, "server.teamwork_cloud.a"); got != "encrypted_port by_hand presented" {
				t.Error(got)
			}
			m := step(t, out.Plan, "by_hand_").Manual
			do := strings.Join(append(slices.Clone(m.Do), m.Commands...), "\n")
			for _, want := range map[string][]string{
				"2024x": {"have the operating system of the machine trust", "twc.client.keystore.path=/opt/sync.p12", "esi.server.sync.tls-enabled = true",
					"keytool -import -keystore /opt/CATIANoMagicServices/TeamworkCloud/configuration/keystore.p12 -file acme.pem " +
						"-alias acme", `"${TWC_JAVA:?is not set}/bin/keytool" -import -cacerts -file acme.pem -alias acme`,
					`"${WEBAPP_JAVA:?is not set}/bin/keytool" -import -cacerts -file acme.pem -alias acme`},
				"2024x Refresh3": {`"${TWC_JAVA:?is not set}/bin/keytool" -import -cacerts -file acme.pem -alias acme`,
					`"${WEBAPP_JAVA:?is not set}/bin/keytool" -import -cacerts -file acme.pem -alias acme`,
					"# start the services again\nsudo systemctl stop webapp\n"},
			}[release] {
				if !strings.Contains(do, want) {
					t.Errorf("%q is missing in:\n%s", want, do)
				}
			}
			if got := configurationsOn(t, out.State, "b"); !slices.Equal(got, []string{"tls true Synchronized"}) {
				t.Errorf("configurations %v", got)
			}
		})
	}
}

// TestEncryptsWhatIsThere checks that a person checks an earlier configuration once, and creates it again if it is not
// encrypted.
func TestEncryptsWhatIsThere(t *testing.T) {
	e := newEncrypted("2024x Refresh3")
	e.add("b", "categories", j{"path": "From A"}).
		set("b", "configurations", []any{j{"source": "a", "category": "Cars", "target_category": "From A",
			"user": "syncctl"}}).
		add("b", "resources", copied(), resource("Gearbox", "From A", "read_only", true))
	out := e.goes(t, drivertest.Rehearsal{})
	if got := verbs(out.Plan, "sync.teamwork_cloud.cars"); got != "secured encrypt" {
		t.Error(got)
	}
	if got := configurationsOn(t, out.State, "b"); !slices.Equal(got, []string{"tls true Synchronized"}) {
		t.Errorf("configurations %v", got)
	}
}

// TestGate checks that services are stopped only once nobody else is logged in, and that their number is shown.
func TestGate(t *testing.T) {
	e := newEncrypted("2024x Refresh3")
	users := e.servers["a"]["users"].([]any)
	e.servers["a"]["users"] = append(users, j{"name": "ivana", "password": "geheim-ivana",
		"roles": []any{j{"role": "Resource Manager"}}})
	s := e.open(t)
	s.person("login", "server", s.env["A_URL"], "user", "ivana")
	p := s.plan(cars)
	if f := finding(p, "logged-in"); f == nil || !strings.Contains(f.Summary,
		"logged in to server.teamwork_cloud.a now: ivana") {
		t.Errorf("%+v", p.Findings)
	}
	if got := verbs(p, "server.teamwork_cloud.a"); !strings.Contains(got, "announce_server idle_server stop_server") {
		t.Error(got)
	}
	if !strings.Contains(step(t, p, "idle_server").Summary, "(1 now)") {
		t.Error(step(t, p, "idle_server").Summary)
	}
	s.apply(cars)
}

// TestEncryptionConformance checks what every driver promises, for encrypted servers.
func TestEncryptionConformance(t *testing.T) {
	t.Parallel()
	named := func(name string, e *encrypted, refused bool) drivertest.Case {
		c := e.kase(t)
		c.Name, c.Refused = name, refused
		return c
	}
	settings, mismatch := newEncrypted("2024x"), newEncrypted("2024x")
	settings.lines["a"], settings.lines["b"] = nil, nil // the case is run many times
	mismatch.path["b"] = "/opt/other.p12"
	bench := encryptedBench()
	bench.New = func(env driver.Env) driver.Driver { return alone{newBeside(env).(*beside)} }
	bench.Cases = []drivertest.Case{
		named("by settings", settings, false),
		named("refused", mismatch, true),
	}
	bench.Elsewhere = slices.Concat(share.Verbs.Names(), offload.Verbs.Names(), machine.Verbs.Names())
	bench.ImportsElsewhere = true
	drivertest.Run(t, bench)
}
