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

// longCommands is how many characters a person still pastes; of more commands the run has a script.
const longCommands = 2000

// Names of what the entry of a person's step that is started says of its script.
const dataScript, dataScriptSum = "script", "script_sha256"

// scriptName is the name of the run's file with the commands of a person's step; "" where they are short enough to be
// pasted.
func scriptName(s *planner.Step) string {
	length := 0
	for _, c := range s.Manual.Commands {
		length += len(c) + 1
	}
	if length <= longCommands {
		return ""
	}
	sum := sha256.Sum256([]byte(s.ID)) // ops of two declarations may be the same
	return plainName(s.Op) + "-" + hex.EncodeToString(sum[:4]) + ".sh"
}

// plainName is text as a part of a file's name.
func plainName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, text)
}

// script writes the commands of a person's step into a file of the run, where they are long. It is made from the plan
// whenever the person is asked, so that nobody else's is run. info is empty where there is none.
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

// sameScript checks that a script is the one that the person was given.
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

// scriptBegin stops at the first command that fails, and before each part asks the person, who has to look at what the
// part before has shown. The terminal answers: the script itself may be the standard input.
const scriptBegin = `set -e
trap '[ $? -eq 0 ] || echo "Stopped before the end. Run no other command but what the step says." >&2' EXIT
part() {
  printf '\n%s\n' "$@"
  printf 'Was all that was shown so far as expected? Answer yes to run this part: '
  read -r answer < /dev/tty
  [ "$answer" = yes ] || exit 1
}
`

// scriptOf are the commands of a person's step as a script. Comments begin a part.
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
