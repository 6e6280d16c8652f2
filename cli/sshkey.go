package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
	"github.com/syncctl/syncctl/signing"
)

// mostOfKey is the maximum size of a file with an SSH key, in bytes.
const mostOfKey = 1 << 20

// agentWait is the timeout of an SSH agent, which may ask its user first.
const agentWait = 2 * time.Minute

// readKey reads the private SSH key in a file, and also returns the file's text. The error is signing.ErrPublic if the
// file holds a public key.
func (c *command) readKey(ctx context.Context, name string) (*signing.Private, []byte, error) {
	text, err := schema.ReadBounded(c.app.fs, c.abs(name), mostOfKey)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the key: %w", err)
	}
	key, err := signing.ParsePrivate(text, c.askPassphrase(ctx, name))
	if err != nil {
		return nil, text, fmt.Errorf("reading the key %s: %w", name, err)
	}
	return key, text, nil
}

// askPassphrase returns a function that asks the person at the terminal for the passphrase of a key, or nil if nobody
// is there.
func (c *command) askPassphrase(ctx context.Context, name string) signing.Ask {
	if !c.app.tty.in || !c.app.tty.err || !c.mayAsk() || c.flags.json {
		return nil
	}
	return func() ([]byte, error) {
		fmt.Fprintf(c.err, "Passphrase of %s: ", schema.SanitizeLine(name))
		text, err := c.app.input.ReadHidden(ctx)
		fmt.Fprintln(c.err)
		return []byte(text), err
	}
}

// usualKeys returns the usual files of a person's SSH keys.
func (c *command) usualKeys() []string {
	home, _ := c.app.env("HOME")
	if !filepath.IsAbs(home) {
		return nil
	}
	return []string{filepath.Join(home, ".ssh", "id_ed25519"), filepath.Join(home, ".ssh", "id_rsa")}
}

// fingerprintOf returns the fingerprint of the key in a file, private or public.
func (c *command) fingerprintOf(ctx context.Context, name string) (string, error) {
	key, text, err := c.readKey(ctx, name)
	switch {
	case errors.Is(err, signing.ErrPublic):
		return signing.Fingerprint(string(text))
	case err != nil:
		return "", err
	}
	return key.Fingerprint(), nil
}

// isSigner reports whether a key is one of a site's signers.
func isSigner(s *schema.Site, fingerprint string) bool {
	return slices.ContainsFunc(s.Signers, func(line string) bool {
		print, err := signing.Fingerprint(line)
		return err == nil && print == fingerprint
	})
}

// sign signs with the SSH key in a file. If the file holds a public key, the agent signs with its private half.
func (c *command) sign(ctx context.Context, name, namespace string, content []byte) ([]byte, error) {
	key, text, err := c.readKey(ctx, name)
	if err == nil {
		signer, err := key.Signer()
		if errors.Is(err, signing.ErrLocked) {
			err = fmt.Errorf("%w: add it to an SSH agent, and name the file of its public half", err)
		}
		if err != nil {
			return nil, fmt.Errorf("unlocking the key %s: %w", name, err)
		}
		return signing.Sign(c.app.random, signer, namespace, content)
	}
	if !errors.Is(err, signing.ErrPublic) {
		return nil, err
	}
	socket, _ := c.app.env("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, fmt.Errorf("%s is a public key, and there is no SSH agent (SSH_AUTH_SOCK) with its private half",
			name)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("reaching the SSH agent: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	until := c.app.clock.Now().Add(agentWait)
	if err := conn.SetDeadline(until); err != nil {
		return nil, fmt.Errorf("reaching the SSH agent: %w", err)
	}
	signer, err := signing.FromAgent(conn, text)
	var signature []byte
	if err == nil {
		signature, err = signing.Sign(c.app.random, signer, namespace, content)
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("waiting for the SSH agent: %w", ctx.Err())
	case err != nil && !c.app.clock.Now().Before(until):
		return nil, fmt.Errorf("the SSH agent has not answered for %s: unlock it, or name the file of a private key",
			report.Length(agentWait))
	}
	return signature, err
}
