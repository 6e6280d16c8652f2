package share

import (
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
)

// encryption is about what each end does not accept of the other, and values that differ although they must not.
func (f *finder) encryption() {
	_, encrypted := f.SourceAddress()
	if f.pair == nil {
		if encrypted && !slices.ContainsFunc(f.out,
			func(x planner.Finding) bool { return x.Rule == product+"/"+RuleTLSVersion }) {
			detail := "With sync_tls, no synchronization is set up before a handshake has shown the certificate."
			if f.Sync.OverSites() {
				detail = "Over sites that takes both sides: compare the certificate's fingerprint by telephone."
			}
			f.add(ruleTLSUnproven, planner.Note, "", fmt.Sprintf("%s declares no sync_tls: its certificate is not verified",
				f.Facts.Source.Addr), detail)
		}
		return
	}
	f.out = append(f.out, f.pair.Findings...)
	if f.oldTarget() && slices.ContainsFunc(f.Items, func(s Standing) bool { return f.isForeign(&s) }) {
		f.warn(ruleTLSExisting, "Where its status on the page is an Error afterwards, it has to be created again, for "+
			"which Data Manager removes the copies first (MCS 247047420).",
			"%s has configurations from before: no page of %s says whether "+
				"they follow the settings",
			f.Facts.Target.Addr, f.Facts.Target.Release)
	}
}

// tls2024 is the first release that has a page on encrypting synchronization by settings.
var tls2024 = osmc.Release{Year: 2024}

// tlsVersion is about releases that cannot encrypt synchronization. It came with 2024x Refresh1 as a switch of each
// configuration (VN 272744559). The pages of 2024x do it by settings, which sync_tls manages.
func (f *finder) tlsVersion(encrypted bool) {
	if !encrypted {
		return
	}
	why := "tls = true"
	switch {
	case f.Sync.TLS != nil && *f.Sync.TLS:
	case f.Sync.SourceServer().SyncTLS != nil:
		why = fmt.Sprintf("%s has sync_tls", f.Facts.Source.Addr)
	default:
		why = fmt.Sprintf("sync_address of %s has the port for encrypted clients", f.Facts.Source.Addr)
	}
	for _, end := range []string{atSource, atTarget} {
		s, least := f.coming(end), osmc.SyncTLS2024R1
		if server := f.server(end); server.SyncTLS != nil {
			if f.Plan.encryption.HasRecipe(server, s.Release) {
				continue // a page covers this release
			}
			least = tls2024
		}
		if s.Release.OlderThan(least) {
			f.refuse(RuleTLSVersion, "Encrypted synchronization came with 2024x Refresh1 (VN 272744559), and with sync_tls "+
				"on both servers as 2024x has it: do without, or update the server first.",
				"%s, and %s cannot synchronize encrypted", why,
				s.String())
		}
	}
}
