package twcsim

import (
	"crypto/x509"
	"encoding/pem"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/settings"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func pemOf(text string) ([]byte, bool) {
	b, _ := pem.Decode([]byte(text))
	return b.Bytes, b != nil
}

// trusting has every Java of the target trust the authority, and opens the target's encrypted port.
func trusting(source, target string) (authorities, servers fields) {
	authorities, servers = secured(source, target)
	stores := fields{}
	for _, name := range []string{state.ServerJava, state.PagesJava} {
		stores[path.Join(name, state.Cacerts)] = []string{"acme"}
	}
	dst := servers["dst"].(fields)
	dst["machine"], dst["tls"] = fields{"trusted": stores}, true
	return authorities, servers
}

// bySettings sets both ends as the page of 2024x says, and has the target's keystore trust the authority.
func bySettings(source, target string) (authorities, servers fields) {
	authorities, servers = trusting(source, target)
	for name, store := range map[string]string{"src": "",
		"dst": "/opt/CATIANoMagicServices/TeamworkCloud/configuration/keystore.p12"} {
		if strings.HasPrefix(source, "2021") {
			break
		}
		s := servers[name].(fields)
		m := fields{"files": fields{
			"/opt/TeamworkCloud/configuration/application.conf":                      "esi.server.sync.tls-enabled = true\n",
			"/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf": "esi.server.sync { tls-enabled : on }\n",
			"/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/webappplatform.properties": "twc.client.tls=true\ntwc.client.port=10002\n" +
				"twc.client.keystore.type=PKCS12\ntwc.client.keystore.path=/srv/keys.p12\ntwc.client.keystore.password=src-pass\n",
		}}
		if store != "" {
			m["trusted"] = fields{store: []string{"acme"}}
		}
		s["machine"] = m
	}
	return authorities, servers
}

func (x *site) encrypted(item string) string {
	x.t.Helper()
	more := []string{"source_address", "src.example:10002"}
	if x.Named["dst"].Release.Switches() {
		more = append(more, "tls", "true")
	}
	x.configure(item, state.EveryCommit, more...)
	x.pass(1)
	return x.status("dst")
}

func TestEncryptedSynchronization(t *testing.T) {
	for _, version := range []string{"2024xR1", "2024xR3", "2026x"} {
		if got := newSecured(t, version, version, trusting).encrypted("Gears"); got != state.Synchronized {
			t.Errorf("%s: %s", version, got)
		}
		x := newSecured(t, version, version, trusting)
		s := x.Named["dst"]
		for _, name := range []string{s.Desk.At.PagesTrust, s.Desk.At.ServerTrust} {
			ship, _ := keystore.AsShipped()
			y := newSecured(t, version, version, trusting)
			if err := y.Named["dst"].Desk.Write(name, ship.P12); err != nil {
				t.Fatal(err)
			}
			y.runs("dst", "sudo systemctl restart twcloud webapp")
			y.pass(1)
			if got := y.encrypted("Gears"); !strings.Contains(got, "unable to find valid certification path") {
				t.Errorf("%s: without %s: %s", version, name, got)
			}
		}
	}
	if got := newSecured(t, "2024xR3", "2024xR3", secured).encrypted("Gears"); !strings.HasPrefix(got,
		state.InError+": TLS handshake with src.example failed") {
		t.Errorf("nobody trusts it: %s", got)
	}
	if got := newSecured(t, "2024x", "2024x", bySettings).encrypted("Gears"); got != state.Synchronized {
		t.Errorf("2024x: %s", got)
	}
}

// TestTrustIsReadAtTheStart checks that changes on disk count only once the services have read them.
func TestTrustIsReadAtTheStart(t *testing.T) {
	x := newSecured(t, "2024xR3", "2024xR3", secured)
	x.do("configure_encryption", "server", "dst", "trust", "alias acme\n"+x.Environment("src")["ACME_CA"])
	if got := x.encrypted("Gears"); !strings.HasPrefix(got, state.InError) {
		t.Error(got)
	}
	for _, unit := range []string{"twcloud", "webapp"} {
		x.runs("dst", "sudo systemctl restart "+unit)
		x.pass(2)
		if got := x.status("dst"); strings.HasPrefix(got, state.InError) != (unit == "twcloud") {
			t.Errorf("after the restart of %s: %s", unit, got)
		}
	}
}

