package keystore

import (
	"context"
	"crypto/rand"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/keystore/pfx"
)

// keytools returns one keytool of this machine, or all with drivertest.AllVariable, by the release of their Java.
// There may be none.
func keytools(t *testing.T) map[string]string {
	t.Helper()
	all, out := allKeytools(), map[string]string{}
	for _, release := range drivertest.Sample(drivertest.Random(t), slices.Sorted(maps.Keys(all)), 1) {
		out[release] = all[release]
	}
	return out
}

func allKeytools() map[string]string {
	all := map[string]string{}
	programs, _ := filepath.Glob("/usr/lib/jvm/*/bin/keytool")
	if program, err := exec.LookPath("keytool"); err == nil {
		programs = append(programs, program)
	}
	for _, program := range programs {
		program, err := filepath.EvalSymlinks(program)
		if err != nil {
			continue
		}
		release, _ := os.ReadFile(filepath.Join(filepath.Dir(program), "..", "release"))
		if m := regexp.MustCompile(`JAVA_VERSION="(?:1\.)?(\d+)`).FindSubmatch(release); m != nil {
			all[string(m[1])] = program
		}
	}
	return all
}

// on writes a keystore to the disk, for other programs.
func on(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keystore")
	if err := afero.WriteFile(afero.NewOsFs(), name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

var (
	aliasLine = regexp.MustCompile(`(?m)^Alias name: (.*)$`)
	kindLine  = regexp.MustCompile(`(?m)^Entry type: (\w+)`)
	chainLine = regexp.MustCompile(`(?m)^Certificate chain length: (\d+)$`)
	printLine = regexp.MustCompile(`(?m)^\s*SHA256: (\S+)$`)
)

// quickly holds options of a Java that runs only for a short time.
var quickly = []string{"-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"}

// keytoolSees lists a keystore as keytool does: `server PrivateKeyEntry 3 AB:CD…`.
func keytoolSees(t *testing.T, program, name, password string, more ...string) []string {
	t.Helper()
	args := append(slices.Clone(quickly), "-J-Duser.language=en", "-list", "-v", "-keystore", name)
	args = append(args, more...)
	if password != "" {
		args = append(args, "-storepass", password)
	}
	list := exec.CommandContext(t.Context(), program, args...)
	list.Stdin = strings.NewReader("\n") // no password, where it asks for one
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	var seen []string
	for _, part := range strings.Split(string(out), "Alias name: ")[1:] {
		part = "Alias name: " + part
		line := aliasLine.FindStringSubmatch(part)[1] + " " + kindLine.FindStringSubmatch(part)[1]
		if m := chainLine.FindStringSubmatch(part); m != nil {
			line += " " + m[1]
		}
		if m := printLine.FindStringSubmatch(part); m != nil {
			line += " " + m[1]
		}
		seen = append(seen, line)
	}
	slices.Sort(seen)
	return seen
}

// asKeytool lists a Store in the same way.
func asKeytool(s *Store) []string {
	var out []string
	for _, e := range s.Entries {
		line := fold(e.Alias) + " PrivateKeyEntry"
		if len(e.Chain) > 0 {
			line += " " + strconv.Itoa(len(e.Chain)) + " " + e.Chain[0].Fingerprint()
		}
		out = append(out, line)
	}
	for _, d := range s.Trusted {
		out = append(out, fold(d.Alias)+" trustedCertEntry "+d.Certificate.Fingerprint())
	}
	for _, alias := range s.Secrets {
		out = append(out, fold(alias)+" SecretKeyEntry")
	}
	slices.Sort(out)
	return out
}

// TestKeytoolReads checks that keytool sees what is written as intended, also after a change of the password. It
// moves the key to another keystore, which proves that the key can be opened.
func TestKeytoolReads(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	other := issue(t, "other.test.example", f.root)
	own := `
  entry "Own Thing" {
    self_signed {
      subject  = "CN=own.test.example, O=Test, C=DE"
      dns      = ["own.test.example"]
      ip       = ["192.0.2.7"]
      key_type = "ecdsa-p256"
    }
  }
`
	for release, program := range keytools(t) {
		for _, format := range []Format{PKCS12, JKS} {
			t.Run("Java "+release+" "+string(format), func(t *testing.T) {
				t.Parallel()
				body, files := f.full(t)
				b := newBench(t)
				if format == PKCS12 { // what is not declared and stays
					b.put(file, string(recorded(t, "keytool17several.p12")))
					b.env["PREVIOUS_PASSWORD"] = "changeit"
				} else {
					b.written(&Store{Format: JKS, Entries: []Entry{other.entry(t, "other")}}, previous)
				}
				body += `previous_password = env("PREVIOUS_PASSWORD")`
				b.declare(format, body+own+"\njava = 17", files)
				_, s := b.apply()
				name := on(t, b.read(file))
				if diff := cmp.Diff(asKeytool(s), keytoolSees(t, program, name, password)); diff != "" {
					t.Error(diff)
				}
				move := exec.CommandContext(t.Context(), program, append(slices.Clone(quickly),
					"-importkeystore", "-noprompt", "-srckeystore", name, "-srcstorepass", password,
					"-destkeystore", name+".moved", "-deststoretype", "pkcs12", "-deststorepass", "changeit")...)
				if out, err := move.CombinedOutput(); err != nil {
					t.Errorf("its keys do not open: %v\n%s", err, out)
				}
				moved, err := afero.ReadFile(afero.NewOsFs(), name+".moved")
				if err != nil {
					t.Fatal(err)
				}
				back, err := Open(context.Background(), moved, "changeit")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(asKeytool(s), asKeytool(back)); diff != "" {
					t.Error(diff)
				}
				for _, e := range s.Entries {
					if got := back.Entry(e.Alias); got == nil || got.Public != e.Public {
						t.Errorf("%s comes back with another key", e)
					}
				}
			})
		}
	}
}

// TestProgramsRead checks that openssl, and keytool limited to the algorithms of Java 8, open what is written for
// them.
func TestProgramsRead(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	s := &Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "server")},
		Trusted: []Trusted{{Alias: "ca", Certificate: f.root.Certificate}}}
	for _, java := range []int{8, 17} {
		w := &wanted{declaration: &declaration{Password: declare.Plain(password), Java: java}, format: PKCS12}
		target := *s
		target.Level = min(w.level(), 1)
		st := &standing{wanted: w, now: today, target: &target}
		content, _, err := st.encode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		name := on(t, content)
		if program, err := exec.LookPath("openssl"); err == nil {
			out, err := exec.CommandContext(t.Context(), program, "pkcs12", "-in", name, "-info", "-nodes", "-passin",
				"pass:"+password).CombinedOutput()
			if err != nil {
				t.Fatalf("openssl: %v\n%s", err, out)
			}
			algorithm := map[int]string{8: "pbeWithSHA1And3-KeyTripleDES-CBC",
				17: "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256"}[java]
			for _, want := range []string{"friendlyName: server", "friendlyName: ca", "BEGIN PRIVATE KEY", algorithm,
				"MAC: " + map[int]string{8: "sha1", 17: "sha256"}[java] + ", Iteration 10000"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("openssl does not show %q:\n%s", want, out)
				}
			}
			if n := strings.Count(string(out), "BEGIN CERTIFICATE"); n != 4 {
				t.Errorf("openssl shows %d certificates", n)
			}
		}
		for release, program := range keytools(t) {
			if diff := cmp.Diff(asKeytool(s), keytoolSees(t, program, name, password)); diff != "" {
				t.Errorf("Java %s, written for %d: %s", release, java, diff)
			}
		}
	}
}

