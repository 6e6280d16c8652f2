package policy

import (
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/kballard/go-shellquote"
	"github.com/zclconf/go-cty/cty"
)

// Used is what a configuration uses, so what its policy must allow.
type Used struct {
	Environment  []string
	Files        []string // absolute
	Commands     [][]string
	Nonsensitive bool
	Hosts        map[string]*UsedHost // by HOST:PORT
}

// UsedHost is what a configuration uses of one host.
type UsedHost struct {
	Commands [][]string
	Files    []string // on the host, absolute
	SSHKeys  []string // absolute
	SSHAgent bool
}

const head = `# What configurations may make syncctl do for you. Everything that is not named here is refused.
# Read each line before you rely on it: docs/policy.md explains them.

`

// Write writes a policy that allows exactly what is used.
func Write(w io.Writer, used Used) error {
	file := hclwrite.NewEmptyFile()
	body := file.Body()
	body.SetAttributeValue("environment", list(used.Environment))
	body.SetAttributeValue("files", list(used.Files))
	body.SetAttributeValue("commands", list(lines(used.Commands)))
	body.SetAttributeValue("nonsensitive", cty.BoolVal(used.Nonsensitive))
	names := make([]string, 0, len(used.Hosts))
	for name := range used.Hosts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		host := used.Hosts[name]
		body.AppendNewline()
		in := body.AppendNewBlock("host", []string{name}).Body()
		if len(host.Commands) > 0 {
			in.SetAttributeValue("commands", list(lines(host.Commands)))
		}
		if len(host.Files) > 0 {
			in.SetAttributeValue("files", list(host.Files))
		}
		if len(host.SSHKeys) > 0 {
			in.SetAttributeValue("ssh_keys", list(host.SSHKeys))
		}
		if host.SSHAgent {
			in.SetAttributeValue("ssh_agent", cty.True)
		}
	}
	_, err := w.Write(append([]byte(head), hclwrite.Format(file.Bytes())...))
	return err
}

// list returns a sorted list of texts without duplicates.
func list(texts []string) cty.Value {
	texts = slices.Compact(slices.Sorted(slices.Values(texts)))
	if len(texts) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	values := make([]cty.Value, len(texts))
	for i, t := range texts {
		values[i] = cty.StringVal(t)
	}
	return cty.TupleVal(values)
}

func lines(commands [][]string) []string {
	out := make([]string, len(commands))
	for i, args := range commands {
		out[i] = line(args)
	}
	return out
}

// line returns a command as it is written in a policy.
func line(args []string) string {
	open := len(args) > 0 && args[len(args)-1] == "*"
	if !open {
		return shellquote.Join(args...)
	}
	return strings.TrimSpace(shellquote.Join(args[:len(args)-1]...) + " *")
}

// quote returns a command as an element of a policy's list.
func quote(args []string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(line(args))).Bytes())
}