func TestCertificatesThatNobodyTrusts(t *testing.T) {
	for what, want := range map[string]string{
		"expired": "has expired or is not yet valid", "wrong_name": "elsewhere.example",
		"self_signed": "unknown authority", "no_intermediate": "unknown authority",
		"other_authority": "unknown authority",
	} {
		x := newSecured(t, "2024xR3", "2024xR3", trusting)
		if got := x.encrypted("Gears"); got != state.Synchronized {
			t.Fatal(got)
		}
		x.do("replace_certificate", "server", "src", "what", what)
		x.pass(1)
		got := x.status("dst")
		if !strings.HasPrefix(got, state.InError) || !strings.Contains(got, want) {
			t.Errorf("%s: %s", what, got)
		}
		before := x.dump()
		x.pass(3)
		if after := x.dump(); after != before || strings.Contains(got, "20") && what == "expired" {
			t.Errorf("%s: it changes by itself, or tells a date:\n%s\n%s", what, before, after)
		}
	}
	x := newSecured(t, "2024xR3", "2024xR3", func(source, target string) (fields, fields) {
		a, servers := trusting(source, target)
		servers["src"].(fields)["certificate"].(fields)["days"] = -1
		return a, servers
	})
	if got := x.encrypted("Gears"); !strings.Contains(got, "has expired") {
		t.Errorf("expired from the start: %s", got)
	}
}

func TestSettingsOf2024x(t *testing.T) {
	pages := "/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/webappplatform.properties"
	conf := "/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf"
	for name, tt := range map[string]struct{ server, file, old, new, want string }{
		"another type": {"dst", pages, "PKCS12", "JKS", machine.SetType + " differs"},
		"another path": {"src", pages, "/srv/keys.p12",
			"/opt/CATIANoMagicServices/TeamworkCloud/configuration/../../../../srv/keys.p12", machine.SetPath + " differs"},
		"an encrypted value":   {"dst", pages, "=src-pass", "=ENC(abc)", ""},
		"not in application":   {"src", conf, ": on", ": off", machine.SetSyncTLS + " is not true on src"},
		"not in application 2": {"dst", conf, "tls-enabled", "tls", machine.SetSyncTLS + " is not true on dst"},
	} {
		x := newSecured(t, "2024x", "2024x", bySettings)
		content := strings.Replace(x.runs(tt.server, "cat "+tt.file), tt.old, tt.new, 1)
		x.do("edit_file", "server", tt.server, "path", tt.file, "content", content)
		x.runs(tt.server, "sudo systemctl restart twcloud webapp")
		x.pass(2)
		got := x.encrypted("Gears")
		if want := state.InError + ": " + tt.want; tt.want != "" && !strings.HasPrefix(got, want) || tt.want == "" &&
			got != state.Synchronized {
			t.Errorf("%s: %s", name, got)
		}
	}
	x := newSecured(t, "2024x", "2024x", bySettings)
	x.fails("no switch", "create_configuration",
		append(x.wizard("Gears", state.EveryCommit), "tls", "true", "source_address", "src.example:10002")...)
	// port 3579 is not encrypted
	x.fails("could not connect", "create_configuration", x.wizard("Gears", state.EveryCommit)...)
	x.do("create_configuration", append(x.wizard("Gears", state.EveryCommit), "source_address", "src.example")...)
	if c := x.Named["dst"].Configurations[0]; !c.TLS || c.Port != 10002 {
		t.Errorf("%t %d", c.TLS, c.Port)
	}
	// The trap described in the seed: without a port the target's own is used for the source.
	x = newSecured(t, "2024x", "2024x", func(source, target string) (fields, fields) {
		a, servers := bySettings(source, target)
		src := servers["src"].(fields)
		src["ports"] = fields{"tls": 10443}
		files := src["machine"].(fields)["files"].(fields)
		files[pages] = strings.Replace(files[pages].(string), "10002", "10443", 1)
		return a, servers
	})
	x.fails("could not connect to src.example, port 10002, encrypted: true", "create_configuration",
		append(x.wizard("Gears", state.EveryCommit), "source_address", "src.example")...)
	x.do("create_configuration", append(x.wizard("Gears", state.EveryCommit), "source_address", "src.example:10443")...)
}

