package machine

import (
	"errors"
	"fmt"
	"strings"
)

// ParseLine splits a command line into its commands, which are separated by &&. Quotes and backslashes are those of a
// POSIX shell. Everything else that a shell has (variables, patterns, pipes, redirections, several lines) is an error,
// so that clients do not rely on what is missing here.
func ParseLine(text string) ([][]string, error) {
	r := lineReader{text: text}
	for r.at < len(r.text) {
		if err := r.step(); err != nil {
			return nil, err
		}
	}
	r.endWord()
	if len(r.args) == 0 && r.joined {
		return nil, errors.New("syntax error: nothing follows &&")
	}
	if len(r.args) > 0 {
		r.list = append(r.list, r.args)
	}
	return r.list, nil
}

type lineReader struct {
	text   string
	at     int
	word   strings.Builder
	inWord bool
	args   []string
	joined bool // the current command follows a &&
	list   [][]string
}

func (r *lineReader) step() error {
	c := r.text[r.at]
	r.at++
	switch {
	case c == ' ' || c == '\t':
		r.endWord()
	case c == '\'':
		return r.single()
	case c == '"':
		return r.double()
	case c == '\\':
		if r.at == len(r.text) || r.text[r.at] == '\n' {
			return errors.New("syntax error: a backslash at the end of the line")
		}
		r.add(r.text[r.at])
		r.at++
	case c == '&' && strings.HasPrefix(r.text[r.at:], "&"):
		r.at++
		r.endWord()
		if len(r.args) == 0 {
			return errors.New("syntax error near &&")
		}
		r.list, r.args, r.joined = append(r.list, r.args), nil, true
	case strings.IndexByte("\n\x00&;|<>()$`*?[]{}~#!", c) >= 0 && special(c, r.inWord):
		return fmt.Errorf("syntax error near %q, which this shell does not have", c)
	default:
		r.add(c)
	}
	return nil
}

// special reports whether a character has a special meaning at its position: some have one only at the beginning of a
// word.
func special(c byte, inWord bool) bool {
	return !inWord || strings.IndexByte("~#!{}", c) < 0
}

func (r *lineReader) add(c byte) {
	r.word.WriteByte(c)
	r.inWord = true
}

func (r *lineReader) endWord() {
	if r.inWord {
		r.args = append(r.args, r.word.String())
	}
	r.word.Reset()
	r.inWord = false
}

func (r *lineReader) single() error {
	text, rest, ok := strings.Cut(r.text[r.at:], "'")
	if !ok {
		return errors.New("syntax error: a quote is not closed")
	}
	r.word.WriteString(text)
	r.inWord = true
	r.at = len(r.text) - len(rest)
	return nil
}

func (r *lineReader) double() error {
	r.inWord = true
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch c {
		case '"':
			return nil
		case '$', '`':
			return fmt.Errorf("syntax error near %q, which this shell does not have", c)
		case '\\':
			if r.at < len(r.text) && strings.IndexByte("$`\"\\", r.text[r.at]) >= 0 {
				c = r.text[r.at]
				r.at++
			}
		}
		r.word.WriteByte(c)
	}
	return errors.New("syntax error: a quote is not closed")
}
