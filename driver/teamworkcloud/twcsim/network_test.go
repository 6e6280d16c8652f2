package twcsim

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// secured is two servers with certificates of one authority. The source's encrypted port is open and presents its own.
func secured(source, target string) (authorities, servers fields) {
	servers = two(source, target)
	src, dst := servers["src"].(fields), servers["dst"].(fields)
	src["certificate"] = fields{"authority": "acme", "names": []string{"src.example", "127.0.0.1"},
		"env": "SRC_CERT", "key_env": "SRC_KEY",
		"installed": fields{"password": "src-pass", "path": "/srv/keys.p12", "env": "SRC_PASS"}}
	src["env"] = fields{"url": "SRC", "plain_address": "SRC_PLAIN", "tls_address": "SRC_TLS"}
	src["machine"] = fields{}
	dst["certificate"] = fields{"authority": "acme", "env": "DST_CERT", "key_env": "DST_KEY",
		"installed": fields{"password": "src-pass", "path": "/srv/keys.p12"}}
	dst["machine"] = fields{}
	return fields{"acme": fields{"name": "ACME Root CA", "env": "ACME_CA", "intermediate": true}}, servers
}

// dial connects to a port as the sandbox does for clients.
func (x *site) dial(port string, roots string, name string) (*tls.ConnectionState, error) {
	x.t.Helper()
	// a pipe has no buffer, so both ends would wait
	socket, err := new(net.ListenConfig).Listen(x.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		x.t.Fatal(err)
	}
	defer socket.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if server, err := socket.Accept(); err == nil {
			x.Serve(x.t.Context(), port, server)
		}
	}()
	client, err := new(net.Dialer).DialContext(x.t.Context(), "tcp", socket.Addr().String())
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() {
		client.Close()
		<-done
	}()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(roots))
	conn := tls.Client(client, &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(x.t.Context()); err != nil {
		return nil, err
	}
	state := conn.ConnectionState()
	return &state, nil
}

func TestPorts(t *testing.T) {
	defer goleak.VerifyNone(t)
	x := newWorldWith(t, secured)
	if got := x.Ports(); !slices.Equal(got, []string{"dst/plain", "dst/tls", "src/plain", "src/tls"}) {
		t.Error(got)
	}
	x.SetPort("src/tls", "127.0.0.1:4001")
	x.SetPort("src/plain", "127.0.0.1:4002")
	x.SetPort("src/other", "127.0.0.1:4003")
	x.SetPort("none/tls", "127.0.0.1:4004")
	env := x.Environment("src")
	if env["SRC_TLS"] != "127.0.0.1:4001" || env["SRC_PLAIN"] != "127.0.0.1:4002" || env["SRC_PASS"] != "src-pass" {
		t.Errorf("%v", env)
	}
	for address, want := range map[string]string{"127.0.0.1:4001": "src 10002", "127.0.0.1:4002": "src 3579",
		"127.0.0.1:4003": " 4003", "127.0.0.1": " "} {
		s, port := x.ServerAt(address)
		if got := map[bool]string{true: "src", false: ""}[s != nil] + " " + port; got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
	for ask, want := range map[string]string{
		"dst src.example:10002": "src/tls", "dst SRC.example:3579": "src/plain", "src src.example:10002": "src/tls",
		"src localhost:10002": "src/tls",
		"src 127.0.0.1:3579":  "src/plain", "dst localhost:3579": "dst/plain", "dst localhost:10002": "",
		" src.example:10002": "src/tls", " localhost:3579": "",
		"dst src.example:8111": "", "dst src.example": "", "dst nobody.example:10002": "", "dst src.example:x": "",
		"other localhost:3579": "",
	} {
		machine, address, _ := strings.Cut(ask, " ")
		if got, ok := x.Resolve(machine, address); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %t", ask, got, ok)
		}
	}
	x.do("block_port", "server", "src", "open", "false")
	if _, ok := x.Resolve("dst", "src.example:10002"); ok {
		t.Error("the firewall lets it through")
	}
	if _, err := x.dial("src/tls", env["ACME_CA"], "src.example"); err == nil {
		t.Error("the firewall lets it through")
	}
	x.do("block_port", "server", "src", "open", "true")
	x.runs("src", "sudo systemctl stop twcloud")
	for _, address := range []string{"src.example:10002", "src.example:3579"} {
		if _, ok := x.Resolve("dst", address); ok {
			t.Errorf("%s: nobody is there", address)
		}
	}
	if _, err := x.dial("src/tls", env["ACME_CA"], "src.example"); err == nil {
		t.Error("nobody is there")
	}
}

func TestHandshake(t *testing.T) {
	defer goleak.VerifyNone(t)
	x := newWorldWith(t, secured)
	env := x.Environment("src")
	for _, name := range []string{"src.example", "127.0.0.1"} {
		state, err := x.dial("src/tls", env["ACME_CA"], name)
		if err != nil {
			t.Fatal(err)
		}
		leaf, _ := pem.Decode([]byte(env["SRC_CERT"]))
		if !bytes.Equal(leaf.Bytes, state.PeerCertificates[0].Raw) || len(state.PeerCertificates) != 3 {
			t.Errorf("it presents %d certificates, not those of the seed", len(state.PeerCertificates))
		}
	}
	if _, err := tls.X509KeyPair([]byte(env["SRC_CERT"]), []byte(env["SRC_KEY"])); err != nil {
		t.Error(err)
	}
	for what, want := range map[string]string{
		"expired": "expired", "wrong_name": "not src.example", "self_signed": "unknown authority",
		"no_intermediate": "unknown authority", "other_authority": "unknown authority",
	} {
		x.do("replace_certificate", "server", "src", "what", what)
		if _, err := x.dial("src/tls", env["ACME_CA"], "src.example"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	x.fails("want expired", "replace_certificate", "server", "src", "what", "better")
	x.fails("no certificate", "replace_certificate", "server", "dst", "what", "expired")
}

// TestOtherConnections checks that ports without TLS close a connection, and that connections end with their world.
func TestOtherConnections(t *testing.T) {
	defer goleak.VerifyNone(t)
	x := newWorldWith(t, secured)
	for _, port := range []string{"src/plain", "dst/tls", "none/tls", "src"} {
		client, server := net.Pipe()
		go x.Serve(t.Context(), port, server)
		_, _ = client.Write(make([]byte, 64))
		if b, err := io.ReadAll(client); err != nil || len(b) != 0 {
			t.Errorf("%s: %q %v", port, b, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		x.Serve(ctx, "src/tls", server)
		close(done)
	}()
	cancel()
	<-done
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the connection stays")
	}
	client.Close()
}

// newWorldWith returns a site of two servers and their authorities.
func newWorldWith(t testing.TB, make func(source, target string) (authorities, servers fields)) *site {
	t.Helper()
	return newSecured(t, "2024xR3", "2024xR3", make)
}

func newSecured(t testing.TB, source, target string,
	make func(source, target string) (authorities, servers fields)) *site {
	t.Helper()
	authorities, servers := make(source, target)
	return newSiteOf(t, fields{"now": "2026-03-02T08:00:00Z", "authorities": authorities, "servers": servers})
}
