package host

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestQuote(t *testing.T) {
	for want, args := range map[string][]string{
		``:                           nil,
		`systemctl stop a.service`:   {"systemctl", "stop", "a.service"},
		`''`:                         {""},
		`a '' 'b c' 'it'\''s'`:       {"a", "", "b c", "it's"},
		`'A=b' A=b --x=y`:            {"A=b", "A=b", "--x=y"},
		`'if' if '=x' '%1' '$HOME'`:  {"if", "if", "=x", "%1", "$HOME"},
		`/opt/a-b_c/d.sh u@h:1,2+3%`: {"/opt/a-b_c/d.sh", "u@h:1,2+3%"},
		`a '~' '*' 'é' '#' '!' '{'`:  {"a", "~", "*", "é", "#", "!", "{"},
	} {
		if got := Quote(args); got != want {
			t.Errorf("%q: got %s, want %s", args, got, want)
		}
	}
	for want, c := range map[string]Command{
		`a b`:                        {Args: []string{"a", "b"}},
		`cd /x && exec a b`:          {Args: []string{"a", "b"}, Dir: "/x"},
		`cd '/x y' && exec 'A=b'`:    {Args: []string{"A=b"}, Dir: "/x y"},
		`cd ./- && exec a`:           {Args: []string{"a"}, Dir: "-"},
		`cd ./x/y && exec a`:         {Args: []string{"a"}, Dir: "x/y"},
		`cd './~' && exec a '&& rm'`: {Args: []string{"a", "&& rm"}, Dir: "~"},
	} {
		if got := c.line(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// shells returns the login shells of this machine.
func shells() []string {
	return slices.DeleteFunc([]string{"sh", "bash", "dash", "ksh", "zsh"}, func(name string) bool {
		_, err := exec.LookPath(name)
		return err != nil
	})
}

// TestShellsUnderstandQuote checks that a shell splits the line into the original words, whatever they are.
func TestShellsUnderstandQuote(t *testing.T) {
	word := rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.SampledFrom([]rune("'\"\\$`!*?[]{}()<>|&;#~=%^-+ \t\n\raé/.,@:"))),
		rapid.SampledFrom([]string{"if", "time", "-n", "--", "=ls", "%1", "~root", "$HOME", "A=b", "\xff\xfe"}),
	).Filter(func(s string) bool { return !strings.Contains(s, "\x00") })
	for _, shell := range shells() {
		t.Run(shell, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { understood(r, shell, rapid.SliceOfN(word, 1, 8).Draw(r, "words")) })
		})
	}
}

func understood(t interface {
	Fatalf(string, ...any)
}, shell string, words []string) {
	line := Command{Args: append([]string{"printf", "%s\\000"}, words...)}.line()
	out, err := exec.Command(shell, "-c", line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if want := strings.Join(words, "\x00") + "\x00"; string(out) != want {
		t.Fatalf("%s: the shell took it for %q, want %q", line, out, want)
	}
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"it's", "a b", "", "\n'", `\`, "$(x)", "=a", "-e"} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") {
			return
		}
		understood(t, "sh", []string{a, b, a + b})
	})
}
