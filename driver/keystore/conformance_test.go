package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/sandbox"
)

// closet is a simulated machine with nothing but files, for the conformance kit: keystores have no servers.
type closet struct {
	mu    sync.Mutex
	files afero.Fs
	ssh   [3]string
}

// openCloset opens a closet. seed maps the names of files to the recorded keystores that are there; with "" there is
// only the folder.
func openCloset(seed []byte) (sandbox.World, error) {
	w := &closet{files: afero.NewMemMapFs()}
	var files map[string][]byte
	if err := json.Unmarshal(seed, &files); err != nil {
		return nil, err
	}
	for name, content := range files {
		if err := w.files.MkdirAll(path.Dir(name), 0o755); err != nil {
			return nil, err
		}
		if len(content) == 0 {
			continue
		}
		if err := afero.WriteFile(w.files, name, content, 0o640); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *closet) Servers() []string               { return nil }
func (w *closet) Machines() []string              { return []string{"closet"} }
func (w *closet) Handler(string) http.Handler     { return http.NotFoundHandler() }
func (w *closet) SetURL(_, _ string)              {}
func (w *closet) Tick(time.Time)                  {}
func (w *closet) Files(string) afero.Fs           { return w.files }
func (w *closet) Reads(_, _ string) bool          { return false }
func (w *closet) SetSSH(_, a string, k, h []byte) { w.ssh = [3]string{a, string(k), string(h)} }

func (w *closet) Environment(string) map[string]string {
	return map[string]string{"SSH": w.ssh[0], "SSH_KEY": w.ssh[1], "KNOWN_HOSTS": w.ssh[2], "PASSWORD": password,
		"PREVIOUS_PASSWORD": previous}
}

func (w *closet) Person(context.Context, string, map[string]string) (string, error) {
	return "", errors.ErrUnsupported
}

func (w *closet) Run(_ context.Context, _, _ string, _ io.Reader, _, _ io.Writer) int { return 127 }

// made matches the parts of file names that differ between runs.
var made = regexp.MustCompile(`\.20\d{6}T\d{6}Z(-\d+)?\.bak$|\.syncctl-[0-9a-f]+$`)

// State describes the files in words, as the same keystore is never written with the same bytes twice.
func (w *closet) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	err := afero.Walk(w.files, "/", func(name string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := afero.ReadFile(w.files, name)
		out = append(out, fmt.Sprintf("%s %v %s", made.ReplaceAllString(name, ".MADE"), info.Mode().Perm(),
			inWords(content)))
		return err
	})
	if err != nil {
		out = append(out, err.Error())
	}
	slices.Sort(out)
	return out
}

func inWords(src []byte) string {
	for _, p := range []string{password, previous} {
		if s, err := Open(context.Background(), src, p); err == nil {
			return fmt.Sprintf("%s with password %d: %s", s.Format, len(p), strings.Join(content(s), "; "))
		}
	}
	return "no keystore"
}

func TestConformance(t *testing.T) {
	real := newFamilyAt(t, time.Now())
	body, files := real.full(t)
	old := newBench(t)
	old.now = time.Now()
	before := old.written(&Store{Format: PKCS12, Entries: []Entry{real.server.entry(t, "old"), old.selfMade("self", 400)},
		Trusted: []Trusted{{Alias: "ca", Certificate: real.inter.Certificate}}}, previous)
	jks := old.written(&Store{Format: JKS, Entries: []Entry{real.server.entry(t, "server")}}, password)
	const machine = `
  host {
    ssh         = env("SSH")
    key         = env("SSH_KEY")
    known_hosts = env("KNOWN_HOSTS")
    agent       = false
  }
`
	keystore := func(format, name, body string) string {
		return fmt.Sprintf("keystore %q %q {\n path = \"/etc/keys/%s\"\n password = env(\"PASSWORD\")\n%s%s}\n", format,
			name, name, machine, body)
	}
	var cases []drivertest.Case
	for name, c := range map[string]struct {
		config  string
		seed    map[string][]byte
		refused bool
	}{
		"made": {keystore("pkcs12", "new", body) + keystore("jks", "own", ownEntry),
			map[string][]byte{"/etc/keys/x": nil}, false},
		"changed": {keystore("pkcs12", "old", body+"previous_password = env(\"PREVIOUS_PASSWORD\")\n") + keystore("jks",
			"less", "keep_others = false\ntrust \"ca\" { certificate = file(\"root.pem\") }\n"),
			map[string][]byte{"/etc/keys/old": before, "/etc/keys/less": jks}, false},
		"refused": {keystore("pkcs12", "old", body), map[string][]byte{"/etc/keys/old": before}, true},
	} {
		dir := t.TempDir()
		write := func(name, text string) {
			if err := afero.WriteFile(afero.NewOsFs(), path.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("main.sync.hcl", c.config)
		for name, text := range files {
			write(name, text)
		}
		seed, err := json.Marshal(map[string]any{product: c.seed})
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, drivertest.Case{Name: name, Dir: dir, Seed: seed, Refused: c.refused})
	}
	slices.SortFunc(cases, func(a, b drivertest.Case) int { return strings.Compare(a.Name, b.Name) })
	drivertest.Run(t, drivertest.Bench{
		Product: product, New: New, Simulator: openCloset, Cases: cases,
		// Temporary files and backups have other names in each run. State shows what becomes of them.
		Reads: func(l sandbox.AccessLine) bool { return made.MatchString(l.Path) && l.Method != "REMOVE" },
	})
}
