package policy

import (
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/kballard/go-shellquote"
	"github.com/syncctl/syncctl/signing"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxSize is the maximum size of a policy file, in bytes.
const maxSize = 1 << 20

var fileSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "environment"}, {Name: "files"}, {Name: "commands"}, {Name: "nonsensitive"}, {Name: "signers"},
	},
	Blocks: []hcl.BlockHeaderSchema{{Type: "host", LabelNames: []string{"NAME"}}, {Type: "bundles"}},
}

var bundlesSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "max_bytes"}, {Name: "max_parts"}, {Name: "max_name"}},
}

var hostSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "commands"}, {Name: "files"}, {Name: "ssh_keys"}, {Name: "ssh_agent"},
		{Name: "variables"}, {Name: "environment"}, {Name: "ca"}, {Name: "host_keys"},
	},
}

// Parse reads a policy in HCL. name is the name of its file, and home replaces ~ in paths. If there are errors, the
// Policy allows nothing. The file is returned so that diagnostics can show its text.
func Parse(src []byte, name, home string) (*Policy, *hcl.File, hcl.Diagnostics) {
	if len(src) > maxSize {
		return &Policy{name: name}, nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Policy too large",
			Detail: fmt.Sprintf("%s is larger than %d bytes.", name, maxSize)}}
	}
	file, diags := hclparse.NewParser().ParseHCL(src, name)
	if diags.HasErrors() {
		return &Policy{name: name}, file, diags
	}
	r := &reader{home: home}
	p := r.policy(file.Body)
	if r.diags.HasErrors() {
		p = &Policy{}
	}
	p.name = name
	return p, file, r.diags
}

// reader is the state of one Parse.
type reader struct {
	home  string
	diags hcl.Diagnostics
}

func (r *reader) policy(body hcl.Body) *Policy {
	content, diags := body.Content(fileSchema)
	r.diags = append(r.diags, diags...)
	p := &Policy{}
	attrs := content.Attributes
	p.environment = r.texts(attrs["environment"], variableName)
	p.files = r.texts(attrs["files"], r.path)
	p.commands = r.commandLines(attrs["commands"])
	p.nonsensitive = r.flag(attrs["nonsensitive"])
	p.signers = r.texts(attrs["signers"], func(s string) (string, error) {
		return s, signing.CheckPublic(s, false)
	})
	bundles := 0
	for _, block := range content.Blocks {
		if block.Type == "bundles" {
			if bundles++; bundles > 1 {
				r.problem(block.DefRange, "Duplicate bundles block", "There is one already. Write all limits into one block.")
			}
			p.bundles = r.bundles(block)
			continue
		}
		p.hosts = append(p.hosts, r.host(block))
	}
	return p
}

func (r *reader) bundles(block *hcl.Block) BundleLimits {
	content, diags := block.Body.Content(bundlesSchema)
	r.diags = append(r.diags, diags...)
	return BundleLimits{
		Bytes: r.number(content.Attributes["max_bytes"], math.MaxInt64>>8),
		Parts: int(r.number(content.Attributes["max_parts"], 1<<20)),
		Name:  int(r.number(content.Attributes["max_name"], 4<<10)),
	}
}

// number returns a whole number from 1 to most, or 0 if it is missing or invalid.
func (r *reader) number(attr *hcl.Attribute, most int64) int64 {
	v, ok := r.value(attr, cty.Number)
	if !ok {
		return 0
	}
	n, exact := v.AsBigFloat().Int64()
	if exact != big.Exact || n < 1 || n > most {
		r.problem(attr.Expr.Range(), "Invalid "+attr.Name, fmt.Sprintf("It must be a whole number from 1 to %d.", most))
		return 0
	}
	return n
}

func (r *reader) host(block *hcl.Block) hostRule {
	content, diags := block.Body.Content(hostSchema)
	r.diags = append(r.diags, diags...)
	pattern := strings.ToLower(block.Labels[0])
	machine, _ := split(pattern)
	domain, wild := strings.CutPrefix(machine, "*")
	if machine == "" || strings.ContainsAny(strings.TrimPrefix(pattern, "*"), "*/@ ") ||
		wild && domain != "" && (domain[0] != '.' || domain == ".") {
		r.problem(block.LabelRanges[0], "Invalid host",
			"Write the name of a host, *.DOMAIN for all in a domain, or * for every host; with :PORT for that port alone.")
	}
	var files []filePattern
	attrs := content.Attributes
	r.texts(attrs["files"], func(s string) (string, error) {
		p, err := parsePattern(s)
		files = append(files, p)
		return s, err
	})
	return hostRule{
		pattern: pattern, commands: r.commandLines(attrs["commands"]), files: files,
		sshKeys: r.texts(attrs["ssh_keys"], r.path), sshAgent: r.flag(attrs["ssh_agent"]),
		variables: r.texts(attrs["variables"], variableName), environment: r.texts(attrs["environment"], variableName),
		ca: r.texts(attrs["ca"], fingerprint), hostKeys: r.texts(attrs["host_keys"], hostKey),
	}
}

// path makes the name of a file absolute.
func (r *reader) path(s string) (string, error) {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(s), "~/"); ok && r.home != "" {
		s = filepath.Join(r.home, rest)
	}
	if !filepath.IsAbs(s) {
		return "", fmt.Errorf("write an absolute path, or one that begins with ~/")
	}
	return filepath.Clean(s), nil
}

func (r *reader) commandLines(attr *hcl.Attribute) [][]string {
	var out [][]string
	r.texts(attr, func(s string) (string, error) {
		words, err := shellquote.Split(s)
		if err != nil || len(words) == 0 {
			return "", fmt.Errorf("write a command line: the program, its arguments, and * for any further ones")
		}
		out = append(out, words)
		return s, nil
	})
	return out
}

// texts returns a list of texts, each checked and converted by take.
func (r *reader) texts(attr *hcl.Attribute, take func(string) (string, error)) []string {
	list, ok := r.value(attr, cty.List(cty.String))
	if !ok {
		return nil
	}
	var out []string
	for it := list.ElementIterator(); it.Next(); {
		_, v := it.Element()
		if v.IsNull() {
			r.problem(attr.Expr.Range(), "Invalid "+attr.Name, "An element is null.")
			continue
		}
		text, err := take(v.AsString())
		if err != nil {
			r.problem(attr.Expr.Range(), "Invalid "+attr.Name, fmt.Sprintf("%q cannot be used: %v.", v.AsString(), err))
			continue
		}
		out = append(out, text)
	}
	return out
}

func (r *reader) flag(attr *hcl.Attribute) bool {
	v, ok := r.value(attr, cty.Bool)
	return ok && v.True()
}

// value returns an argument converted to a type; ok is false if it is missing or invalid. It cannot refer to anything.
func (r *reader) value(attr *hcl.Attribute, want cty.Type) (cty.Value, bool) {
	if attr == nil {
		return cty.NilVal, false
	}
	v, diags := attr.Expr.Value(nil)
	r.diags = append(r.diags, diags...)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	v, err := convert.Convert(v, want)
	if err != nil || v.IsNull() || !v.IsKnown() {
		r.problem(attr.Expr.Range(), "Invalid "+attr.Name, fmt.Sprintf("It must be a %s.", want.FriendlyName()))
		return cty.NilVal, false
	}
	return v, true
}

func (r *reader) problem(rng hcl.Range, summary, detail string) {
	r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &rng})
}
