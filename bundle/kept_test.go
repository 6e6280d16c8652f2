package bundle

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the bundles in testdata again")

// kept are the files in testdata: bundles of version 1, with the keys to open them, that every later version reads.
// .ci/run opens them with the programs age and ssh-keygen.
func kept(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKept: what was written once stays readable.
func TestKept(t *testing.T) {
	if *update {
		write := func(name string, content []byte) {
			if err := os.WriteFile(filepath.Join("testdata", name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("sender.pub", []byte(ada.line+" admin@acme\n"))
		for name, to := range map[string]*person{"ed25519": eve, "rsa": bob()} {
			write("receiver_"+name, to.text)
			write("version1_"+name+Suffix, sent(t, ada, to, first(), text("plan.json", "{}\n"),
				text("journal/run.jsonl", "{\"seq\":1}\n{\"seq\":2}\n")))
		}
	}
	for _, name := range []string{"ed25519", "rsa"} {
		to := &person{text: kept(t, "receiver_"+name)}
		o := receiver(t, to, &person{line: string(kept(t, "sender.pub"))})
		parts := collect(&o)
		b, err := Read(t.Context(), bytes.NewReader(kept(t, "version1_"+name+Suffix)), o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b.From != "acme" || len(parts) != 2 || parts["plan.json"].String() != "{}\n" {
			t.Errorf("%s: %+v", name, b.Manifest)
		}
		if *update && name == "ed25519" {
			out := forged{signer: ada, manifest: func(m *Manifest) {
				m.To[0] = Address{Site: "initech", Keys: []string{"SHA256:other"}}
			}}
			forwarded, err := io.ReadAll(out.make(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join("testdata", "forwarded"+Suffix), forwarded, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
