package output

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/schema"
)

// TestGuarded checks that secrets are removed as soon as they are known.
func TestGuarded(t *testing.T) {
	var out bytes.Buffer
	var known *redact.Set
	r := Guard(&out, func() *redact.Set { return known })
	_, _ = io.WriteString(r, "before: canary-4711\n")
	known = redactor(t)
	_, _ = io.WriteString(r, "after: canary-4711\n")
	if want := "before: canary-4711\nafter: (sensitive value)\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestJSON checks that what is written stays JSON, whatever the secrets are.
func TestJSON(t *testing.T) {
	for secret, want := range map[string]string{
		"canary":    `{"a":"(sensitive value)"}`,
		`":"canary`: `"{\"a(sensitive value)\"}\n"`,
		"unused":    `{"a":"canary"}`,
	} {
		var out bytes.Buffer
		w := JSON(Guard(&out, func() *redact.Set { return redact.New("(sensitive value)", secret) }))
		if _, err := io.WriteString(w, `{"a":"canary"}`+"\n"); err != nil || out.String() != want+"\n" {
			t.Errorf("%q: %q, want %q, %v", secret, out.String(), want, err)
		}
	}
}

// redactor returns a set with the secret of a configuration.
func redactor(t *testing.T) *redact.Set {
	t.Helper()
	fs := afero.NewMemMapFs()
	src := "variable \"password\" {\n  sensitive = true\n  default   = \"canary-4711\"\n}\n"
	if err := afero.WriteFile(fs, "main.sync.hcl", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(string) (string, bool) { return "", false }
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fs, Dir: ".", Env: env})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg.Redactor()
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestUnread checks that a reader that is gone is remembered without an error, and that a full disk is an error.
func TestUnread(t *testing.T) {
	nothing := func() *redact.Set { return nil }
	r := Guard(failing{&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}}, nothing)
	for range 2 {
		if n, err := io.WriteString(r, "text"); n != 4 || err != nil || !r.Unread() {
			t.Errorf("%d, %v, unread: %v", n, err, r.Unread())
		}
	}
	full := Guard(failing{syscall.ENOSPC}, nothing)
	if _, err := io.WriteString(full, "text"); !errors.Is(err, syscall.ENOSPC) || full.Unread() {
		t.Errorf("%v, unread: %v", err, full.Unread())
	}
}
