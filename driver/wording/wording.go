// Package wording formats numbers, lists and foreign text for sentences that people read.
package wording

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/syncctl/syncctl/printable"
)

const (
	mostNamed     = 10  // items of a list that are named
	mostSentences = 3   // sentences that are named
	mostQuoted    = 200 // characters of foreign text
	mostForeign   = 1000
)

// Plural returns a number with its noun: "1 branch", "2 branches".
func Plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ay") && !strings.HasSuffix(noun, "ey"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	case strings.HasSuffix(noun, "ch"):
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// List joins items with commas and counts those beyond the tenth: "a, b and 5 more". It is one printable line.
func List(items []string) string {
	if len(items) > mostNamed {
		return fmt.Sprintf("%s and %d more", printable.Line(strings.Join(items[:mostNamed], ", ")), len(items)-mostNamed)
	}
	return printable.Line(strings.Join(items, ", "))
}

// QuotedList is List with each item in quotes.
func QuotedList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = strconv.Quote(item)
	}
	return List(quoted)
}

// Sentences joins sentences with semicolons and counts those beyond the third.
func Sentences(all []string) string {
	if len(all) > mostSentences {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:mostSentences], "; "), len(all)-mostSentences)
	}
	return strings.Join(all, "; ")
}

// Foreign joins texts that a server has given with semicolons, however many and long they are: the first ten, each as a
// line of at most a thousand characters, and how many more there are.
func Foreign(texts []string) string {
	first := slices.Clone(texts[:min(len(texts), mostNamed)])
	for i, text := range first {
		first[i] = Message(text, mostForeign)
	}
	if more := len(texts) - len(first); more > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(first, "; "), more)
	}
	return strings.Join(first, "; ")
}

// FirstTen returns the first ten items, followed by "and N more" if there are more.
func FirstTen(items []string) []string {
	if len(items) > mostNamed {
		return append(items[:mostNamed:mostNamed], fmt.Sprintf("and %d more", len(items)-mostNamed))
	}
	return items
}

// Spans formats numbers in order, with ranges: "3, 5-7".
func Spans(numbers []int) string {
	numbers = slices.Clone(numbers)
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	var out []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		switch {
		case j == i:
			out = append(out, strconv.Itoa(numbers[i]))
		case j == i+1:
			out = append(out, strconv.Itoa(numbers[i]), strconv.Itoa(numbers[j]))
		default:
			out = append(out, fmt.Sprintf("%d-%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	if len(out) > mostNamed {
		return fmt.Sprintf("%s and more, up to %d", strings.Join(out[:mostNamed], ", "), numbers[len(numbers)-1])
	}
	return strings.Join(out, ", ")
}

// OneLine returns foreign text as one printable line. It shows line breaks and control characters as escapes.
func OneLine(text string) string { return strings.Join(strings.Fields(printable.Line(text)), " ") }

// Message returns foreign text of any length for use in an error: one printable line of at most `most` characters.
// Line breaks and other space become one blank.
func Message(text string, most int) string {
	line := []rune(printable.Line(strings.Join(strings.Fields(text), " ")))
	if len(line) > most {
		return string(line[:most-1]) + "…"
	}
	return string(line)
}

// Quote returns a line of foreign text in quotes. It cuts off the end if it is too long.
func Quote(line string) string {
	line = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, line)
	if r := []rune(line); len(r) > mostQuoted {
		line = string(r[:mostQuoted]) + "…"
	}
	return printable.Line(strconv.Quote(strings.TrimSpace(line)))
}

// Lines returns the lines of a text that are not blank, without the space around them.
func Lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
