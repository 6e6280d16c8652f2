package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// fishWords is the part of cobra's script for fish that reads the words before the completed one, without their
// quotes. The script evaluates a command that contains them, so that a name with $(...) would run (spf13/cobra issue
// 2096).
const fishWords = "(commandline -opc)"

// quoteInFish makes `completion fish` write a script that quotes the words again.
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
