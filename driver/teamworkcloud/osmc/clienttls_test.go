package osmc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/rest"
)

// theKeystore is used as a keystore; it is a secret.
var theKeystore = []byte("\x30\x82 this stands for a keystore with a key in it")

func TestClientTLS(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString(theKeystore)
	for body, want := range map[string]*ClientTLS{
		// as in the specification's example
		fmt.Sprintf(`{"enabled":true,"port":5555,"serverKeystore":%q,"serverKeystoreName":"keystore.jks",`+
			`"serverPass":""}`, encoded): {true, 5555, theKeystore, "keystore.jks"},
		`{"enabled":false,"port":0}`:                                    {},
		`{"enabled":"true","port":"10002"}`:                             {Enabled: true, Port: 10002},
		`{"enabled":false}`:                                             {},
		`{"enabled":true,"port":10002,"serverKeystore":null}`:           {Enabled: true, Port: 10002},
		`{"enabled":true,"port":10002,"serverKeystore":"not base64 !"}`: {Enabled: true, Port: 10002},
		`{"enabled":true,"port":-1}`:                                    {Enabled: true},
		`{"port":10002}`:                                                nil,
		`{"enabled":true,"port":"here"}`:                                nil,
		`[]`:                                                            nil,
		`<html><title>Login</title></html>`:                             nil,
	} {
		got, err := answers{"/osmc/admin/tls": body}.reader(t).ClientTLS(t.Context())
		switch {
		case want == nil && err == nil:
			t.Errorf("%s: %+v is not an error", body, got)
		case want != nil && err != nil:
			t.Errorf("%s: %v", body, err)
		case want != nil && !cmp.Equal(*got, *want):
			t.Errorf("%s: %v", body, got)
		}
	}
	if _, err := (answers{"/osmc/admin/tls": "403"}).reader(t).ClientTLS(t.Context()); !NotAllowed(err) {
		t.Errorf("not allowed: %v", err)
	}
}

// TestSetClientTLS checks what is sent, that it is sent once, and that nothing secret is shown.
func TestSetClientTLS(t *testing.T) {
	const password = "geheim-store"
	encoded := base64.StdEncoding.EncodeToString(theKeystore)
	for name, status := range map[string]int{"done": http.StatusOK, "refused": http.StatusBadRequest,
		"broken": http.StatusInternalServerError} {
		t.Run(name, func(t *testing.T) {
			var sent []map[string]any
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/osmc/login" {
					w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
					w.WriteHeader(http.StatusNoContent)
					return
				}
				var body map[string]any
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPut ||
					r.URL.Path != "/osmc/admin/tls" {
					t.Errorf("%s %s: %v", r.Method, r.URL, err)
				}
				sent = append(sent, body)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, fmt.Sprintf("what you sent: %v", body)) // a server that repeats what it got
			})
			err := server.client(nil).Writer().SetClientTLS(t.Context(), ClientTLS{true, 10002, theKeystore, "sync.p12"},
				password)
			if (err == nil) != (status == http.StatusOK) {
				t.Fatal(err)
			}
			want := map[string]any{"enabled": true, "port": 10002.0, "serverKeystore": encoded,
				"serverKeystoreName": "sync.p12", "serverPass": password}
			if len(sent) != 1 || !cmp.Equal(sent[0], want) {
				t.Errorf("sent %d times: %v", len(sent), sent)
			}
			if err == nil {
				return
			}
			if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, password) || strings.Contains(text, encoded) {
				t.Errorf("a secret shows: %s", text)
			}
			if WasSent(err) == rest.SentNo {
				t.Errorf("it was sent: %v", err)
			}
		})
	}
}

// TestClientTLSHides checks that a value with a key never shows it, however it is printed.
func TestClientTLSHides(t *testing.T) {
	c := ClientTLS{true, 10002, theKeystore, "sync.p12"}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, &c), string(b)} {
		if strings.Contains(text, "this stands") || strings.Contains(text,
			base64.StdEncoding.EncodeToString(theKeystore)[:12]) || !strings.Contains(text, "10002") {
			t.Error(text)
		}
	}
}

