package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// enumeration is a flag whose value is one of several words.
type enumeration struct {
	value  string
	values []string
}

func (e *enumeration) String() string { return e.value }
func (e *enumeration) Type() string   { return "string" }

func (e *enumeration) Set(s string) error {
	if !slices.Contains(e.values, s) {
		last := len(e.values) - 1
		return errors.New("use " + strings.Join(e.values[:last], ", ") + " or " + e.values[last])
	}
	e.value = s
	return nil
}

func (e *enumeration) complete(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return e.values, cobra.ShellCompDirectiveNoFileComp
}