// TestPagesNeedTheClientPort checks that the pages are unavailable if the web application cannot connect to Teamwork
// Cloud.
func TestPagesNeedTheClientPort(t *testing.T) {
	good := "twc.client.tls=true\ntwc.client.port=10002\ntwc.client.keystore.type=PKCS12\n" +
		"twc.client.keystore.path=/srv/keys.p12\ntwc.client.keystore.password=src-pass\n"
	for name, tt := range map[string]struct{ content, want string }{
		"good":                {good, ""},
		"encrypted password":  {strings.Replace(good, "src-pass", "ENC(x)", 1), ""},
		"no type":             {strings.Replace(good, "twc.client.keystore.type=PKCS12\n", "", 1), ""},
		"a wrong password":    {strings.Replace(good, "src-pass", "other", 1), "password was incorrect"},
		"no such keystore":    {strings.Replace(good, "/srv/keys", "/srv/none", 1), "there is no keystore /srv/none.p12"},
		"no such type":        {strings.Replace(good, "PKCS12", "BKS", 1), "there is no keystore type BKS"},
		"no keystore":         {strings.Replace(good, "/srv/keys.p12", "/etc/twcloud/twcloud-env", 1), "cannot be opened"},
		"the plain port":      {strings.Replace(good, "10002", "3579", 1), "the encrypted port is 10002"},
		"no port":             {strings.Replace(good, "twc.client.port=10002\n", "", 1), "the encrypted port is 10002"},
		"a port without TLS":  {"twc.client.port=10002\n", "do not encrypt is 3579"},
		"nothing":             {"", ""},
		"TLS is off":          {"twc.client.tls=false\n", ""},
		"commented, no TLS":   {"#twc.client.tls=true\ntwc.client.port=3579\n", ""},
		"a port that is none": {"twc.client.port=x\n", "twc.client.port is x"},
	} {
		t.Logf("case %s", name)
		x := newSecured(t, "2024xR3", "2024xR3", trusting)
		pages := x.Named["src"].Desk.At.Pages
		x.do("edit_file", "server", "src", "path", pages, "content", tt.content)
		x.do("rename", "server", "src", "resource", "Gears", "name", "Gears")
		x.runs("src", "sudo systemctl restart webapp")
		if tt.want == "" {
			x.do("rename", "server", "src", "resource", "Gears", "name", "Gears")
		} else {
			x.fails(tt.want, "rename", "server", "src", "resource", "Gears", "name", "Gears")
		}
	}
	x := newSecured(t, "2024xR3", "2024xR3", trusting)
	x.do("configure_encryption", "server", "src", "properties", good, "restart", "true")
	x.pass(1)
	x.do("rename", "server", "src", "resource", "Gears", "name", "Gears")
	x.Named["src"].TLS = false
	x.fails("the encrypted port is not open", "rename", "server", "src", "resource", "Gears", "name", "Gears")
}

