package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// mostOfTargets is the maximum size of a file of -target-file or -exclude-file, in bytes.
const mostOfTargets = 1 << 20

// targetFlags adds the flags that limit a plan, with completion.
func (c *command) targetFlags(cmd *cobra.Command, to *planner.Selection) {
	for _, flag := range []struct {
		name, help string
		to         *[]string
	}{
		{"target", "only this declaration and what it depends on, as `ADDRESS`, in which * stands for any text; may be " +
			"repeated",
			&to.Targets},
		{"exclude", "not this declaration, nor what depends on it, as `ADDRESS`, in which * stands for any " +
			"text; may be repeated", &to.Excludes},
	} {
		cmd.Flags().StringArrayVar(flag.to, flag.name, nil, flag.help)
		_ = cmd.RegisterFlagCompletionFunc(flag.name, c.words(c.completeTargets))
		cmd.Flags().Var(&addressFile{c: c, to: flag.to}, flag.name+"-file",
			"as -"+flag.name+", for each line of `FILE`; a line may begin with # for a comment")
	}
}

// replaceFlag adds the flag that replaces declarations, with completion.
func (c *command) replaceFlag(cmd *cobra.Command, to *planner.Selection) {
	cmd.Flags().StringArrayVar(&to.Replaces, planner.ReplaceFlag, nil, "make again what there is of this declaration, "+
		"though it may be as declared, as `ADDRESS`: the self-signed certificates of a keystore, or the configurations of "+
		"a synchronization whose product keeps what they have brought; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc(planner.ReplaceFlag, c.words(c.completeReplaced))
}

// addressFile is a flag whose value is a file of addresses, one on each line.
type addressFile struct {
	c    *command
	to   *[]string
	name string
}

func (f *addressFile) String() string { return f.name }
func (f *addressFile) Type() string   { return "string" }

// Set stores the name. It is resolved later, when -chdir is known.
func (f *addressFile) Set(name string) error {
	f.name = name
	*f.to = append(*f.to, fileOfAddresses+name)
	return nil
}

// fileOfAddresses is the prefix of a placeholder for the lines of a file. No address begins with it.
const fileOfAddresses = "\x00file:"

// fromFile is the line of a file where a pattern of a flag stands.
type fromFile map[struct{ flag, pattern string }]string // FILE:LINE

// addresses returns the patterns of a flag, including those in its files, whose lines it adds to from.
func (c *command) addresses(flag string, given []string, from fromFile) ([]string, error) {
	var out []string
	for _, g := range given {
		name, ok := strings.CutPrefix(g, fileOfAddresses)
		if !ok {
			out = append(out, g)
			continue
		}
		text, err := schema.ReadNamed(c.app.fs, c.access(), schema.Reading{Path: c.abs(name), By: "-" + flag + "-file",
			Most: mostOfTargets})
		if err != nil {
			return nil, fmt.Errorf("-%s-file: reading addresses: %w", flag, err)
		}
		before := len(out)
		for i, line := range strings.Split(string(text), "\n") {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			out = append(out, line)
			if at := (struct{ flag, pattern string }{flag, line}); from[at] == "" && !slices.Contains(given, line) {
				from[at] = fmt.Sprintf("%s:%d", name, i+1)
			}
		}
		if len(out) == before {
			return nil, failf(exitError, "-%s-file=%s holds no address", flag, name)
		}
	}
	return out, nil
}

// said returns an error about a pattern of a flag, with the line of a file where it stands.
func (f fromFile) said(flag, pattern, words string, err error) string {
	if at := f[struct{ flag, pattern string }{flag, pattern}]; at != "" {
		return fmt.Sprintf("-%s-file: %s: %s", flag, at, words)
	}
	return err.Error()
}

// targets resolves the flags' selection, and replaces files of addresses by their contents. An unknown address is an
// error that suggests the address probably meant.
func (c *command) targets(cfg *schema.Config, only *planner.Selection) (chosen, error) {
	var err error
	from := fromFile{}
	if only.Targets, err = c.addresses(planner.Target, only.Targets, from); err != nil {
		return chosen{}, err
	}
	if only.Excludes, err = c.addresses(planner.Exclude, only.Excludes, from); err != nil {
		return chosen{}, err
	}
	out, err := choose(cfg, *only)
	var none *planner.NoMatchError
	var long *planner.LongPatternError
	switch {
	case errors.As(err, &long):
		return chosen{}, failf(exitError, "%s", from.said(long.Flag, long.Pattern, long.Words(), long))
	case errors.As(err, &none) && none.Flag == planner.ReplaceFlag:
		if within, err := planner.Select(cfg, planner.Selection{Targets: []string{none.Pattern}}); err == nil {
			return chosen{}, failf(exitError, "-%s=%s takes the whole address of one declaration, such as %s", none.Flag,
				none.Pattern, within[0])
		}
	}
	if none != nil {
		return chosen{}, failf(exitError, "%s.%s", from.said(none.Flag, none.Pattern, none.Words(), none),
			meantTarget(cfg, none.Pattern)+keptQuotes(cfg, none, from))
	}
	return out, err
}

// chosen is the result of a selection in a configuration, for planner.Input.
type chosen struct{ targets, replace []schema.Addr }

func choose(cfg *schema.Config, only planner.Selection) (chosen, error) {
	targets, err := planner.Select(cfg, only)
	if err != nil {
		return chosen{}, err
	}
	replace, err := planner.SelectReplaced(cfg, only)
	return chosen{targets, replace}, err
}

func (c *command) completeTargets(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	seen := map[string]bool{}
	add := func(name, where string) {
		if !seen[name] && c.offeredAddress(name) {
			seen[name] = true
			out = append(out, cobra.CompletionWithDesc(name, where))
		}
	}
	var last schema.Addr
	bare := map[string]string{"": ""} // each module without its keys, which are found out once
	for _, r := range c.declared(ctx).Named {
		all := r.Addr
		if _, known := bare[all.Module]; !known {
			for _, m := range all.Modules() {
				add(m, "a module")
			}
			bare[all.Module] = all.All().Module
		}
		all.Index, all.Module = "", bare[all.Module]
		where := placeOf(r.Range)
		if all != r.Addr && all != last {
			add(all.String(), where)
			last = all
		}
		if name := r.Addr.String(); c.offeredAddress(name) { // there is one of it
			out = append(out, cobra.CompletionWithDesc(name, where))
		}
	}
	return out
}

// placeOf is hcl.Range.String, which takes as long as all else that is said of a declaration.
func placeOf(r hcl.Range) string {
	if r.Start.Line != r.End.Line {
		return r.String()
	}
	return r.Filename + ":" + strconv.Itoa(r.Start.Line) + "," + strconv.Itoa(r.Start.Column) + "-" +
		strconv.Itoa(r.End.Column)
}

// completeReplaced returns the whole addresses of what may be replaced, as far as its type tells.
func (c *command) completeReplaced(ctx context.Context) []cobra.Completion {
	_, drivers := c.catalog()
	var out []cobra.Completion
	for _, r := range c.declared(ctx).Named {
		of := drivers[typeKey{r.Addr.Kind, r.Addr.Type}]
		if of != nil && planner.MayBeReplaced(of, r.Addr) && c.offeredAddress(r.Addr.String()) {
			out = append(out, cobra.CompletionWithDesc(r.Addr.String(), r.Range.String()))
		}
	}
	return out
}

// keptQuotes tells how an address is typed whose quotes the shell has taken off. It returns "" if that is not what
// happened.
func keptQuotes(cfg *schema.Config, none *planner.NoMatchError, from fromFile) string {
	if from[struct{ flag, pattern string }{none.Flag, none.Pattern}] != "" || strings.Contains(none.Pattern, `"`) {
		return ""
	}
	for _, r := range cfg.Resources {
		for _, name := range append(r.Addr.Modules(), r.Addr.String()) {
			if name != none.Pattern && withoutQuotes(name) == none.Pattern {
				quoted := shellquote.Join(name)
				if !strings.Contains(name, "'") { // easier to read
					quoted = "'" + name + "'"
				}
				return " A shell takes quotes off: write -" + none.Flag + "=" + quoted
			}
		}
	}
	return ""
}

// meantTarget explains a pattern that matches nothing: it suggests an address or a module with a similar name, the
// same address inside of the modules, or the syntax of patterns.
func meantTarget(cfg *schema.Config, pattern string) string {
	var names, within []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	bare := func(text string) string {
		return strings.NewReplacer(`["`, ".", `"]`, "", "[", ".", "]", "").Replace(text)
	}
	for _, r := range cfg.Resources {
		for _, name := range append(r.Addr.Modules(), r.Addr.All().String(), r.Addr.String()) {
			if add(name); name != pattern && bare(name) == bare(pattern) { // a key without its quotes
				return ` Did you mean "` + name + `"?`
			}
		}
		in := r.Addr
		if in.Module = ""; r.Addr.Module != "" && (in.String() == pattern || in.All().String() == pattern) {
			within = append(within, r.Addr.String())
		}
	}
	if len(within) > 0 {
		return fmt.Sprintf(" In modules there is %s: write it whole, or *.%s for all of them.", within[0], pattern)
	}
	return args.DidYouMean(pattern, names, " `syncctl docs addresses` says how they are written.")
}
