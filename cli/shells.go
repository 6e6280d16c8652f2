package cli

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// shellScripts holds the scripts for bash and zsh. Cobra's complete nothing inside of quotes, as the shell finds no
// end of them, insert a common part of several words without quotes, and run what stands on the command line.
//
//go:embed shells
var shellScripts embed.FS

// inFish are changes to cobra's script for fish. It evaluates the words before the completed one without their quotes,
// so that a name with $(...) would run (spf13/cobra issue 2096); an open quote for it is a part of the completed word,
// and the last equals sign in that the one of a flag.
var inFish = [][2]string{
	{"(commandline -opc)", "(commandline -opc | string escape)"},
	{"(commandline -ct)", "(__syncctl_typed)"},
	{`-- '-.*=' "$lastArg"`, "-- '^-[^=]*=' (__syncctl_typed)"},
	{"SYNCCTL_ACTIVE_HELP=0 ", quotesVariable + "=1 "},
}

// typedInFish is a function for that script, which returns the word before the cursor without its quotes.
const typedInFish = `
function __syncctl_typed
    for quote in '' "'" '"'
        string unescape -- (commandline -ct)$quote
        and return
    end
end
`

// completionScripts makes `completion` write our own scripts.
func completionScripts(root *cobra.Command) {
	for shell, write := range map[string]func(*cobra.Command, io.Writer, bool) error{
		"bash": writeScript, "zsh": writeScript, "fish": writeFish,
	} {
		cmd, _, err := root.Find([]string{"completion", shell})
		if err != nil || cmd.Name() != shell { // the command line is about another command
			continue
		}
		cmd.Long = strings.Replace(cmd.Long, "This script depends on the 'bash-completion' package.\n"+
			"If it is not installed already, you can install it via your OS's package manager.\n\n", "", 1)
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			brief, err := cmd.Flags().GetBool("no-descriptions")
			return errors.Join(err, write(cmd, cmd.OutOrStdout(), !brief))
		}
	}
}

// writeScript writes the script for the shell after which a command is named.
func writeScript(cmd *cobra.Command, w io.Writer, descriptions bool) error {
	text, err := shellScripts.ReadFile("shells/syncctl." + cmd.Name())
	if err != nil {
		return fmt.Errorf("reading the script: %w", err)
	}
	if !descriptions {
		text = bytes.ReplaceAll(text, []byte(cobra.ShellCompRequestCmd+" "), []byte(cobra.ShellCompNoDescRequestCmd+" "))
	}
	_, err = w.Write(text)
	return err
}

func writeFish(cmd *cobra.Command, w io.Writer, descriptions bool) error {
	var made bytes.Buffer
	if err := cmd.Root().GenFishCompletion(&made, descriptions); err != nil {
		return err
	}
	script := made.String()
	for _, change := range inFish {
		if !strings.Contains(script, change[0]) {
			return fmt.Errorf("the script for fish has no %s, so that it is not known to quote what it evaluates", change[0])
		}
		script = strings.ReplaceAll(script, change[0], change[1])
	}
	_, err := io.WriteString(w, script+typedInFish)
	return err
}
