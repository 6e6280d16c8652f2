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
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Types are the two kinds of keystores.
func (d *Driver) Types() []schema.Type {
	return []schema.Type{
		keystoreType(PKCS12, "A keystore in PKCS#12, which Java and openssl share: keys with their certificates, and certificates that are trusted."),
		keystoreType(JKS, "A keystore in Java's own older format (JKS): keys with their certificates, and certificates that are trusted."),
	}
}

// Defaults of the language.
const (
	defaultJava = 17
	defaultWarn = 30
	defaultDays = 825
	leastJava   = 6
)

func keystoreType(f Format, summary string) schema.Type {
	return schema.Type{
		Kind: schema.Keystore, Name: string(f), Summary: summary, Check: check,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "path", Type: cty.String, Required: true, Doc: "The file. With host an absolute name on that machine; otherwise it lies on this one, and a relative name means the folder of the configuration."},
				{Name: "password", Type: cty.String, Required: true, Secret: true, Doc: "Password of the keystore and of the keys in it."},
				{Name: "previous_password", Type: cty.String, Secret: true, Doc: "What the password was before: a file that still opens with it is changed to password."},
				{Name: "java", Type: cty.Number, Whole: true, Least: leastJava, Default: cty.NumberIntVal(defaultJava), Doc: "The Java release that must be able to read it: 8, 11, 17. Before 11 the file is protected with older algorithms, since Java 8 before update 301 knows no others."},
				{Name: "names", Type: cty.List(cty.String), Doc: "Host names and IP addresses that the server is reached by: each must be among the alternative names of a certificate."},
				{Name: "expires_warning_days", Type: cty.Number, Whole: true, Default: cty.NumberIntVal(defaultWarn), Doc: "How many days before a certificate expires that is said, and a self-signed one made anew."},
				{Name: "keep_others", Type: cty.Bool, Default: cty.True, Doc: "Whether what the file has and is not declared stays. false: it is removed; the plan names it."},
			},
			Blocks: []schema.Block{
				{Name: "host", Doc: "The machine that the file lies on, reached over SSH. Without it: this machine.", Body: schema.Body{Attributes: HostAttributes()}},
				{Name: "entry", Label: "alias", Doc: "A private key with its certificates, by its alias.", Body: schema.Body{
					Attributes: []schema.Attribute{
						{Name: "certificate", Type: cty.String, Doc: "Certificate of the key (PEM), and after it those of its issuers, or these as chain."},
						{Name: "chain", Type: cty.String, Doc: "Certificates of the issuers (PEM), each followed by that of its own issuer. The root may be left out where it is a public one."},
						{Name: "key", Type: cty.String, Secret: true, Doc: "The private key (PEM), not encrypted."},
					},
					Blocks: []schema.Block{{Name: "self_signed", Doc: "Instead of certificate and key: both are made, once, and kept as long as they are what is declared and do not expire soon.", Body: schema.Body{Attributes: []schema.Attribute{
						{Name: "subject", Type: cty.String, Required: true, Doc: "Whose it is: CN=server.example, O=ACME, C=DE."},
						{Name: "dns", Type: cty.List(cty.String), Doc: "Host names that it is for."},
						{Name: "ip", Type: cty.List(cty.String), Doc: "IP addresses that it is for."},
						{Name: "days", Type: cty.Number, Whole: true, Least: 1, Default: cty.NumberIntVal(defaultDays), Doc: "How many days it is valid. A change counts when it is made anew."},
						{Name: "key_type", Type: cty.String, Default: cty.StringVal("rsa-3072"), OneOf: slices.Sorted(maps.Keys(keyTypes)), Doc: "Kind of the key."},
					}}}},
				}},
				{Name: "trust", Label: "alias", Doc: "A certificate that is trusted, by its alias.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "certificate", Type: cty.String, Required: true, Doc: "The certificate (PEM), one."},
				}}},
			},
		},
	}
}

func problem(r *schema.Resource, summary, detail string, path ...string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: r.RangeOf(path...)}
}

// known: the value is there, and no secret.
func known(v cty.Value) bool { return !schema.IsSensitive(v) && v.IsWhollyKnown() && !v.IsNull() }

// check holds the rules that need no look at any file.
func check(r *schema.Resource) hcl.Diagnostics {
	c := &declarationCheck{r: r}
	c.place()
	c.others()
	for _, alias := range aliases(r, "entry") {
		c.entry(alias)
	}
	for _, alias := range aliases(r, "trust") {
		c.certificates(1, "trust", alias, "certificate")
	}
	c.names()
	return append(c.diags, checkHost(r, "host")...)
}

type declarationCheck struct {
	r     *schema.Resource
	diags hcl.Diagnostics
}

func (c *declarationCheck) say(summary, detail string, path ...string) {
	c.diags = append(c.diags, problem(c.r, summary, detail, path...))
}

func (c *declarationCheck) place() {
	v := c.r.Get("path")
	if !known(v) {
		return
	}
	name := v.AsString()
	switch {
	case name == "" || strings.HasSuffix(name, "/") || strings.ContainsRune(name, 0):
		c.say("No file", fmt.Sprintf("path must name a file, and %q does not.", name), "path")
	case hasHost(c.r) && !path.IsAbs(name):
		c.say("Where on the other machine?", fmt.Sprintf("With host, path is an absolute name such as /etc/keys/%s.", filepath.Base(name)), "path")
	}
	if p := c.r.Get("password"); p.IsKnown() && reveal(c.r, "password") == "" {
		c.say("Empty password", "A keystore without a password protects nothing, and Java does not open it.", "password")
	}
}

