package cli

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
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

// writeScript writes the script of a shell.
func writeScript(w io.Writer, root *cobra.Command, shell string, descriptions bool) error {
	switch {
	case shell == "bash" || shell == "zsh":
		return writeOwn(w, shell, descriptions)
	case shell == "fish":
		return writeFish(w, root, descriptions)
	case shell == "powershell" && descriptions:
		return root.GenPowerShellCompletionWithDesc(w)
	case shell == "powershell":
		return root.GenPowerShellCompletion(w)
	}
	return failf(exitError, "there is no script for the shell %q.%s", shell,
		args.DidYouMean(shell, shells, " There are scripts for "+strings.Join(shells, ", ")+"."))
}

// writeOwn writes a script of our own.
func writeOwn(w io.Writer, shell string, descriptions bool) error {
	text, err := shellScripts.ReadFile("shells/syncctl." + shell)
	if err != nil {
		return fmt.Errorf("reading the script: %w", err)
	}
	if !descriptions {
		text = bytes.ReplaceAll(text, []byte(cobra.ShellCompRequestCmd+" "), []byte(cobra.ShellCompNoDescRequestCmd+" "))
	}
	_, err = w.Write(text)
	return err
}

func writeFish(w io.Writer, root *cobra.Command, descriptions bool) error {
	var made bytes.Buffer
	if err := root.GenFishCompletion(&made, descriptions); err != nil {
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
