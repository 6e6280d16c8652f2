package twcsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/rest"
)

type tlsAnswer struct {
	Enabled            bool
	Port               int
	ServerKeystore     string
	ServerKeystoreName string
	ServerPass         string
}

// keystores returns one of each kind, in base64, with the password secret.
func keystores(t *testing.T) (p12, old string) {
	t.Helper()
	_, p := issueFor(t, true, "a.example")
	data, err := keystore.Write("server", "secret", p.Key, p.Chain)
	if err != nil {
		t.Fatal(err)
	}
	ks := jks.New()
	entries, err := keystore.Open(data, "secret")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pemOf(p.KeyInPEM())
	e := jks.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: block}
	for _, c := range entries[0].Chain {
		e.CertificateChain = append(e.CertificateChain, jks.Certificate{Type: "X.509", Content: c.Raw})
	}
	if err := ks.SetPrivateKeyEntry("server", e, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := ks.Store(&b, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(data), base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestClientTLS(t *testing.T) {
	p12, old := keystores(t)
	g := serve(t, plant, `"tls": true`, `"tls": false`)
	get := func(want tlsAnswer) {
		t.Helper()
		var got tlsAnswer
		decode(t, g.status("/osmc/admin/tls", 200).body, &got)
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	set := func(method, body string, want tlsAnswer) {
		t.Helper()
		a := g.send(method, "/osmc/admin/tls", rest.TypeJSON, body)
		var got tlsAnswer
		if a.StatusCode == 200 {
			decode(t, a.body, &got)
		}
		if got != want {
			t.Errorf("%s %.60s: %d, %+v", method, body, a.StatusCode, got)
		}
		get(want)
	}
	get(tlsAnswer{Port: 10002})
	set("PUT", `{"enabled": true, "port": 10443, "serverKeystore": "`+p12+
		`", "serverKeystoreName": "keystore.p12", "serverPass": "secret"}`,
		tlsAnswer{true, 10443, p12, "keystore.p12", ""})
	if h := g.status("/osmc/admin/health", 200).body; !strings.Contains(h, `"communicationSSLClientPort":10443`) {
		t.Error(h)
	}
	state, _ := json.Marshal(g.w.State())
	if !strings.Contains(string(state), `"client_tls":{"certificate":{"issuer":"CN=Acme CA Intermediate,O=syncctl `+
		`sandbox","names":["a.example"],"subject":"CN=a.example"},"enabled":true,"port":10443}`) {
		t.Errorf("%s", state)
	}
	set("PATCH", `{"port": 10444}`, tlsAnswer{true, 10444, p12, "keystore.p12", ""})
	set("PATCH", `{"enabled": false}`, tlsAnswer{false, 10444, p12, "keystore.p12", ""})
	set("PUT", `{"enabled": true, "port": 10002}`, tlsAnswer{true, 10002, p12, "keystore.p12", ""})
	set("PATCH", `{"serverKeystore": "`+old+`", "serverKeystoreName": "keystore.jks", "serverPass": "secret"}`,
		tlsAnswer{true, 10002, old, "keystore.jks", ""})
}

func TestClientTLSRefusals(t *testing.T) {
	p12, _ := keystores(t)
	ship, err := keystore.AsShipped()
	if err != nil {
		t.Fatal(err)
	}
	trust := base64.StdEncoding.EncodeToString(ship.Jks)
	named := `, "serverKeystoreName": "k"`
	g := serve(t, plant, `"tls": true`, `"tls": false, "licences": 100`)
	for body, want := range map[string]string{
		`{"port": 10002}`: "enabled", `{"enabled": true, "port": 10002}`: "no keystore",
		`{"enabled": "yes", "port": 10002}`:  "want bool",
		`{"enabled": true, "port": 10002.5}`: "want int", `{"enabled": true, "port": 0, "serverKeystore": "` + p12 +
			`", "serverPass": "secret"` + named + `}`: "port 0",
		`{"enabled": true, "port": 65536, "serverKeystore": "` + p12 + `", "serverPass": "secret"` + named +
			`}`: "port 65536",
		`{"enabled": true, "port": 3579, "serverKeystore": "` + p12 + `", "serverPass": "secret"` + named +
			`}`: "port 3579",
		`{"enabled": true, "port": 10002, "serverKeystore": "` + p12 + `", "serverPass": "wrong"` + named +
			`}`: "password was incorrect",
		`{"enabled": true, "port": 10002, "serverKeystore": "` + p12 + `"` + named +
			`}`: "password was incorrect",
		`{"enabled": true, "port": 10002, "serverKeystore": "` + trust + `", "serverPass": "changeit"` + named +
			`}`: "no key with a certificate",
		`{"enabled": true, "port": 10002, "serverKeystore": "?", "serverPass": "secret"` + named + `}`:        "not Base64",
		`{"enabled": true, "port": 10002, "serverKeystore": "aGVsbG8=", "serverPass": "secret"` + named + `}`: "no PKCS#12",
		`{"enabled": true, "port": 10002, "keystore": ""}`: "unknown " +
			"member", `[]`: "want an object", ``: "ends too early",
	} {
		a := g.send("PUT", "/osmc/admin/tls", rest.TypeJSON, body)
		if a.StatusCode != 400 || !strings.Contains(a.body, want) {
			t.Errorf("%.80s: %d %s, want %s", body, a.StatusCode, a.body, want)
		}
	}
	if a := g.send("PATCH", "/osmc/admin/tls", rest.TypeJSON, `{"enabled": true}`); a.StatusCode != 400 {
		t.Errorf("PATCH without a keystore: %d", a.StatusCode)
	}
	if a := g.send("PUT", "/osmc/admin/tls", rest.TypeText, `{}`); a.StatusCode != 415 {
		t.Errorf("text: %d", a.StatusCode)
	}
	if a := g.send("POST", "/osmc/admin/tls", rest.TypeJSON, `{}`); a.StatusCode != 405 ||
		a.Header.Get("Allow") != "GET, PATCH, PUT" {
		t.Errorf("POST: %d %s", a.StatusCode, a.Header.Get("Allow"))
	}
	reader := g.as(basic("reader"))
	for _, method := range []string{"GET", "PUT", "PATCH"} {
		if a := reader.send(method, "/osmc/admin/tls", rest.TypeJSON,
			`{"enabled": true, "port": 1}`); a.StatusCode != 403 || !strings.Contains(a.body, "Configure Server") {
			t.Errorf("%s: %d %s", method, a.StatusCode, a.body)
		}
	}
	if s := g.w.Named["prod"]; s.TLS || s.Presents != nil || s.TLSPort != 10002 {
		t.Errorf("something has changed: %t %d", s.TLS, s.TLSPort)
	}
}
