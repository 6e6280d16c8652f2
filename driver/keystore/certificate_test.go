package keystore

import (
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// TestUnusualCertificates: openssl made them. What Java 17's keytool takes is taken, with a finding; what it refuses
// is refused with the true reason.
func TestUnusualCertificates(t *testing.T) {
	for name, refused := range map[string]string{
		"negative": "", "secp256k1": "", "brainpool": "", "pss": "", "explicit": "spells out the parameters of its curve",
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "certificates", name+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		all, err := ParseCertificates("\ufeff" + string(text))
		if (err == nil) != (refused == "") || err != nil && !strings.Contains(err.Error(), refused) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		k := &checker{now: today}
		k.strength("", all[0], true)
		if all[0].public() == "" || len(k.out) != 1 || k.out[0].Rule != "unreadable-certificate" {
			t.Errorf("%s: %+v", name, k.out)
		}
	}
}

// TestDamagedCertificates: one that is damaged is not passed over.
func TestDamagedCertificates(t *testing.T) {
	one := issue(t, "One", nil, authority).pem()
	for _, text := range []string{one + strings.Replace(one, "\n-----END", "!\n-----END", 1) + one,
		one + one[:len(one)/2]} {
		if all, err := ParseCertificates(text); err == nil {
			t.Errorf("%d certificates were read", len(all))
		}
	}
}

// TestEd25519NeedsJava16: a server with an older one could not use the key.
func TestEd25519NeedsJava16(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := issueFor(t, key, "server.test.example", nil).entry(t, "server")
	for java, want := range map[int]bool{8: true, 15: true, 16: false, 17: false} {
		k := &checker{now: today, java: java}
		k.entry(&e)
		if got := slices.ContainsFunc(k.out, func(p Problem) bool {
			return p.Rule == "unsupported-key" && p.Severity == planner.Refuse
		}); got != want {
			t.Errorf("Java %d: %+v", java, k.out)
		}
	}
}
