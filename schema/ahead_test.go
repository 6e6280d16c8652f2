package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// TestManyFiles: files that are read side by side declare what they declare one after the other, in the same order; a
// file with a mistake, one in JSON and one that is too large too.
func TestManyFiles(t *testing.T) {
	w := world{files: map[string]string{}}
	for i := range 60 {
		w.files[fmt.Sprintf("f%d.sync.hcl", i)] = strings.ReplaceAll(
			"server \"depot\" \"sN\" {\n}\nserver \"depot\" \"tN\" {\n}\n", "N", strconv.Itoa(i))
	}
	w.files["list.sync.hcl"] = "locals {\n  keys = toset([\"b\", \"a\"])\n}\n" +
		"server \"depot\" \"each\" {\n  for_each = local.keys\n}\n"
	w.files["torn.sync.hcl"] = "server \"depot\" \"torn\" {\n"
	w.files["other.sync.hcl.json"] = `{"server": {"depot": {"json": {}}}}`
	opts := w.options(t)
	opts.namesOnly, opts.AllowUnset = true, true
	addresses := func(sizes bool) (out []string, read int64, said string) {
		opts.Room = Usual
		o, ctx := newOutside(t.Context(), Room{})
		defer o.close()
		l := newLoader(ctx, opts, o)
		if !sizes {
			l.infos = nil // nothing is read ahead
		}
		cfg, diags := l.loadNames(ctx)
		for _, r := range cfg.Named {
			out = append(out, r.Addr.String()+" "+r.Range.String())
		}
		return out, l.read, diags.Error()
	}
	same := func(what string) {
		got, read, said := addresses(true)
		want, wantRead, wantSaid := addresses(false)
		if !slices.Equal(got, want) || read != wantRead || said != wantSaid || len(got) < 100 {
			t.Errorf("%s: %d declarations, %d bytes, %s\nwant %d, %d, %s", what, len(got), read, said, len(want), wantRead,
				wantSaid)
		}
	}
	same("usual")
	big := strings.Repeat("# a long comment\n", int(Usual.Bytes())/17)
	if err := afero.WriteFile(opts.Fs, "conf/f59.sync.hcl", []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	same("a file that is too large")
}
