package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/driver/wording"
)

// Bundle describes a bundle that was read.
type Bundle struct {
	File    string
	Bundle  *bundle.Bundle // nil if not even its manifest could be read
	Known   bool           // the signer's signatures are accepted
	Refusal *bundle.Refusal
	Again   bool // it was received before
	Now     time.Time
}

type bundleJSON struct {
	Version  string           `json:"format_version"`            // 1.0
	File     string           `json:"file"`                      // as it was given
	ID       string           `json:"id,omitempty"`              // the SHA-256 of its manifest
	Signer   string           `json:"signer,omitempty"`          // the fingerprint of the key that has signed it
	Known    bool             `json:"signer_known"`              // signatures of that key are accepted
	Manifest *bundle.Manifest `json:"manifest,omitempty"`        // what is in it; nothing is certain if it is refused
	Refusal  *refusalJSON     `json:"refusal,omitempty"`         // why it is refused
	Again    bool             `json:"received_before,omitempty"` // it was received before, so that nothing has changed
}

type refusalJSON struct {
	Reason string `json:"reason"` // syncctl explain bundle/REASON
	Detail string `json:"detail"` // what is wrong with it, and what to do
}

// JSON returns the bundle's document for programs.
func (b *Bundle) JSON() any {
	doc := bundleJSON{Version: "1.0", File: b.File, Known: b.Known, Again: b.Again}
	if b.Bundle != nil {
		doc.ID, doc.Signer, doc.Manifest = b.Bundle.ID, b.Bundle.Signer, &b.Bundle.Manifest
	}
	if b.Refusal != nil {
		doc.Refusal = &refusalJSON{string(b.Refusal.Reason), b.Refusal.Detail}
	}
	return doc
}

// Write writes the bundle for people.
func (b *Bundle) Write(w io.Writer, s Style) error {
	m := &b.Bundle.Manifest
	var to []string
	for _, a := range m.To {
		to = append(to, oneLine(a.Site))
	}
	var out strings.Builder
	title := fmt.Sprintf("Bundle %d from %s to %s", m.Number, oneLine(m.From), strings.Join(to, ", "))
	out.WriteString(s.Bold(title) + "\n")
	if b.Refusal != nil {
		out.WriteString(s.Bad("Nothing of this is certain: it is refused, see below.") + "\n")
	}
	row := func(label, text string) {
		if text != "" {
			out.WriteString("  " + pad(label, 15) + oneLine(text) + "\n")
		}
	}
	row("created", fmt.Sprintf("%s, %s", m.Created.UTC().Format(time.RFC3339), ago(b.Now.Sub(m.Created))))
	switch {
	case b.Bundle.Signer == "":
		row("signed with", "a key that is unknown")
	case b.Known:
		row("signed with", b.Bundle.Signer)
	default:
		row("signed with", b.Bundle.Signer+": whose key that is was not checked")
	}
	for _, a := range m.To {
		row("opened by", fmt.Sprintf("%s with %s", a.Site, strings.Join(a.Keys, " or ")))
	}
	row("id", b.Bundle.ID)
	row("before it", m.Previous)
	row("plan", m.Plan)
	row("configuration", m.Configuration)
	for _, r := range m.Received {
		row("has received", fmt.Sprintf("bundle %d of %s, %s", r.Number, r.Site, r.ID))
	}
	var total int64
	for _, p := range m.Parts {
		total += p.Size
		fmt.Fprintf(&out, "%12d  %s\n", p.Size, oneLine(p.Name))
	}
	fmt.Fprintf(&out, "%s, %d bytes.\n", wording.Plural(len(m.Parts), "part"), total)
	_, err := io.WriteString(w, out.String())
	return err
}

// ago says in words how long ago something was.
func ago(d time.Duration) string {
	switch {
	case d < -time.Minute:
		return "which is in the future: compare the clocks"
	case d < time.Minute:
		return "a moment ago"
	case d < time.Hour:
		return wording.Plural(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return wording.Plural(int(d.Hours()), "hour") + " ago"
	}
	return wording.Plural(int(d.Hours()/24), "day") + " ago"
}
