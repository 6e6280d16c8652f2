package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

// hoconWord matches the first word of a text: a comment, a string in three quotes or one, a substitution, blanks, the
// end of a line, punctuation, or unquoted text.
var hoconWord = lazyregexp.New(`^(?:(?:#|//)[^\n]*|"""(?s:.*?)"""|` +
	`"(?:\\["\\/bfnrtu]|[^"\\\n])*"|\$\{[^}\n]+\}|[ \t\r\f]+|\n|` +
	`\+=|[{}\[\]=:,]|(?:/?[^\s"{}\[\],:=#$+` + "`" + `^?!@*&\\/])+/?|/)`)

// mostNested is the maximum nesting of objects and lists.
const mostNested = 200

// hoconReader reads the words of a file in order.
type hoconReader struct {
	words  []string
	values map[string]string
	depth  int
}

// HOCON reads a configuration file as Lightbend's library does (application.conf), and returns its values by their
// dotted paths. It supports comments, nested and repeated objects; the last value counts. Lists and substitutions are
// skipped, because nothing that matters here is in one. It returns an error for what the library refuses, and for
// includes.
func HOCON(data []byte) (map[string]string, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	r := &hoconReader{values: map[string]string{}}
	for rest := text; rest != ""; {
		w := hoconWord.FindString(rest)
		if w == "" {
			return nil, fmt.Errorf("line %d: %q cannot stand here", 1+strings.Count(text[:len(text)-len(rest)], "\n"), rest[0])
		}
		if rest = rest[len(w):]; w[0] != '#' && !strings.HasPrefix(w, "//") {
			r.words = append(r.words, w)
		}
	}
	lines := strings.Count(strings.Join(r.words, ""), "\n")
	if err := r.document(); err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+lines-strings.Count(strings.Join(r.words, ""), "\n"), err)
	}
	return r.values, nil
}

// peek returns the next word, "" at the end.
func (r *hoconReader) peek() string {
	if len(r.words) == 0 {
		return ""
	}
	return r.words[0]
}

// take consumes the next word if it is w, and reports whether it was.
func (r *hoconReader) take(w string) bool {
	if r.peek() != w {
		return false
	}
	r.words = r.words[1:]
	return true
}

func isBlank(w string) bool { return strings.Trim(w, " \t\r\f") == "" && w != "" }

// blanks skips blanks, and with lines also the ends of lines.
func (r *hoconReader) blanks(lines bool) {
	for isBlank(r.peek()) || lines && r.peek() == "\n" {
		r.words = r.words[1:]
	}
}

func (r *hoconReader) document() error {
	r.blanks(true)
	braces := r.take("{")
	if err := r.members("", braces); err != nil {
		return err
	}
	if r.blanks(true); len(r.words) > 0 {
		return fmt.Errorf("%q follows the end", r.peek())
	}
	return nil
}

// members reads the members of an object up to its brace, or up to the end of the file if it has no braces.
func (r *hoconReader) members(prefix string, braces bool) error {
	for {
		r.blanks(true)
		switch {
		case braces && r.take("}"):
			return nil
		case len(r.words) == 0 && braces:
			return errors.New("a brace is not closed")
		case len(r.words) == 0:
			return nil
		}
		if err := r.member(prefix); err != nil {
			return err
		}
		r.blanks(false)
		if next := r.peek(); next != "" && next != "\n" && next != "}" && !r.take(",") {
			return fmt.Errorf("a member is followed by %q", next)
		}
		r.blanks(true)
		r.take(",") // a comma may be at the end, or on the next line
	}
}

func (r *hoconReader) member(prefix string) error {
	path := ""
	for !strings.ContainsAny(r.peek(), "=:+{}[],$\n") && r.peek() != "" || strings.HasPrefix(r.peek(), `"`) {
		path += unquoted(r.peek())
		r.words = r.words[1:]
	}
	path, err := checkPath(strings.TrimSpace(path))
	if err != nil {
		return err
	}
	r.blanks(true)
	if r.peek() != "{" && !r.take("+=") && !r.take("=") && !r.take(":") {
		return errors.New("a key has no value")
	}
	r.blanks(true)
	return r.value(strings.TrimPrefix(prefix+"."+path, "."))
}

// checkPath returns an error if a key has nothing before, between or after its dots. ASSUMED: a dot in quotes counts
// as a separator, too.
func checkPath(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ".") || strings.HasSuffix(path, ".") || strings.Contains(path, "..") {
		return "", fmt.Errorf("%q is not a key", path)
	}
	return path, nil
}

// value reads and stores a value, which may consist of several words on a line. Objects and lists have no text.
func (r *hoconReader) value(path string) error {
	if r.depth++; r.depth > mostNested {
		return errors.New("it is nested too deep")
	}
	defer func() { r.depth-- }()
	text, pieces, plain := "", 0, true
	for {
		var err error
		switch w := r.peek(); {
		case w == "" || w == "\n" || w == "," || w == "}" || w == "]":
			if pieces == 0 {
				return errors.New("a value is missing")
			}
			if plain {
				r.forget(path)
				r.values[path] = strings.TrimRight(text, " \t\r\f")
			}
			r.forgetAbove(path)
			return nil
		case w == "=" || w == ":" || w == "+=":
			return fmt.Errorf("%q cannot be in a value without quotes", w)
		case r.take("{"):
			plain = false
			delete(r.values, path)
			err = r.members(path, true)
		case r.take("["):
			plain = false
			r.forget(path)
			err = r.list()
		default:
			text += unquoted(w)
			r.words = r.words[1:]
			if isBlank(w) {
				continue
			}
		}
		if err != nil {
			return err
		}
		pieces++
	}
}

// list skips a list. Its elements are not stored.
func (r *hoconReader) list() error {
	values := r.values
	r.values = map[string]string{}
	defer func() { r.values = values }()
	for {
		r.blanks(true)
		switch {
		case r.take("]"):
			return nil
		case len(r.words) == 0:
			return errors.New("a list is not closed")
		}
		if err := r.value("element"); err != nil {
			return err
		}
		r.blanks(true)
		r.take(",")
	}
}

// unquoted returns the text of a word. ASSUMED: no environment variable is set; the exact meaning of escapes never
// matters.
func unquoted(w string) string {
	switch {
	case strings.HasPrefix(w, "${"):
		return ""
	case strings.HasPrefix(w, `"""`):
		return w[3 : len(w)-3]
	case strings.HasPrefix(w, `"`):
		return strings.ReplaceAll(w[1:len(w)-1], `\`, "")
	}
	return w
}

// forget drops everything under a path that now has its own value.
func (r *hoconReader) forget(path string) {
	for key := range r.values {
		if key == path || strings.HasPrefix(key, path+".") {
			delete(r.values, key)
		}
	}
}

// forgetAbove drops values that have become objects.
func (r *hoconReader) forgetAbove(path string) {
	for i := range len(path) {
		if path[i] == '.' {
			delete(r.values, path[:i])
		}
	}
}
