package settings

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// hoconWord is the first word of a text: a comment, a string in three quotes or one, a substitution, blanks, the
// end of a line, a mark, or what needs no quotes.
var hoconWord = regexp.MustCompile(`^(?:(?:#|//)[^\n]*|"""(?s:.*?)"""|` +
	`"(?:\\["\\/bfnrtu]|[^"\\\n])*"|\$\{[^}\n]+\}|[ \t\r\f]+|\n|` +
	`\+=|[{}\[\]=:,]|(?:/?[^\s"{}\[\],:=#$+` + "`" + `^?!@*&\\/])+/?|/)`)

// mostNested is how deep objects and lists may lie in one another.
const mostNested = 200

// hoconReader reads the words of a file one after the other.
type hoconReader struct {
	words  []string
	values map[string]string
	depth  int
}

// HOCON reads a configuration file of the form that Lightbend's library takes (application.conf) and gives its
// values by their dotted paths: comments, nested and repeated objects, the last value wins. Lists and
// substitutions are read over: nothing that matters here is in one. What the library refuses is an error, and so
// are includes.
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

// peek is the next word, "" at the end.
func (r *hoconReader) peek() string {
	if len(r.words) == 0 {
		return ""
	}
	return r.words[0]
}

// take takes the next word if it is the one given.
func (r *hoconReader) take(w string) bool {
	if r.peek() != w {
		return false
	}
	r.words = r.words[1:]
	return true
}

func isBlank(w string) bool { return strings.Trim(w, " \t\r\f") == "" && w != "" }

// blanks goes on to what says something, over the ends of lines too if lines is set.
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

// members reads those of an object up to its brace, or the end of the file where it has none.
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
		r.take(",") // one may stand at the end, or in the next line
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

// checkPath refuses a key with nothing before, between or behind its dots. ASSUMED: a dot in quotes counts like
// another one.
func checkPath(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ".") || strings.HasSuffix(path, ".") || strings.Contains(path, "..") {
		return "", fmt.Errorf("%q is not a key", path)
	}
	return path, nil
}

// value reads one, which may consist of several words of a line, and keeps it. Objects and lists have no text.
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

// list reads over one. Its elements are kept nowhere.
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

// unquoted is what a word says. ASSUMED: no variable is set in the environment; which character an escape stands
// for matters nowhere.
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

// forget drops what was under a path, which has a value of its own now.
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
