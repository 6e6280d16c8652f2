package keystore

import (
	"fmt"
	"maps"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
)

// check checks the rules that need only the declaration. Values that are not known yet are not checked.
func (d *declaration) check() hcl.Diagnostics {
	diags := append(d.checkFile(), d.checkAliases()...)
	for _, alias := range aliases(d.Entries) {
		e := d.Entries[alias]
		diags = append(diags, e.check(alias, d)...)
	}
	for _, alias := range aliases(d.Trust) {
		diags = append(diags, d.checkTrust(alias)...)
	}
	for _, name := range known(d.Block, d.Names, "names") {
		if why := badName(name); why != "" {
			diags = append(diags, d.Problem("Invalid address",
				fmt.Sprintf("%q is neither a host name nor an IP address: %s.", name, why), "names"))
		}
	}
	if d.Host != nil {
		diags = append(diags, d.Host.Check()...)
	}
	return diags
}

// known returns the values of a list argument, or nil while one of them is not known.
func known(b declare.Block, values []string, name string) []string {
	if !b.Known(name) {
		return nil
	}
	return values
}

// aliases returns the labels of blocks, sorted.
func aliases[B any](blocks map[string]B) []string { return slices.Sorted(maps.Keys(blocks)) }

func (d *declaration) checkFile() hcl.Diagnostics {
	if !d.Known("path") {
		return nil
	}
	var diags hcl.Diagnostics
	switch {
	case d.Path == "" || strings.HasSuffix(d.Path, "/") || strings.ContainsRune(d.Path, 0):
		diags = append(diags, d.Problem("Invalid file name", fmt.Sprintf("path must name a file, and %q does "+
			"not.", d.Path), "path"))
	case strings.HasPrefix(d.Path, "~"):
		diags = append(diags, d.Problem("Home folder in a file name",
			"path is taken as it is written, and ~ means the home folder to shells only: write the whole name.", "path"))
	case d.Has("host") && !path.IsAbs(d.Path):
		diags = append(diags, d.Problem("Relative file name on another machine",
			fmt.Sprintf("With host, path is an absolute name such as /etc/keys/%s.", filepath.Base(d.Path)), "path"))
	}
	if (!d.Has("password") || d.Known("password")) && d.Password.Empty() {
		diags = append(diags, d.Missing("Empty password",
			"A keystore without a password protects nothing, and keytool writes none. Give at least 6 characters.",
			[]string{"password"}, []string{"password"}))
	}
	return diags
}

// checkAliases checks the rules about several blocks or several declarations.
func (d *declaration) checkAliases() hcl.Diagnostics {
	var diags hcl.Diagnostics
	seen := map[string]string{}
	for _, kind := range []struct {
		name    string
		aliases []string
	}{{"entry", aliases(d.Entries)}, {"trust", aliases(d.Trust)}} {
		for _, alias := range kind.aliases {
			if first, ok := seen[fold(alias)]; ok {
				diags = append(diags, d.Problem("Duplicate alias", fmt.Sprintf("%s %q: %s has the same alias. Java ignores "+
					"case in aliases, and keys and trusted certificates share them.", kind.name, alias, first), kind.name, alias))
			}
			if strings.ContainsFunc(alias, unicode.IsControl) {
				diags = append(diags, d.Problem("Invalid alias",
					fmt.Sprintf("%s %q: an alias has no control characters.", kind.name, alias), kind.name, alias))
			}
			seen[fold(alias)] = fmt.Sprintf("%s %q", kind.name, alias)
		}
	}
	if file := d.file(); file != "" {
		for _, addr := range writersOf(d)[file] {
			if addr != d.Addr() {
				diags = append(diags, d.Problem("Duplicate file", fmt.Sprintf("%s writes the same file.", addr), "path"))
			}
		}
	}
	return diags
}

type writersKey struct{}

// writersOf returns the declarations of a format by the file that they write. It is made once for all of them.
func writersOf(d *declaration) map[string][]schema.Addr {
	return d.Resource().PeerMemo(writersKey{}, func() any {
		out := map[string][]schema.Addr{}
		for _, r := range slices.AppendSeq([]*schema.Resource{d.Resource()}, d.Resource().Peers()) {
			peer, _ := declare.Decode[declaration](r) // errors in it are reported there, and values may not be known yet
			out[peer.file()] = append(out[peer.file()], peer.Addr())
		}
		return out
	}).(map[string][]schema.Addr)
}

