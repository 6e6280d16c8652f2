package host

import (
	"slices"
	"strings"
)

// Quote writes a command so that a POSIX shell takes it apart into the same words, whatever is in them but NUL
// characters. It is what Run sends, and what a person can type.
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

// plain tells whether a word means itself to a shell. A leading = or % means more to some shells.
func plain(word string) bool {
	if word == "" || word[0] == '=' || word[0] == '%' {
		return false
	}
	return strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%") == ""
}

// reserved words begin something else than a command; a word with = before the program is a variable.
var reserved = []string{
	"case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then",
	"time", "until", "while",
}

// line is what is sent to a machine's shell. With exec the shell gives its place to the program, as most do by
// themselves for a line that is one command: the exit status is then the program's own, and a signal
// meets it alone.
func (c Command) line() string {
	if c.Dir == "" {
		return Quote(c.Args)
	}
	dir := c.Dir
	if !strings.HasPrefix(dir, "/") {
		dir = "./" + dir // cd takes "-" for the folder before, and looks for a bare name in CDPATH
	}
	return "cd " + Quote([]string{".", dir})[2:] + " && exec " + Quote(c.Args)
}
