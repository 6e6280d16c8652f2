package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/redact"
)

// TestBrokenLinesHideNoSecret: a secret of several words that a machine repeats is recognised before lines are broken
// and framed.
func TestBrokenLinesHideNoSecret(t *testing.T) {
	known := redact.New("(sensitive value)", "correct horse battery staple")
	for width := range 60 {
		var out bytes.Buffer
		c := &command{redactor: known, err: output.Guard(&out, func() *redact.Set { return known }),
			errStyle: view.Style{Width: width, Color: true}}
		said := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "No",
			Detail: "The machine says: the passphrase correct horse battery staple opens nothing."}}
		if err := c.printDiagnostics(said, nil); err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"correct", "horse", "battery", "staple"} {
			if strings.Contains(out.String(), word) {
				t.Fatalf("width %d: %q", width, out.String())
			}
		}
	}
}