// file returns the machine and path of the file that a declaration writes, or "" if they are not known.
func (d *declaration) file() string {
	machine := ""
	switch {
	case !d.Known("path"), d.Has("host") && !d.Known("host", "ssh"):
		return ""
	case d.Host != nil:
		machine = d.Host.SSH
	}
	return machine + " " + filepath.Clean(d.Path)
}

func (e *entryBlock) check(alias string, d *declaration) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if e.SelfSigned != nil {
		for _, name := range []string{"certificate", "chain", "key"} {
			if e.Has(name) {
				diags = append(diags, e.Problem("Conflicting arguments",
					fmt.Sprintf("With self_signed, certificate and key are made: remove %s, or self_signed.", name), name))
			}
		}
		return append(diags, e.SelfSigned.check(d)...)
	}
	if !e.Has("certificate") || !e.Has("key") {
		ways := [][]string{{"certificate", "key"}, {"self_signed"}}
		switch {
		case e.Has("key"):
			ways = [][]string{{"certificate"}}
		case e.Has("certificate"):
			ways = [][]string{{"key"}}
		}
		return hcl.Diagnostics{e.Missing("Incomplete entry", fmt.Sprintf("entry %q needs certificate and key, or "+
			"self_signed. A certificate without a key is declared with trust.", alias), nil, ways...)}
	}
	for _, pem := range []struct {
		name string
		text declare.Secret
	}{{"certificate", e.Certificate}, {"chain", e.Chain}} {
		if !e.Known(pem.name) {
			continue
		}
		if _, err := ParseCertificates(pem.text.Reveal()); err != nil {
			diags = append(diags, e.Problem("Invalid certificate",
				fmt.Sprintf("%s of entry %q cannot be used: %v.", pem.name, alias, err), pem.name))
		}
	}
	if e.Known("key") {
		if _, err := parseKey(e.Key.Reveal()); err != nil {
			diags = append(diags, e.Problem("Invalid private key", fmt.Sprintf("The key of entry %q cannot be used: "+
				"%v.", alias, err), "key"))
		}
	}
	return diags
}

func (d *declaration) checkTrust(alias string) hcl.Diagnostics {
	t := d.Trust[alias]
	if !t.Known("certificate") {
		return nil
	}
	all, err := ParseCertificates(t.Certificate.Reveal())
	switch {
	case err != nil:
		return hcl.Diagnostics{t.Problem("Invalid certificate",
			fmt.Sprintf("certificate of trust %q cannot be used: %v.", alias, err), "certificate")}
	case len(all) > 1:
		return hcl.Diagnostics{t.Problem("Several certificates", fmt.Sprintf("certificate of trust %q holds %d "+
			"certificates. Give each trusted certificate an alias of its own.", alias, len(all)), "certificate")}
	}
	return nil
}

func (b *selfSignedBlock) check(d *declaration) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if b.Known("subject") {
		if _, _, err := parseName(b.Subject); err != nil {
			diags = append(diags, b.Problem("Invalid subject", fmt.Sprintf("%q cannot be a certificate's subject: "+
				"%v.", b.Subject, err), "subject"))
		}
	}
	for _, name := range known(b.Block, b.DNS, "dns") {
		if badName(name) != "" || net.ParseIP(name) != nil {
			diags = append(diags, b.Problem("Invalid host name", fmt.Sprintf("%q is not a host name; IP addresses belong "+
				"in ip.", name), "dns"))
		}
	}
	for _, ip := range known(b.Block, b.IP, "ip") {
		if net.ParseIP(ip) == nil {
			diags = append(diags, b.Problem("Invalid IP address", fmt.Sprintf("%q is not an IP address; host names belong "+
				"in dns.", ip), "ip"))
		}
	}
	if b.Known("days") && d.Known("expires_warning_days") && b.Days <= d.WarnDays {
		diags = append(diags, b.Problem("Validity too short", fmt.Sprintf("A certificate that is valid for %d days "+
			"would be renewed at once, because expires_warning_days is %d.", b.Days, d.WarnDays), "days"))
	}
	return diags
}

// badName says why something cannot be the name of a host, or returns "" if it can.
func badName(name string) string {
	switch {
	case net.ParseIP(name) != nil:
		return ""
	case name == "":
		return "it is empty"
	case strings.Contains(name, "://") || strings.Contains(name, "/"):
		return "give the host alone, without scheme and path"
	case strings.Contains(name, ":"):
		return "give the host alone, without a port"
	}
	plain := strings.TrimPrefix(name, "*.")
	if strings.Trim(strings.ToLower(plain), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || strings.Contains(plain,
		"..") {
		return "it has characters that host names do not have; other alphabets are written as in the DNS (xn--…)"
	}
	return ""
}
