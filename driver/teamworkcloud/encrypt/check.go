package encrypt

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
)

// Check checks the rules of sync_tls that do not depend on the server's state.
func Check(s *connect.Server) hcl.Diagnostics {
	t := s.SyncTLS
	var diags hcl.Diagnostics
	say := func(summary, detail string, path ...string) {
		diags = append(diags, t.Problem(summary, detail, path...))
	}
	if t.Known("keystore_path") && !path.IsAbs(t.KeystorePath) {
		say("Path is not absolute", fmt.Sprintf("%q: give keystore_path in full, as the server finds the file.",
			t.KeystorePath), "keystore_path")
	}
	if t.Port > 65535 {
		say("Invalid port", fmt.Sprintf("%d is not the number of a port.", t.Port), "port")
	}
	seen := map[string]bool{}
	for _, name := range t.TrustStores {
		switch {
		case name == "": // not known yet
		case !path.IsAbs(name):
			say("Path is not absolute", fmt.Sprintf(
				"%q: give trust stores in full, such as /usr/lib/jvm/java-17/lib/security/cacerts.", name),
				"trust_stores")
		case seen[name]:
			say("Duplicate trust store", fmt.Sprintf("%q is listed twice in trust_stores.", name), "trust_stores")
		}
		seen[name] = true
	}
	diags = append(diags, checkTrust(t)...)
	return append(diags, checkSameMachine(s)...)
}

func checkTrust(t *connect.SyncTLS) hcl.Diagnostics {
	var diags hcl.Diagnostics
	seen := map[string]string{}
	for _, alias := range slices.Sorted(maps.Keys(t.Trust)) {
		trust := t.Trust[alias]
		if first, ok := seen[strings.ToLower(alias)]; ok {
			diags = append(diags, trust.Problem("Duplicate alias",
				fmt.Sprintf("trust %q: trust %q has the same alias. Java ignores case in aliases.", alias, first)))
		}
		seen[strings.ToLower(alias)] = alias
		if strings.Trim(strings.ToLower(alias), "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || alias == "" {
			diags = append(diags, trust.Problem("Invalid alias",
				fmt.Sprintf("trust %q: use English letters, digits, dots, hyphens and underscores only.", alias)))
		}
		if !trust.Known("certificate") {
			continue
		}
		all, err := keystore.ParseCertificates(trust.Certificate.Reveal())
		switch {
		case err != nil:
			diags = append(diags, trust.Problem("Invalid certificate",
				fmt.Sprintf("certificate of trust %q cannot be used: %v.", alias, err), "certificate"))
		case len(all) > 1:
			diags = append(diags, trust.Problem("Several certificates",
				fmt.Sprintf("certificate of trust %q holds %d certificates. Give each an alias of its own.", alias, len(all)),
				"certificate"))
		}
	}
	return diags
}

// checkSameMachine checks that the keystore is written where the server reads it: on its own machine.
func checkSameMachine(s *connect.Server) hcl.Diagnostics {
	store := s.SyncTLS.Keystore
	if store == nil || s.SyncTLS.Has("keystore_path") || s.Host == nil {
		return nil
	}
	if !store.Get("host", "ssh").IsKnown() || s.Host.Has("ssh") && !s.Host.Known("ssh") {
		return nil
	}
	_, machine := keystore.Location(store)
	theirs, ours := machineName(machine), machineName(s.Host.SSH)
	if theirs == ours {
		return nil
	}
	words := func(name string) string {
		if name == "" {
			return "this machine"
		}
		return name
	}
	return hcl.Diagnostics{s.SyncTLS.Problem("Keystore on another machine",
		fmt.Sprintf("%s is on %s, and %s reads it on %s. Declare the same machine in its host block, or keystore_path "+
			"if it is copied by other means.",
			store.Addr, words(theirs), s.Address(), words(ours)), "keystore")}
}

// machineName returns the machine in user@host or user@host:port.
func machineName(text string) string {
	return strings.ToLower(strings.TrimSuffix(text[strings.LastIndexByte(text, '@')+1:], ":22"))
}
