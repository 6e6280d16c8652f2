package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/schema"
)

// appFor returns an app with an empty folder, and what its commands print.
func appFor(fs afero.Fs) (a *app, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &app{stdin: &bytes.Buffer{}, stdout: stdout, stderr: stderr, fs: fs, cwd: "/", clock: systemClock{},
		random: rand.Reader, interrupts: &interrupt.Interrupts{},
		env: func(string) (string, bool) { return "", false }}, stdout, stderr
}

// TestEveryEndIsOneDocument: however a command with -json ends, it prints one document, or events.
func TestEveryEndIsOneDocument(t *testing.T) {
	t.Parallel()
	for _, line := range [][]string{
		{"-json"}, {"ci", "-json"}, {"-json", "nothing"}, {"nothing", "-json"}, {"plan", "-json", "-wrong"},
		{"plan", "-wrong", "-json"}, {"-wrong", "plan", "--json=true"}, {"plan", "-help", "-json"}, {"lsp", "-json"},
		{"plan", "-wrong", "-help", "-json"},
		{"help", "-json"}, {"help", "plan", "-json"}, {"-json", "-chdir=nowhere", "plan"}, {"validate", "-json", "no"},
		{"validate", "-json", "a", "b"}, {"show", "-json"}, {"show", "-json", "none"}, {"plan", "-json", "-out="},
		{"fmt", "-json", "missing"}, {"fmt", "-json", "missing.sync.hcl"}, {"fmt", "-json", "a.sync.hcl.json"},
		{"completion", "-json", "none"}, {"resolve", "-json", "x", "-retry"}, {"graph", "-json"}, {"explain", "-json", "no"},
		{"apply", "-json", "-wrong"}, {"apply", "-json", "a", "b"}, {"test", "-wrong", "-json"}, {"apply", "-json"},
		{"docs", "-json", "none"}, {"docs", "-json", "-man"}, {"schema", "-json-into=x.sync.hcl", "-json"},
	} {
		a, stdout, _ := appFor(afero.NewMemMapFs())
		if code := a.run(t.Context(), line); code != exitError {
			t.Errorf("%q: exit code %d", line, code)
		}
		dec, documents := json.NewDecoder(bytes.NewReader(stdout.Bytes())), 0
		var last map[string]any
		for dec.More() {
			last = nil
			if err := dec.Decode(&last); err != nil {
				t.Fatalf("%q: %v in %s", line, err, stdout)
			}
			documents++
		}
		if line[0] == "apply" || line[0] == "test" {
			if last["@level"] != "error" {
				t.Errorf("%q: %s", line, stdout)
			}
		} else if documents != 1 || last["diagnostics"] == nil {
			t.Errorf("%q: %d documents: %s", line, documents, stdout)
		}
	}
}

// TestDocumentsOfVersionAndInterrupt: -version -json is version -json, and an interrupted command writes a document.
func TestDocumentsOfVersionAndInterrupt(t *testing.T) {
	t.Parallel()
	for _, line := range [][]string{{"-version", "-json"}, {"--json", "--version"}, {"version", "-json"},
		{"-v", "-json"}, {"-version", "-json-into=into"}, {"-json-into", "into", "-v"}} {
		fs := afero.NewMemMapFs()
		a, stdout, _ := appFor(fs)
		var b build
		code := a.run(t.Context(), line)
		text, err := afero.ReadFile(fs, "/into")
		if err != nil {
			text = stdout.Bytes()
		}
		if err := json.Unmarshal(text, &b); code != exitDone || err != nil || b.Platform != platform() {
			t.Errorf("%q: %d, %v, %s", line, code, err, text)
		}
	}
	a, stdout, _ := appFor(afero.NewMemMapFs())
	c := &command{app: a, name: "plan"}
	c.flags.json = true
	c.out = output.Guard(a.stdout, noSecrets)
	c.failedJSON(errors.Join(errInterrupted, context.Canceled))
	c.failedJSON(errInterrupted)
	var d schema.DiagnosticsView
	if err := json.Unmarshal(stdout.Bytes(), &d); err != nil || len(d.Diagnostics) != 1 ||
		d.Diagnostics[0].Summary != errInterrupted.Error() || d.Diagnostics[0].Detail != context.Canceled.Error() {
		t.Errorf("%v, %s", err, stdout)
	}
}

// TestErrorInto: the file of -json-into gets the error if it was emptied for it, and is left alone if the command line
// could not be read, as it may be another file than was meant.
func TestErrorInto(t *testing.T) {
	t.Parallel()
	for into, want := range map[string]bool{"out.json": true, "key": false} {
		fs := afero.NewMemMapFs()
		if err := afero.WriteFile(fs, "/key", []byte("a key"), 0o600); err != nil {
			t.Fatal(err)
		}
		a, _, _ := appFor(fs)
		a.run(t.Context(), []string{"show", "-json-into=" + into, "none"})
		text, _ := afero.ReadFile(fs, "/"+into)
		if json.Valid(text) != want {
			t.Errorf("%s: %s", into, text)
		}
	}
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "/out.json", []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _, _ := appFor(fs)
	a.run(t.Context(), []string{"show", "-json-into=out.json", "-wrong"})
	if text, _ := afero.ReadFile(fs, "/out.json"); string(text) != "[]" {
		t.Errorf("%s", text)
	}
}
