package policy

import (
	"errors"
	"fmt"
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

	Variables   []string // that hold secrets
	Environment []string // the same, of the environment
	CA          []string // fingerprints of authorities
	HostKeys    []string // fingerprints
}

const head = `# What configurations may make syncctl do for you. Everything that is not named here is refused.
# Read each line before you rely on it: docs/policy.md explains them.

`

// Literal returns an error if a name would mean others, too, in a policy.
func Literal(name string) error {
	if name == "" {
		return errors.New("without a name cannot be named in a policy")
	}
	if strings.Contains(name, "*") {
		return fmt.Errorf("%q cannot be named in a policy, where * stands for anything: use a name without *", name)
	}
	return nil
}

// literal returns an error if a policy that names what is used would allow more. A command that is * alone, or that is
// used on another machine, means any.
func (u *Used) literal() error {
	for _, name := range u.Environment {
		if err := Literal(name); err != nil {
			return fmt.Errorf("the environment variable %w", err)
		}
	}
	for _, args := range u.Commands {
		if len(args) > 1 && args[len(args)-1] == "*" {
			return fmt.Errorf("the last argument of the command %w", Literal("*"))
		}
	}
	for name, host := range u.Hosts {
		if err := Literal(name); err != nil {
			return fmt.Errorf("the host %w", err)
		}
		for _, file := range host.Files {
			if err := Literal(file); err != nil {
				return fmt.Errorf("the file on %s %w", name, err)
			}
		}
	}
	return nil
}

// Write writes a policy that allows exactly what is used. If a policy cannot say it, that is an error.
func Write(w io.Writer, used Used) error {
	if err := used.literal(); err != nil {
		return err
	}
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
		for _, l := range []struct {
			name  string
			texts []string
		}{
			{"commands", lines(host.Commands)}, {"files", host.Files}, {"ssh_keys", host.SSHKeys}, {"variables", host.Variables},
			{"environment", host.Environment}, {"ca", host.CA}, {"host_keys", host.HostKeys},
		} {
			if len(l.texts) > 0 {
				in.SetAttributeValue(l.name, list(l.texts))
			}
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