// TestClientTLSWithoutKeystore checks that closing or moving the port does not mention a keystore.
func TestClientTLSWithoutKeystore(t *testing.T) {
	var sent map[string]any
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/osmc/login" {
			w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"enabled":false}`)
	})
	if err := server.client(nil).Writer().SetClientTLS(t.Context(), ClientTLS{Port: 10002}, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"enabled": false, "port": 10002.0}, sent); diff != "" {
		t.Error(diff)
	}
}

// TestClientTLSNeverShows checks that neither what was sent nor what was read is shown later, in whole or in pieces,
// in errors or in the log, however many cookies have been set since.
func TestClientTLSNeverShows(t *testing.T) {
	const password = "geheim-store"
	long := bytes.Repeat([]byte("a keystore that is longer than an error's answer is read; "), 2000)
	other := base64.StdEncoding.EncodeToString([]byte("another keystore, which the server has had before"))
	sent := base64.StdEncoding.EncodeToString(long)
	s := newSessions(t)
	s.renew = true
	said := ""
	s.after = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/osmc/admin/tls" && said == "" {
			_, _ = fmt.Fprintf(w, `{"enabled":true,"port":10002,"serverKeystore":%q,"serverPass":"former-store"}`, other)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, said)
	}
	c := s.client(nil)
	if _, err := c.Reader().ClientTLS(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Writer().SetClientTLS(t.Context(), ClientTLS{true, 10002, long, "sync.p12"}, password); err == nil {
		t.Fatal("it was taken")
	}
	said = "refused"
	for range 40 { // more cookies than are kept
		if err := c.Writer().SetClientTLS(t.Context(), ClientTLS{}, ""); err == nil || !strings.Contains(err.Error(), said) {
			t.Fatal(err)
		}
	}
	var texts []string
	for _, words := range []string{
		"password " + password + ", before former-store", "before " + other, "sent " + sent, "sent " + sent[100:250] + "…",
		`{"message":"` + strings.ReplaceAll(sent[33:200], "/", `\/`) + `"}`, `{"body":"` + sent, "<title>" + sent[500:900],
	} {
		said = words
		_, err := c.Reader().ClientTLS(t.Context())
		again := c.Writer().SetClientTLS(t.Context(), ClientTLS{}, "")
		if err == nil || again == nil {
			t.Fatal(err, again)
		}
		texts = append(texts, err.Error(), again.Error())
	}
	said = "sent " + sent[:60000] + " and " + password
	_, err := c.Reader().ClientTLS(t.Context())
	texts = append(texts, err.Error(), s.logged())
	for _, text := range texts {
		for _, secret := range []string{password, "former-store", other[:16], sent[:16], sent[100:116], sent[36:52],
			sent[600:616]} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows in %.600s", secret, text)
			}
		}
	}
	if !strings.Contains(strings.Join(texts, " "), "REDACTED") {
		t.Errorf("the test shows nothing: %s", texts)
	}
}

func FuzzClientTLS(f *testing.F) {
	c, err := New(Options{User: "anna", Password: "hush-hush", Rest: rest.Options{BaseURL: "https://twc.example:8111"}})
	if err != nil {
		f.Fatal(err)
	}
	read := func(n *node) (*ClientTLS, error) {
		out, err := c.parseClientTLS(n)
		c.hiding.Lock()
		defer c.hiding.Unlock()
		c.concealed = nil // values of all answers would be too many
		return out, err
	}
	fuzzed(f, read, func(t *testing.T, out *ClientTLS) {
		if out.Port < 0 || out.Keystore != nil && len(out.Keystore) == 0 {
			t.Errorf("%v", out)
		}
	}, `{"enabled":true,"port":5555,"serverKeystore":"AAEC","serverKeystoreName":"keystore.jks","serverPass":"x"}`,
		`[{"enabled":"no","port":"1"}]`)
}
