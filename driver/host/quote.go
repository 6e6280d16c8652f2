package host

import (
	"slices"
	"strings"
)

// Quote quotes a command so that a POSIX shell splits it into the same words, whatever they contain except NUL
// characters. Run sends it, and a person can type it.
func Quote(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		if plain(arg) && (i > 0 || !strings.Contains(arg, "=") && !slices.Contains(reserved, arg)) {
			words[i] = arg
			continue
		}
		words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}

// plain reports whether a shell takes a word literally. A leading = or % is special in some shells.
func plain(word string) bool {
	if word == "" || word[0] == '=' || word[0] == '%' {
		return false
	}
	return strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%") == ""
}

// reserved words begin something other than a command. A word with = before the program is a variable.
var reserved = []string{
	"case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then",
	"time", "until", "while",
}

// line returns the text that is sent to a machine's shell. With exec the program replaces the shell, as most shells
// do anyway for a line with a single command. Then the exit status is the program's own, and a signal reaches only
// the program.
func (c Command) line() string {
	if c.Dir == "" {
		return Quote(c.Args)
	}
	dir := c.Dir
	if !strings.HasPrefix(dir, "/") {
		dir = "./" + dir // for cd, "-" is the previous folder, and a bare name is looked up in CDPATH
	}
	return "cd " + Quote([]string{".", dir})[2:] + " && exec " + Quote(c.Args)
}
