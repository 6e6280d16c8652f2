package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// fishWords is how cobra's script for fish has the words before the one that is completed: without their quotes. They
// are part of a command that the script evaluates, so that a name with $(...) in it would run (spf13/cobra issue 2096).
const fishWords = "(commandline -opc)"

// quoteInFish lets `completion fish` write a script that gives the words their quotes again.
func quoteInFish(root *cobra.Command) {
	fish, _, err := root.Find([]string{"completion", "fish"})
	if err != nil || fish.Name() != "fish" { // the command line is about another command
		return
	}
	fish.RunE = func(cmd *cobra.Command, _ []string) error {
		brief, err := cmd.Flags().GetBool("no-descriptions")
		if err != nil {
			return err
		}
		return writeFish(root, cmd.OutOrStdout(), !brief)
	}
}

func writeFish(root *cobra.Command, w io.Writer, descriptions bool) error {
	var script bytes.Buffer
	if err := root.GenFishCompletion(&script, descriptions); err != nil {
		return err
	}
	quoted := strings.ReplaceAll(script.String(), fishWords, "(commandline -opc | string escape)")
	if quoted == script.String() {
		return fmt.Errorf("the script for fish has no %s, so that it is not known to quote what it evaluates", fishWords)
	}
	_, err := io.WriteString(w, quoted)
	return err
}
