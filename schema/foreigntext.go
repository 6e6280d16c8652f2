package schema

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/redact"
)

// foreignTexts is the texts that env() and file() gave. Diagnostics do not show them: who wrote the configuration may
// be somebody else than whose machine it is. The value is the function's name.
type foreignTexts map[string]string

// Shorter texts are found in everything, so that only a text that is the same counts.
const (
	minPart  = 4 // in quotes, or the value of a reference
	minPlain = 8 // anywhere in a sentence
)

func (o foreignTexts) add(text, by string) {
	if text != "" {
		o[text] = by
	}
}

// holds tells which function a text comes from, "" for none: it is what that gave, or holds it.
func (o foreignTexts) holds(text string) string {
	if by := o[text]; by != "" {
		return by
	}
	for given, by := range o {
		if core := strings.TrimSpace(given); len(core) >= minPart && strings.Contains(text, core) {
			return by
		}
	}
	return ""
}

// origin is holds, and also finds a part of what a function gave.
func (o foreignTexts) origin(text string) string {
	by := o.holds(text)
	for given, from := range o {
		if by == "" && len(text) >= minPart && strings.Contains(given, text) {
			by = from
		}
	}
	return by
}

// instead is what is shown of a text from outside.
func instead(text, by string) string {
	return fmt.Sprintf("a text of %d characters from %s", utf8.RuneCountInString(text), by)
}

// quotedText is a text as messages quote it.
var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// without are the texts but for those that the configuration's own files have as well.
func (o foreignTexts) without(files map[string]*hcl.File) foreignTexts {
	foreign := foreignTexts{}
	for text, by := range o {
		own := false
		for _, f := range files {
			own = own || bytes.Contains(f.Bytes, []byte(text))
		}
		if !own {
			foreign[text] = by
		}
	}
	return foreign
}

// hide takes the texts out of a message.
func (o foreignTexts) hide(message string) string {
	if len(o) == 0 {
		return message
	}
	message = quotedText.ReplaceAllStringFunc(message, func(quoted string) string {
		text, err := strconv.Unquote(quoted)
		if err != nil {
			text = strings.Trim(quoted, `"`)
		}
		if by := o.holds(text); by != "" {
			return instead(text, by)
		}
		return quoted
	})
	var long []string
	for text := range o {
		if len(text) >= minPlain {
			long = append(long, text)
		}
	}
	return redact.New("a text from env() or file()", long...).String(message)
}

// foreignExtra carries the texts in hcl.Diagnostic.Extra to the writers.
type foreignExtra struct {
	texts foreignTexts
	inner any
}

func (e foreignExtra) UnwrapDiagnosticExtra() any { return e.inner }

func foreignOf(d *hcl.Diagnostic) foreignTexts {
	extra, _ := hcl.DiagnosticExtra[foreignExtra](d)
	return extra.texts
}
