package keystore

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// declaration is a keystore as it is written in the configuration.
type declaration struct {
	declare.Block

	Path             string         `decl:"path"`
	Password         declare.Secret `decl:"password"`
	PreviousPassword declare.Secret `decl:"previous_password"`
	Java             int            `decl:"java"`
	Names            []string       `decl:"names"`
	WarnDays         int            `decl:"expires_warning_days"`
	KeepOthers       bool           `decl:"keep_others"`

	Host    *declare.Host         `decl:"host"`
	Entries map[string]entryBlock `decl:"entry"` // by alias
	Trust   map[string]trustBlock `decl:"trust"`
}

// entryBlock is a private key with its certificates, either given or made by syncctl.
type entryBlock struct {
	declare.Block

	Certificate declare.Secret   `decl:"certificate"`
	Chain       declare.Secret   `decl:"chain"`
	Key         declare.Secret   `decl:"key"`
	SelfSigned  *selfSignedBlock `decl:"self_signed"`
}

type selfSignedBlock struct {
	declare.Block

	Subject string   `decl:"subject"`
	DNS     []string `decl:"dns"`
	IP      []string `decl:"ip"`
	Days    int      `decl:"days"`
	KeyType string   `decl:"key_type"`
}

// trustBlock is a trusted certificate.
type trustBlock struct {
	declare.Block

	Certificate declare.Secret `decl:"certificate"`
}

// Defaults of the language.
const (
	defaultJava = 17
	defaultWarn = 30
	defaultDays = 825
	leastJava   = 6
)

// Types returns the two formats of keystores.
func (d *Driver) Types() []schema.Type {
	return []schema.Type{
		keystoreType(PKCS12, "A keystore in PKCS#12, which Java and openssl share: keys with their certificates, and "+
			"certificates that are trusted."),
		keystoreType(JKS, "A keystore in Java's own older format (JKS): keys with their certificates, and certificates "+
			"that are trusted."),
	}
}

func keystoreType(f Format, summary string) schema.Type {
	return declare.Type(schema.Type{Kind: schema.Keystore, Name: string(f), Summary: summary, Example: example(f),
		Full: full(f),
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "path", Type: cty.String, Required: true,
					Doc: "The file. With host, an absolute name on that machine; otherwise on this machine, where a relative name " +
						"starts at the folder of the configuration."},
				{Name: "password", Type: cty.String, Required: true, Secret: true,
					Doc: "Password of the keystore and of the keys in it."},
				{Name: "previous_password", Type: cty.String, Secret: true,
					Doc: "The former password: a file that still opens with it is changed to password."},
				{Name: "java", Type: cty.Number, Whole: true, Least: leastJava, Unit: "Java release",
					Default: cty.NumberIntVal(defaultJava),
					Doc: "The Java release that must be able to read it: 8, 11, 17. Before 11 the file is protected with older " +
						"algorithms, because Java 8 before update 301 knows no others."},
				{Name: "names", Type: cty.List(cty.String),
					Doc: "Host names and IP addresses that clients use for the server: each must be among the alternative names " +
						"of a certificate."},
				{Name: "expires_warning_days", Type: cty.Number, Whole: true, Unit: "days", Default: cty.NumberIntVal(defaultWarn),
					Doc: "How many days before a certificate expires the plan warns, and a self-signed one is renewed."},
				{Name: "keep_others", Type: cty.Bool, Default: cty.True,
					Doc: "Whether undeclared entries of the file stay. false: they are removed; the plan names them."},
			},
			Blocks: []schema.Block{
				{Name: "host",
					Doc:  "The machine that has the file, reached over SSH. Without it: this machine.",
					Body: schema.Body{Attributes: declare.HostAttributes(true)}},
				{Name: "entry", Label: "alias",
					Doc: "A private key with its certificates, by its alias.", Body: entryBody()},
				{Name: "trust", Label: "alias",
					Doc: "A certificate that is trusted, by its alias.",
					Body: schema.Body{Attributes: []schema.Attribute{
						{Name: "certificate", Type: cty.String, Required: true,
							Doc: "The certificate (PEM), one."},
					}}},
			},
		}}, func(d *declaration) hcl.Diagnostics { return d.check() })
}

func entryBody() schema.Body {
	return schema.Body{
		Attributes: []schema.Attribute{
			{Name: "certificate", Type: cty.String,
				Doc: "Certificate of the key (PEM), followed by those of its issuers unless chain has them."},
			{Name: "chain", Type: cty.String,
				Doc: "Certificates of the issuers (PEM), each followed by that of its own issuer. The root of a public CA may " +
					"be left out."},
			{Name: "key", Type: cty.String, Secret: true,
				Doc: "The private key (PEM), not encrypted."},
		},
		Blocks: []schema.Block{{Name: "self_signed",
			Doc: "Instead of certificate and key: both are made once, and kept while they are as declared and do not " +
				"expire soon.", Body: schema.Body{Attributes: []schema.Attribute{
				{Name: "subject", Type: cty.String, Required: true,
					Doc: "The certificate's subject: CN=server.example, O=ACME, C=DE."},
				{Name: "dns", Type: cty.List(cty.String),
					Doc: "Host names that it covers."},
				{Name: "ip", Type: cty.List(cty.String),
					Doc: "IP addresses that it covers."},
				{Name: "days", Type: cty.Number, Whole: true, Least: 1, Unit: "days",
					Default: cty.NumberIntVal(defaultDays),
					Doc:     "How many days it is valid. A change takes effect when it is renewed."},
				{Name: "key_type", Type: cty.String, Default: cty.StringVal("rsa-3072"),
					OneOf: slices.Sorted(maps.Keys(keyTypes)),
					Doc:   "Kind of the key."},
			}}}},
	}
}
