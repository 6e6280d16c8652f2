package signing

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const namespace = "test@syncctl"

func signers(t *testing.T) map[string]ssh.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]ssh.Signer{}
	for name, key := range map[string]any{"ed25519": ed, "rsa": r} {
		s, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = s
	}
	return out
}

func line(s ssh.Signer, comment string) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))) + " " + comment
}

func TestSignature(t *testing.T) {
	all := signers(t)
	message := []byte("a plan")
	for name, s := range all {
		sig, err := Sign(rand.Reader, s, namespace, message)
		if err != nil {
			t.Fatal(err)
		}
		both := []string{line(all["ed25519"], "ada"), line(all["rsa"], "ada")}
		if who, err := Verify(message, sig, namespace, both); err != nil || who != "ada" {
			t.Errorf("%s: %q, %v", name, who, err)
		}
		other := line(all[map[string]string{"rsa": "ed25519", "ed25519": "rsa"}[name]], "eve")
		for why, verify := range map[string]func() (string, error){
			"another message": func() (string, error) { return Verify([]byte("a plaN"), sig, namespace, []string{line(s, "")}) },
			"another purpose": func() (string, error) { return Verify(message, sig, "other", []string{line(s, "")}) },
			"another key":     func() (string, error) { return Verify(message, sig, namespace, []string{other}) },
			"nobody":          func() (string, error) { return Verify(message, sig, namespace, nil) },
			"half":            func() (string, error) { return Verify(message, sig[:len(sig)/2], namespace, []string{line(s, "")}) },
			"nothing":         func() (string, error) { return Verify(message, nil, namespace, []string{line(s, "")}) },
		} {
			if who, err := verify(); err == nil {
				t.Errorf("%s: %s is taken, by %q", name, why, who)
			}
		}
	}
}

// TestOpenSSH: ssh-keygen verifies what we sign, and we verify what it signs, where it is installed.
func TestOpenSSH(t *testing.T) {
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Log("ssh-keygen is not installed here")
		return
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	run := func(stdin string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", in("key"))
	private, err := os.ReadFile(in("key"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(in("key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	s := unlocked(t, private, nil)
	sig, err := Sign(rand.Reader, s, namespace, []byte("a plan"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(in("ours.sig"), sig, 0o600), os.WriteFile(in("plan"), []byte("a plan"), 0o600),
		os.WriteFile(in("allowed"), []byte("ada "+string(public)), 0o600)); err != nil {
		t.Fatal(err)
	}
	run("a plan", "-Y", "verify", "-f", in("allowed"), "-I", "ada", "-n", namespace, "-s", in("ours.sig"))
	run("", "-Y", "sign", "-f", in("key"), "-n", namespace, in("plan"))
	theirs, err := os.ReadFile(in("plan.sig"))
	if err != nil {
		t.Fatal(err)
	}
	if who, err := Verify([]byte("a plan"), theirs, namespace, []string{string(public)}); err != nil || who != "ada" {
		t.Errorf("%q, %v", who, err)
	}
	if _, err := ParsePrivate(public, nil); !errors.Is(err, ErrPublic) {
		t.Errorf("a public key: %v", err)
	}
	ring := agent.NewKeyring()
	connect := func() net.Conn { // a connection for each request, as the program has it
		ours, served := net.Pipe()
		t.Cleanup(func() { ours.Close() })
		go func() { _ = agent.ServeAgent(ring, served) }()
		return ours
	}
	if _, err := FromAgent(connect(), public); err == nil {
		t.Error("an agent without keys has the key")
	}
	secret, err := ssh.ParseRawPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: secret}); err != nil {
		t.Fatal(err)
	}
	got, err := FromAgent(connect(), public)
	if err != nil || !bytes.Equal(got.PublicKey().Marshal(), s.PublicKey().Marshal()) {
		t.Errorf("of the agent: %v", err)
	}
	if _, err := ParsePrivate([]byte("no key"), nil); err == nil {
		t.Error("text passes for a key")
	}
}

func unlocked(t *testing.T, text []byte, ask Ask) ssh.Signer {
	t.Helper()
	key, err := ParsePrivate(text, ask)
	if err != nil {
		t.Fatal(err)
	}
	s, err := key.Signer()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLocked: a key with a passphrase is unlocked when it is used, once; its public half is known before where the
// file holds it.
func TestLocked(t *testing.T) {
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(secret, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	text, asked := pem.EncodeToMemory(block), 0
	key, err := ParsePrivate(text, func() ([]byte, error) { asked++; return []byte("open sesame"), nil })
	if err != nil || asked != 0 || key.Public() == nil {
		t.Fatalf("%v, asked %d times", err, asked)
	}
	for range 2 {
		if s, err := key.Signer(); err != nil || !bytes.Equal(s.PublicKey().Marshal(), key.Public().Marshal()) {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	for why, ask := range map[string]Ask{
		"nobody": nil,
		"wrong":  func() ([]byte, error) { return []byte("open barley"), nil },
		"broken": func() ([]byte, error) { return nil, io.ErrUnexpectedEOF },
	} {
		key, err := ParsePrivate(text, ask)
		if err != nil {
			t.Fatal(err)
		}
		_, err = key.Signer()
		if err == nil || (why == "nobody") != errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// FuzzVerify: what comes as a signature is foreign.
func FuzzVerify(f *testing.F) {
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, sig []byte) {
		if _, err := Verify([]byte("m"), sig, namespace, nil); err == nil {
			t.Error("nobody's signature is taken")
		}
	})
}

// weak signs with SHA-1, as the first RSA signatures of SSH did.
type weak struct{ ssh.AlgorithmSigner }

func (w weak) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	return w.SignWithAlgorithm(random, data, ssh.KeyAlgoRSA)
}

// TestSHA1: a signature of an allowed key that rests on SHA-1 is refused.
func TestSHA1(t *testing.T) {
	s := signers(t)["rsa"].(ssh.AlgorithmSigner)
	message := []byte("a plan")
	whole, err := sshsig.Sign(bytes.NewReader(message), s, sshsig.HashSHA512, namespace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(message, sshsig.Armor(whole), namespace, []string{line(s, "ada")}); err != nil {
		t.Fatal(err)
	}
	var blob struct { // what is signed, as in OpenSSH's PROTOCOL.sshsig
		Namespace, Reserved, Hash, Sum string
	}
	sum := sha512.Sum512(message)
	blob.Namespace, blob.Hash, blob.Sum = namespace, "sha512", string(sum[:])
	if whole.Signature, err = (weak{s}).Sign(rand.Reader, append([]byte("SSHSIG"), ssh.Marshal(blob)...)); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(message, sshsig.Armor(whole), namespace, []string{line(s, "ada")}); err == nil {
		t.Error("a signature with SHA-1 was taken")
	}
}

// TestGenerate: a key that is made signs, and its public half is that of the line.
func TestGenerate(t *testing.T) {
	private, public, err := Generate(rand.Reader, "acme")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePrivate(private, nil)
	if err != nil {
		t.Fatal(err)
	}
	print, err := Fingerprint(public)
	if err != nil || print != key.Fingerprint() || !strings.HasSuffix(public, " acme") {
		t.Errorf("%v, %s is not the public half", err, public)
	}
}

// TestShortKeys: an RSA key that is too short to tell who has signed tells nothing.
func TestShortKeys(t *testing.T) {
	for bits, taken := range map[int]bool{1024: false, 2047: false, 2048: true} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := Sign(rand.Reader, s, namespace, []byte("a plan"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify([]byte("a plan"), sig, namespace, []string{line(s, "ada")}); (err == nil) != taken {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}
