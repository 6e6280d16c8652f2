package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/sandbox"
	"golang.org/x/crypto/ssh"
)

// TestIsolate checks that servers and machines that are not named cannot be connected to, and that the access log
// shows it. A command that may only reach the named ones gets the addresses of all, but nothing else about the
// others.
func TestIsolate(t *testing.T) {
	var log lockedBuffer
	s, _ := yard(t, sandbox.Options{AccessLog: &log, Person: true})
	all := s.Environment()
	s.Isolate([]string{"a"})
	if status, _, err := post(t.Context(), client(t, s), address(t, s, "a")); err != nil || status != 201 {
		t.Errorf("a: %d, %v", status, err)
	}
	if _, _, err := post(t.Context(), client(t, s), address(t, s, "b")); err == nil {
		t.Error("b answers")
	}
	if c, err := tryLogin(t, s, "far", func(*ssh.ClientConfig) {}); err == nil {
		_ = c.Close()
		t.Error("far lets somebody in")
	}
	cut := map[string]bool{}
	for _, l := range log.lines(t) {
		if l.Fault != "" {
			cut[l.Server] = l.Fault == string(sandbox.Cut) && l.Method == sandbox.MethodConnect && !l.CarriedOut && !l.OK
		}
	}
	if len(cut) != 2 || !cut["b"] || !cut["far"] {
		t.Errorf("%+v", log.lines(t))
	}
	s.Isolate(s.NamesAt(nil))
	if _, _, err := post(t.Context(), client(t, s), address(t, s, "a")); err == nil {
		t.Error("a answers who reaches nothing")
	}
	s.Isolate(nil)
	if _, _, err := post(t.Context(), client(t, s), address(t, s, "b")); err != nil {
		t.Errorf("b again: %v", err)
	}

	if err := s.WriteCA(afero.NewMemMapFs(), "/ca.pem"); err != nil {
		t.Fatal(err)
	}
	env := s.EnvironmentOf([]string{"b"})
	if env["b_URL"] != all["b_URL"] || env["a_URL"] != all["a_URL"] || env["far_SSH"] != all["far_SSH"] {
		t.Errorf("not all addresses are there: %v", env)
	}
	if env["KEY"] != "" || all["KEY"] == "" {
		t.Error("the key of the machines is there")
	}
	names := s.NamesAt(strings.Split(env[sandbox.EnvAddresses], ","))
	if !slices.Equal(names, []string{"b"}) || env[sandbox.EnvPerson] == "" {
		t.Errorf("reached are %q", names)
	}
}
