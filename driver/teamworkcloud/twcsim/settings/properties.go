// Package settings reads the settings files of services as the services do.
package settings

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Properties reads a file as java.util.Properties.load does: comments, three separators, escapes, and lines that
// continue on the next one. The last of two equal keys counts.
func Properties(data []byte) (map[string]string, error) {
	out := map[string]string{}
	lines := naturalLines(string(data))
	for i := 0; i < len(lines); {
		key, value, n, err := readProperty(lines[i:])
		if err != nil {
			return nil, errors.New("line " + strconv.Itoa(i+1) + ": " + err.Error())
		}
		if n == 0 {
			i++ // blank or a comment
			continue
		}
		out[key] = value
		i += n
	}
	return out, nil
}

// naturalLines splits a text into lines, which end with \n, \r or both.
func naturalLines(text string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
}

// readProperty reads the property that begins on the first line. n is the number of its lines, 0 for a comment.
func readProperty(lines []string) (key, value string, n int, err error) {
	text := strings.TrimLeft(lines[0], " \t\f")
	if text == "" || text[0] == '#' || text[0] == '!' {
		return "", "", 0, nil
	}
	n = 1
	for goesOn(text) {
		text = text[:len(text)-1]
		if n == len(lines) {
			break
		}
		text += strings.TrimLeft(lines[n], " \t\f")
		n++
	}
	end := 0
	for end < len(text) && !strings.ContainsRune(" \t\f=:", rune(text[end])) {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(text))
	rest := strings.TrimLeft(text[end:], " \t\f")
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], " \t\f")
	}
	if key, err = unescape(text[:end]); err == nil {
		value, err = unescape(rest)
	}
	return key, value, n, err
}

// goesOn reports whether a line continues: it ends in an odd number of backslashes.
func goesOn(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

func unescape(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 't':
			out.WriteByte('\t')
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case 'f':
			out.WriteByte('\f')
		case 'u':
			if i+5 > len(text) {
				return "", errors.New(`malformed \uxxxx encoding`)
			}
			n, err := strconv.ParseUint(text[i+1:i+5], 16, 16)
			if err != nil {
				return "", errors.New(`malformed \uxxxx encoding`)
			}
			out.Write(utf8.AppendRune(nil, rune(n)))
			i += 4
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}
