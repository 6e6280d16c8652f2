package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
)

// longCommands is the maximum number of characters to paste. Longer commands are put into a script.
const longCommands = 2000

// Names of the script in the entry that starts a person's step.
const dataScript, dataScriptSum = "script", "script_sha256"

// scriptName returns the name of the run's file with the commands of a person's step, or "" if they are short enough
// to paste.
func scriptName(s *planner.Step) string {
	length := 0
	for _, c := range s.Manual.Commands {
		length += len(c) + 1
	}
	if length <= longCommands {
		return ""
	}
	sum := sha256.Sum256([]byte(s.ID)) // steps of two declarations may have the same op
	return plainName(s.Op) + "-" + hex.EncodeToString(sum[:4]) + ".sh"
}

// plainName returns a text that can be part of a file name.
func plainName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, text)
}

// script writes the commands of a person's step into a file of the run, if they are long. It is written from the plan
// each time the person is asked, so that nobody else's script is run. info is empty if there is no script.
func (a *attempt) script(ctx context.Context) (info FileInfo, err error) {
	name := scriptName(a.s)
	if name == "" {
		return FileInfo{}, nil
	}
	return a.Files.Create(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, scriptOf(a.s))
		return err
	})
}

// sameScript checks that a script is unchanged since it was given to the person.
func (a *attempt) sameScript(info FileInfo) error {
	if info.Name == "" {
		return nil
	}
	f, err := a.Files.Open(info.Name)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("reading the run's file %s: %w", info.Name, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != info.SHA256 {
		return fmt.Errorf("the run's file %s was changed after it was written (SHA-256 %s, written was %s): find out what "+
			"was run, then apply again", info.Name, got, info.SHA256)
	}
	return nil
}

// scriptBegin stops at the first command that fails. Before each part it asks the person, who has to check the output
// so far. The answer is read from the terminal, since the script itself may be the standard input.
const scriptBegin = `set -e
trap '[ $? -eq 0 ] || echo "Stopped before the end. Run no other command but what the step says." >&2' EXIT
part() {
  printf '\n%s\n' "$@"
  printf 'Was all that was shown so far as expected? Answer yes to run this part: '
  read -r answer < /dev/tty
  [ "$answer" = yes ] || exit 1
}
`

// scriptOf returns the commands of a person's step as a script. A comment begins a new part.
func scriptOf(s *planner.Step) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, line := range []string{s.ID, s.Summary, "At " + s.Manual.Where} {
		b.WriteString("# " + printable.Line(line) + "\n")
	}
	b.WriteString(scriptBegin)
	var part []string
	end := func() {
		if len(part) > 0 {
			b.WriteString("part " + shellquote.Join(part...) + "\n")
		}
		part = nil
	}
	if c := s.Manual.Commands; len(c) > 0 && !strings.HasPrefix(c[0], "#") {
		part = []string{printable.Line(s.Summary)}
	}
	for _, c := range s.Manual.Commands {
		if text, ok := strings.CutPrefix(c, "#"); ok {
			text = strings.TrimSpace(printable.Line(text))
			if part == nil {
				b.WriteString("\n")
			}
			b.WriteString("# " + text + "\n")
			part = append(part, text)
			continue
		}
		end()
		b.WriteString(c + "\n")
	}
	end()
	return b.String()
}
