package cli

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/signing"
)

// longAgo is a clock by which every time limit is over at once.
type longAgo struct {
	systemClock

	now time.Time
}

func (c *longAgo) Now() time.Time {
	c.now = c.now.Add(time.Hour)
	return c.now
}

// TestSilentAgent: an SSH agent that never answers is given up, at its time or when the command is interrupted.
func TestSilentAgent(t *testing.T) {
	dir, err := os.MkdirTemp("", "a") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // nobody accepts: connections are taken, and nothing is said
	_, line, err := signing.Generate(rand.Reader, "me")
	if err != nil {
		t.Fatal(err)
	}
	public := filepath.Join(dir, "key.pub")
	if err := os.WriteFile(public, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &command{app: &app{fs: afero.NewOsFs(), cwd: dir, clock: &longAgo{now: time.Unix(1, 0)}, random: rand.Reader,
		env: func(name string) (string, bool) { return l.Addr().String(), name == "SSH_AUTH_SOCK" }}}
	if _, err := c.sign(t.Context(), public, "x@y", nil); err == nil || !strings.Contains(err.Error(), "2m") {
		t.Errorf("at its time: %v", err)
	}
	c.app.clock = systemClock{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.sign(ctx, public, "x@y", nil); err == nil {
		t.Error("interrupted: it has signed")
	}
}
