package teamworkcloud

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/schema"
)

// checkEncryption holds what can be known of sync_tls from the files alone.
func checkEncryption(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	say := func(summary, detail string, path ...string) {
		diags = append(diags, problem(r, summary, detail, append([]string{"sync_tls"}, path...)...))
	}
	if v := r.Get("sync_tls", "keystore_path"); known(v) && !path.IsAbs(v.AsString()) {
		say("Where on the machine?", fmt.Sprintf("%q: keystore_path is the whole name of the file as the server finds it.", v.AsString()), "keystore_path")
	}
	if v := r.Get("sync_tls", "port"); known(v) {
		if n, _ := v.AsBigFloat().Int64(); n > 65535 {
			say("Not a port", fmt.Sprintf("%d is no number of a port.", n), "port")
		}
	}
	seen := map[string]bool{}
	for _, name := range texts(r.Get("sync_tls", "trust_stores")) {
		switch {
		case !path.IsAbs(name):
			say("Where on the machine?", fmt.Sprintf("%q: trust stores are named in full, such as /usr/lib/jvm/java-17/lib/security/cacerts.", name), "trust_stores")
		case seen[name]:
			say("One trust store twice", fmt.Sprintf("%q stands twice in trust_stores.", name), "trust_stores")
		}
		seen[name] = true
	}
	diags = append(diags, checkTrust(r)...)
	return append(diags, checkSameMachine(r)...)
}

func checkTrust(r *schema.Resource) hcl.Diagnostics {
	v := schema.Reveal(r.Get("sync_tls", "trust")) // for its keys alone
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	var diags hcl.Diagnostics
	seen := map[string]string{}
	for it := v.ElementIterator(); it.Next(); {
		k, _ := it.Element()
		alias := k.AsString()
		at := []string{"sync_tls", "trust", alias}
		if first, ok := seen[strings.ToLower(alias)]; ok {
			diags = append(diags, problem(r, "One alias twice", fmt.Sprintf("trust %q: the alias is taken by trust %q. Java knows no capitals in aliases.", alias, first), at...))
		}
		seen[strings.ToLower(alias)] = alias
		if strings.Trim(strings.ToLower(alias), "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || alias == "" {
			diags = append(diags, problem(r, "Not an alias", fmt.Sprintf("trust %q: letters of English, digits, dots, hyphens and underscores only.", alias), at...))
		}
		c := r.Get(append(slices.Clone(at), "certificate")...)
		if !c.IsKnown() || c.IsNull() {
			continue
		}
		all, err := keystore.ParseCertificates(reveal(r, append(slices.Clone(at), "certificate")...))
		switch {
		case err != nil:
			diags = append(diags, problem(r, "Not a certificate", fmt.Sprintf("certificate of trust %q cannot be used: %v.", alias, err), append(at, "certificate")...))
		case len(all) > 1:
			diags = append(diags, problem(r, "Several certificates", fmt.Sprintf("certificate of trust %q holds %d certificates. Each that is trusted has an alias of its own.", alias, len(all)), append(at, "certificate")...))
		}
	}
	return diags
}

// checkSameMachine: the server reads its keystore from its own disk.
func checkSameMachine(r *schema.Resource) hcl.Diagnostics {
	store := r.Ref("sync_tls", "keystore")
	if store == nil || has(r, "sync_tls", "keystore_path") || !has(r, "host") {
		return nil
	}
	if !store.Get("host", "ssh").IsKnown() || !r.Get("host", "ssh").IsKnown() || schema.IsSensitive(r.Get("host", "ssh")) {
		return nil
	}
	_, machine := keystore.Location(store)
	theirs, ours := machineName(machine), machineName(r.Text("host", "ssh"))
	if theirs == ours {
		return nil
	}
	words := func(name string) string {
		if name == "" {
			return "this machine"
		}
		return name
	}
	return hcl.Diagnostics{problem(r, "The keystore lies elsewhere", fmt.Sprintf("%s lies on %s, and %s reads it on %s. Write the same machine in its block host, or keystore_path where it is copied by other means.",
		store.Addr, words(theirs), r.Addr, words(ours)), "sync_tls", "keystore")}
}

// machineName is the machine of user@host or user@host:port.
func machineName(text string) string {
	return strings.ToLower(strings.TrimSuffix(text[strings.LastIndexByte(text, '@')+1:], ":22"))
}