// TestKeytoolReadsTrust checks that keytool opens a trust store as before after certificates were added; without a
// password if it had none.
func TestKeytoolReadsTrust(t *testing.T) {
	t.Parallel()
	one := issue(t, "One", nil, authority)
	open := bagged(t, &Store{Trusted: []Trusted{{Alias: "root", Certificate: newFamily(t).root.Certificate}}}, "",
		pfx.Options{Open: true, NoMAC: true})
	for release, program := range keytools(t) {
		for name, c := range map[string]struct {
			src      []byte
			password string // "": keytool is given none
		}{
			"without":          {open, ""},
			"without, of Java": {recorded(t, "keytool25open.p12"), ""},
			"with":             {recorded(t, "keytool17trust.p12"), "changeit"},
			"of Java 8":        {recorded(t, "keytool8.p12"), "changeit"},
			"JKS":              {recorded(t, "keytool17.jks"), "changeit"},
		} {
			out, _, after := added(t, c.src, c.password, Trusted{Alias: "new", Certificate: one.Certificate})
			if diff := cmp.Diff(asKeytool(after), keytoolSees(t, program, on(t, out), c.password)); diff != "" {
				t.Errorf("Java %s, %s: %s", release, name, diff)
			}
		}
	}
}

// TestReadsAsKeytool: recorded keystores, and one in BER, are read as keytool reads them.
func TestReadsAsKeytool(t *testing.T) {
	t.Parallel()
	files := []string{
		"keytool8.p12", "keytool17several.p12", "keytool17trust.p12", "keytool25.p12", "openssl.p12", "openssllegacy.p12",
		"opensslnoname.p12",
		"opensslcertificates.p12", "keytool17.jks", "opensslnomac.p12", "keytool25open.p12",
	}
	program := allKeytools()["17"]
	shown := drivertest.Sample(drivertest.Random(t), files, 3)
	for _, name := range files {
		s, err := Open(context.Background(), recorded(t, name), "changeit")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if program == "" || !slices.Contains(shown, name) {
			continue
		}
		if diff := cmp.Diff(keytoolSees(t, program, filepath.Join("pfx", "testdata", name), "changeit"),
			asKeytool(s)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