// others: rules that span the aliases.
func (c *declarationCheck) others() {
	seen := map[string]string{}
	for _, kind := range []string{"entry", "trust"} {
		for _, alias := range aliases(c.r, kind) {
			if first, ok := seen[fold(alias)]; ok {
				c.say("One alias twice", fmt.Sprintf("%s %q: the alias is taken by %s. Java knows no capitals in aliases, and keys and trusted certificates share them.", kind, alias, first), kind, alias)
			}
			if strings.ContainsFunc(alias, unicode.IsControl) {
				c.say("Not an alias", fmt.Sprintf("%s %q: an alias has no control characters.", kind, alias), kind, alias)
			}
			seen[fold(alias)] = fmt.Sprintf("%s %q", kind, alias)
		}
	}
	file := place(c.r)
	for _, peer := range c.r.Peers {
		if file != "" && place(peer) == file {
			c.say("One file twice", fmt.Sprintf("%s writes the same file.", peer.Addr), "path")
		}
	}
}

// place is which file a declaration writes, "" where that is not known.
func place(r *schema.Resource) string {
	if !known(r.Get("path")) || !r.Get("host", "ssh").IsKnown() {
		return ""
	}
	return r.Text("host", "ssh") + " " + filepath.Clean(r.Text("path"))
}

func (c *declarationCheck) entry(alias string) {
	has := func(name string) bool { return !c.r.Get("entry", alias, name).IsNull() }
	switch {
	case has("self_signed"):
		for _, name := range []string{"certificate", "chain", "key"} {
			if has(name) {
				c.say("Made or given?", fmt.Sprintf("With self_signed, certificate and key are made: take out %s, or self_signed.", name), "entry", alias, name)
			}
		}
		c.selfSigned(alias)
		return
	case !has("certificate") || !has("key"):
		c.say("Incomplete entry", fmt.Sprintf("entry %q needs certificate and key, or self_signed. A certificate without a key is declared with trust.", alias), "entry", alias)
		return
	}
	c.certificates(0, "entry", alias, "certificate")
	if has("chain") {
		c.certificates(0, "entry", alias, "chain")
	}
	if v := c.r.Get("entry", alias, "key"); v.IsKnown() {
		if _, err := parseKey(reveal(c.r, "entry", alias, "key")); err != nil {
			c.say("Not a private key", fmt.Sprintf("The key of entry %q cannot be used: %v.", alias, err), "entry", alias, "key")
		}
	}
}

// certificates: there are as many as there may be; most 0: any number.
func (c *declarationCheck) certificates(most int, path ...string) {
	v := c.r.Get(path...)
	if !v.IsKnown() || v.IsNull() {
		return
	}
	all, err := ParseCertificates(reveal(c.r, path...))
	if err != nil {
		c.say("Not a certificate", fmt.Sprintf("%s of %s %q cannot be used: %v.", path[2], path[0], path[1], err), path...)
	} else if most > 0 && len(all) > most {
		c.say("Several certificates", fmt.Sprintf("%s of %s %q holds %d certificates. Each that is trusted has an alias of its own.", path[2], path[0], path[1], len(all)), path...)
	}
}

func (c *declarationCheck) selfSigned(alias string) {
	path := []string{"entry", alias, "self_signed"}
	at := func(name string) []string { return append(slices.Clone(path), name) }
	if v := c.r.Get(at("subject")...); known(v) {
		if _, _, err := parseName(v.AsString()); err != nil {
			c.say("Not a subject", fmt.Sprintf("%q is no name of a certificate: %v.", v.AsString(), err), at("subject")...)
		}
	}
	for _, name := range texts(c.r.Get(at("dns")...)) {
		if why := badName(name); why != "" || net.ParseIP(name) != nil {
			c.say("Not a host name", fmt.Sprintf("%q is no host name; IP addresses stand in ip.", name), at("dns")...)
		}
	}
	for _, ip := range texts(c.r.Get(at("ip")...)) {
		if net.ParseIP(ip) == nil {
			c.say("Not an IP address", fmt.Sprintf("%q is no IP address; host names stand in dns.", ip), at("ip")...)
		}
	}
	days, warn := c.r.Get(at("days")...), c.r.Get("expires_warning_days")
	if known(days) && known(warn) && days.LessThanOrEqualTo(warn).True() {
		c.say("Never long enough", fmt.Sprintf("A certificate that is valid for %s days would be made anew at once, since expires_warning_days is %s.", schema.Text(days), schema.Text(warn)), at("days")...)
	}
}

func (c *declarationCheck) names() {
	for _, name := range texts(c.r.Get("names")) {
		if why := badName(name); why != "" {
			c.say("Not an address", fmt.Sprintf("%q is neither a host name nor an IP address: %s.", name, why), "names")
		}
	}
}

// badName says why something cannot be the name of a host, "" if it can.
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
	if strings.Trim(strings.ToLower(plain), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || strings.Contains(plain, "..") {
		return "it has characters that host names do not have; other alphabets are written as in the DNS (xn--…)"
	}
	return ""
}

// aliases are the labels of a kind of block, sorted.
func aliases(r *schema.Resource, kind string) []string {
	v := schema.Reveal(r.Get(kind)) // for its keys alone
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return nil
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		k, _ := it.Element()
		out = append(out, k.AsString())
	}
	slices.Sort(out)
	return out
}

// texts is a list of strings, nil when there is none or it is not known.
func texts(v cty.Value) []string {
	if !known(v) || !v.CanIterateElements() {
		return nil
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, schema.Text(e))
	}
	return out
}

func reveal(r *schema.Resource, path ...string) string {
	v := schema.Reveal(r.Get(path...))
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}