func TestConfigureEncryption(t *testing.T) {
	x := newSecured(t, "2024xR3", "2024xR3", secured)
	s := x.Named["dst"]
	values := []string{"server", "dst", "properties",
		"twc.client.port=10002\ntwc.client.tls=true\ntwc.client.keystore.type=PKCS12\ntwc.client.keystore.path=/srv/keys.p12",
		"appended", machine.SetSyncTLS + " = true", "trust", "alias acme\n" + x.Environment("src")["ACME_CA"] +
			"alias again\n" + x.Environment("src")["ACME_CA"]}
	x.do("configure_encryption", values...)
	first := x.dump()
	pages, _ := s.Desk.Read(s.Desk.At.Pages)
	x.do("configure_encryption", values...)
	if x.dump() != first {
		t.Errorf("it does something twice:\n%s\n%s", first, x.dump())
	}
	v, err := settings.Properties(pages)
	if err != nil || !machine.Encrypted(v[machine.SetPassword]) || v[machine.SetPort] != "10002" ||
		v[machine.SetTLS] != "true" || v["mail.port"] != "25" {
		t.Errorf("%q %v", v, err)
	}
	conf, _ := s.Desk.Read(s.Desk.At.Conf)
	if c, err := settings.HOCON(conf); err != nil || c[machine.SetSyncTLS] != "true" ||
		strings.Count(string(conf), machine.SetSyncTLS) != 1 {
		t.Errorf("%v\n%s", err, conf)
	}
	for _, name := range []string{s.Desk.At.ServerTrust, s.Desk.At.PagesTrust} {
		data, _ := s.Desk.Read(name)
		if got, _ := keystore.AliasesIn(data); !slices.Equal(got, []string{"acme", "again", keystore.PublicAlias}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if machine.PagesEncrypt(s.Services.Pages) || s.Services.Server.SyncTLS {
		t.Error("it was read before the services were started again")
	}
	x.do("configure_encryption", "server", "dst", "restart", "true")
	if !machine.PagesEncrypt(s.Services.Pages) || !s.Services.Server.SyncTLS || machine.Answers(s, x.Now) {
		t.Error("the services were not started again")
	}
	for want, bad := range map[string][]string{
		"not of the form key=value": {"properties", "twc.client.tls"}, "want lines of alias NAME": {"trust", "acme"},
		"want true or false": {"restart", "soon"},
	} {
		x.fails(want, "configure_encryption", append([]string{"server", "dst"}, bad...)...)
	}
}

func TestEncryptConfiguration(t *testing.T) {
	x := newSecured(t, "2024xR3", "2024xR3", trusting)
	x.configure("Gears", state.EveryCommit)
	x.pass(1)
	values := append(x.wizard("Gears", state.EveryCommit), "source_address", "src.example:10002", "tls", "true")
	x.fails("shows reader no resource", "encrypt_configuration",
		append(slices.Clone(values), "item_name", "", "kind", state.KindResource, "item", x.idOf("src", "Gears"),
			"username", "reader", "item", "nothing")...)
	// and the old one stays
	x.fails("want every_commit", "encrypt_configuration", append(slices.Clone(values), "trigger", "never")...)
	x.fails("could not connect", "encrypt_configuration",
		append(slices.Clone(values), "source_address", "src.example:3579")...)
	x.do("encrypt_configuration", values...)
	list := x.Named["dst"].Configurations
	if len(list) != 1 || !list[0].TLS || list[0].Port != 10002 {
		t.Fatalf("%+v", list)
	}
	x.do("commit", "server", "src", "resource", "Gears")
	x.pass(1)
	if got := x.status("dst"); got != state.Synchronized || len(x.Named["dst"].Resource("Gears").Revisions) != 4 {
		t.Error(got)
	}
	before := x.dump()
	if got := x.do("encrypt_configuration", values...); !strings.Contains(got, "is encrypted") || x.dump() != before {
		t.Errorf("%s", got)
	}
	x.do("encrypt_configuration", append(x.wizard("Engine", state.EveryCommit), "source_address",
		"src.example:10002", "tls", "true")...)
	if len(x.Named["dst"].Configurations) != 2 {
		t.Error("none was made where there was none")
	}
	// In 2024x a configuration cannot be replaced without deleting what it has copied.
	old := newSecured(t, "2024x", "2024x", bySettings)
	old.Named["dst"].Services.Pages.Values = maps.Clone(old.Named["dst"].Services.Pages.Values)
	delete(old.Named["dst"].Services.Pages.Values, machine.SetTLS)
	old.Named["dst"].Services.Pages.Values[machine.SetPort] = "3579"
	old.configure("Gears", state.EveryCommit)
	old.pass(1)
	old.runs("dst", "sudo systemctl restart webapp")
	old.fails("without deleting its copies", "encrypt_configuration",
		append(old.wizard("Gears", state.EveryCommit), "source_address", "src.example:10002")...)
}

func TestCertificatesOfSeeds(t *testing.T) {
	x := newSecured(t, "2024xR3", "2024xR3", func(source, target string) (fields, fields) {
		a, servers := secured(source, target)
		servers["dst"].(fields)["certificate"] = fields{"key_type": "rsa", "env": "DST_CERT", "key_env": "DST_KEY",
			"names": []string{"dst.example", "10.1.2.3"}}
		return a, servers
	})
	env := x.Environment("dst")
	der, ok := pemOf(env["DST_CERT"])
	c, err := x509.ParseCertificate(der)
	if !ok || err != nil || c.PublicKeyAlgorithm != x509.RSA || c.Issuer.String() != c.Subject.String() ||
		c.VerifyHostname("10.1.2.3") != nil || c.VerifyHostname("dst.example") != nil {
		t.Errorf("%+v %v", c, err)
	}
	if data := x.runs("src", "cat /srv/keys.p12"); !state.IsKeystore("", []byte(data)) {
		t.Error("nothing is installed")
	}
	again := newSecured(t, "2024xR3", "2024xR3",
		func(source, target string) (fields, fields) { return secured(source, target) })
	if again.Environment("src")["SRC_CERT"] == x.Environment("src")["SRC_CERT"] {
		t.Error("two worlds have one certificate")
	}
	if y := newSecured(t, "2024xR3", "2024xR3", secured); y.dump() != again.dump() {
		t.Errorf("the states differ:\n%s\n%s", y.dump(), again.dump())
	}
	for _, secret := range []string{"src-pass", "PRIVATE", "BEGIN"} {
		if strings.Contains(again.dump(), secret) {
			t.Errorf("the state has %s", secret)
		}
	}
	for seed, want := range map[string]string{
		one(`"certificate": {"authority": "acme"}`): `certificate: authority: there is no ` +
			`"acme"`,
		one(`"certificate": {"key_type": "dsa"}`):                              `key_type: "dsa" is not one of ec, rsa`,
		one(`"certificate": {"days": 0}`):                                      "days: there is none",
		one(`"certificate": {"days": 9999}`):                                   "days: 9999 is not between",
		one(`"certificate": {"names": ["a b"]}`):                               `names: "a b" is neither`,
		one(`"certificate": {"installed": {}}`):                                "certificate.installed: needs a password",
		one(`"certificate": {"installed": {"password": "x", "path": "keys"}}`): `path: "keys" is not an absolute path`,
		one(`"machine": {"trusted": {"/none": ["acme"]}}`): "machine.trusted: /none: there is no " +
			"such file",
		one(`"machine": {"trusted": {"` + state.ServerJava + "/" + state.Cacerts +
			`": ["a"]}}`): `authority: there is no "a"`,
		`{"authorities": {"a": null}, "servers": {"a": {"version": "2024x"}}}`: "authorities.a: is null",
	} {
		refused(t, seed, want)
	}
}
