package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/syncctl/syncctl/signing"
	"golang.org/x/crypto/ssh"
)

// person is somebody with an SSH key.
type person struct {
	raw  any
	text []byte // of the private key's file
	line string // of authorized_keys
}

func newPerson(raw crypto.PrivateKey) *person {
	block, err := ssh.MarshalPrivateKey(raw, "")
	signer, err2 := ssh.NewSignerFromKey(raw)
	if err := errors.Join(err, err2); err != nil {
		panic(err)
	}
	return &person{raw: raw, text: pem.EncodeToMemory(block),
		line: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))}
}

// edPerson has the key that a seed gives.
func edPerson(seed byte) *person {
	return newPerson(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
}

var ada, eve = edPerson('a'), edPerson('e')

var bob = sync.OnceValue(func() *person {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return newPerson(key)
})

func (p *person) key(t testing.TB) *signing.Private {
	t.Helper()
	key, err := signing.ParsePrivate(p.text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *person) sign(manifest []byte) ([]byte, error) {
	signer, err := ssh.NewSignerFromKey(p.raw)
	if err != nil {
		return nil, err
	}
	return signing.Sign(rand.Reader, signer, Namespace, manifest)
}

// first is the manifest of acme's first bundle.
func first() Manifest {
	return Manifest{From: "acme", Number: 1, Plan: strings.Repeat("0", 64), Configuration: strings.Repeat("1", 64),
		Created: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
}

func text(name, content string) Source {
	return Source{Name: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// sent is a bundle of acme's for globex.
func sent(t testing.TB, from, to *person, m Manifest, parts ...Source) []byte {
	t.Helper()
	var b bytes.Buffer
	globex := []Receiver{{Site: "globex", Keys: []string{to.line}}}
	if _, err := Write(t.Context(), &b, m, globex, parts, from.sign); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// receiver is how globex reads.
func receiver(t testing.TB, to *person, from ...*person) Options {
	t.Helper()
	return Options{Keys: []*signing.Private{to.key(t)}, Limits: DefaultLimits, Site: "globex",
		Signers: func(site string) []string {
			if site != "acme" {
				return nil
			}
			var lines []string
			for _, f := range from {
				lines = append(lines, f.line)
			}
			return lines
		}}
}

// collect keeps the parts of what is read.
func collect(o *Options) map[string]*bytes.Buffer {
	parts := map[string]*bytes.Buffer{}
	o.Part = func(name string, _ int64) (io.WriteCloser, error) {
		parts[name] = &bytes.Buffer{}
		return nopCloser{parts[name]}, nil
	}
	return parts
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// TestBothWays: what was sent is what is received, with every type of key that people have.
func TestBothWays(t *testing.T) {
	for name, c := range map[string]struct{ from, to *person }{
		"ed25519": {ada, eve}, "rsa": {bob(), bob()}, "to rsa": {ada, bob()}, "from rsa": {bob(), ada},
	} {
		m := first()
		m.Received = []Receipt{{Site: "globex", Number: 7, ID: strings.Repeat("a", 64)}}
		file := sent(t, c.from, c.to, m, text("plan.json", "{}"), text("files/ü/empty", ""),
			text("files/"+strings.Repeat("long", 60), "x"))
		o := receiver(t, c.to, eve, c.from)
		parts := collect(&o)
		b, err := Read(t.Context(), bytes.NewReader(file), o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b.From != "acme" || b.Number != 1 || len(b.Parts) != 3 || len(parts) != 3 || parts["plan.json"].String() != "{}" ||
			b.Received[0].Number != 7 || b.ID != ID(b.Text) || !b.Created.Equal(m.Created) {
			t.Errorf("%s: %+v, %v", name, b.Manifest, parts)
		}
		if want, _ := signing.Fingerprint(c.from.line); b.Signer != want {
			t.Errorf("%s: signed by %s, want %s", name, b.Signer, want)
		}
	}
}

// TestOtherPrograms: age opens a bundle, ssh-keygen verifies what is in it, and a bundle that is put together by hand,
// with tar, ssh-keygen and age, is read.
func TestOtherPrograms(t *testing.T) {
	for name, to := range map[string]*person{"ed25519": eve, "rsa": bob()} {
		file := sent(t, ada, to, first(), text("plan.json", "{}"))
		id, err := agessh.ParseIdentity(to.text)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := age.Decrypt(bytes.NewReader(file), id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		content := map[string]string{}
		var order []string
		for archive := tar.NewReader(plain); ; {
			h, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			b, err2 := io.ReadAll(archive)
			if err := errors.Join(err, err2); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			content[h.Name] = string(b)
			order = append(order, h.Name)
		}
		if got := strings.Join(order, " "); got != "plan.json manifest.json manifest.json.sig" {
			t.Errorf("%s: %s", name, got)
		}
		byHand(t, ada, to, content)
	}
}

// byHand verifies the signature with ssh-keygen, makes one with it, and makes a bundle with tar, where they are
// installed; .ci/run does the same with the program age.
func byHand(t *testing.T, from, to *person, content map[string]string) {
	t.Helper()
	keygen, err := exec.LookPath("ssh-keygen")
	archiver, err2 := exec.LookPath("tar")
	if errors.Join(err, err2) != nil {
		t.Log("ssh-keygen or tar is not installed here")
		return
	}
	dir := t.TempDir()
	content["allowed"], content["key"] = "acme "+from.line+"\n", string(from.text)
	for name, c := range content {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(stdin, program string, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v", program, args, err)
		}
		return out
	}
	run(content[manifestName], keygen, "-Y", "verify", "-f", "allowed", "-I", "acme", "-n", Namespace, "-s", signatureName)
	if err := os.Remove(filepath.Join(dir, signatureName)); err != nil {
		t.Fatal(err)
	}
	run("", keygen, "-Y", "sign", "-f", "key", "-n", Namespace, manifestName)
	b, err := Read(t.Context(), sealed(t, to, run("", archiver, "-cf", "-", "plan.json", manifestName, signatureName)),
		receiver(t, to, from))
	if err != nil || len(b.Parts) != 1 {
		t.Errorf("made by hand: %v", err)
	}
}

// sealed encrypts to somebody.
func sealed(t testing.TB, to *person, plain []byte) io.Reader {
	t.Helper()
	recipient, err := agessh.ParseRecipient(to.line)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipient)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(plain)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return &b
}

// TestChangedAnywhere: a bundle that was cut short, that has a byte changed, or more than it had, is refused, wherever
// it happened. It spans three of age's chunks, so that there are middle ones.
func TestChangedAnywhere(t *testing.T) {
	file := sent(t, ada, eve, first(), text("a", strings.Repeat("a", 70_000)), text("b", strings.Repeat("b", 60_000)))
	o := receiver(t, eve, ada)
	step := 1
	for at := 0; at < len(file); at += step {
		if at > 400 { // the header is looked at byte by byte
			step = 4099
		}
		for how, c := range map[string][]byte{
			"cut":     file[:at],
			"changed": append(append(bytes.Clone(file[:at]), file[at]^1), file[at+1:]...),
			"longer":  append(append(bytes.Clone(file[:at]), 'x'), file[at:]...),
			"shorter": append(bytes.Clone(file[:at]), file[at+1:]...),
		} {
			var refusal *Refusal
			if _, err := Read(t.Context(), bytes.NewReader(c), o); !errors.As(err, &refusal) {
				t.Fatalf("%s at %d: %v", how, at, err)
			}
			wrong := how == "cut" && refusal.Reason != Truncated
			if at > 1000 && at < 65_000 && how == "changed" {
				wrong = refusal.Reason != Changed
			}
			if wrong {
				t.Errorf("%s at %d: %s", how, at, refusal.Reason)
			}
		}
	}
	if _, err := Read(t.Context(), bytes.NewReader(append(bytes.Clone(file), 'x')), o); err == nil {
		t.Error("with a byte more it is read")
	}
}

// failing is a source that breaks.
type failing struct{ r io.Reader }

var errDisk = errors.New("the disk is broken")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = errDisk
	}
	return n, err
}

// TestNotTheBundlesFault: a disk that breaks and an interrupt are not blamed on the sender.
func TestNotTheBundlesFault(t *testing.T) {
	file := sent(t, ada, eve, first(), text("a", strings.Repeat("a", 100_000)))
	o := receiver(t, eve, ada)
	for _, n := range []int{0, 10, 100, 300, 70_000} {
		_, err := Read(t.Context(), failing{bytes.NewReader(file[:n])}, o)
		if !errors.Is(err, errDisk) {
			t.Errorf("%d: %v", n, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(gone, bytes.NewReader(file), o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	o.Part = func(string, int64) (io.WriteCloser, error) { return nil, errDisk }
	if _, err := Read(t.Context(), bytes.NewReader(file), o); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}
