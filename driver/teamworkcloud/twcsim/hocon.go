package twcsim

import (
	"errors"
	"fmt"
	"strings"
)

// readHOCON reads a configuration file of the form that Lightbend's library takes (application.conf) and gives its values by
// their dotted paths: comments, nested and repeated objects, the last value wins. Lists and substitutions are read over: nothing
// that matters here is in one. What the library refuses is an error, and includes too.
func readHOCON(data []byte) (map[string]string, error) {
	r := &hoconReader{text: string(data), out: map[string]string{}}
	err := r.document()
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+strings.Count(r.text[:min(r.at, len(r.text))], "\n"), err)
	}
	return r.out, nil
}

type hoconReader struct {
	text  string
	at    int
	depth int
	out   map[string]string
}

// mostNested is how deep objects and lists may lie in one another.
const mostNested = 200

func (r *hoconReader) document() error {
	r.blank(true)
	braces := r.take("{")
	if err := r.members("", braces); err != nil {
		return err
	}
	r.blank(true)
	if r.at < len(r.text) {
		return fmt.Errorf("%q stands after the end", r.text[r.at])
	}
	return nil
}

// blank goes on to what says something; lines says whether over the ends of lines too.
func (r *hoconReader) blank(lines bool) {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || lines && c == '\n':
			r.at++
		case strings.HasPrefix(r.text[r.at:], "\xef\xbb\xbf"):
			r.at += 3
		case c == '#' || strings.HasPrefix(r.text[r.at:], "//"):
			if n := strings.IndexByte(r.text[r.at:], '\n'); n >= 0 {
				r.at += n
			} else {
				r.at = len(r.text)
			}
		default:
			return
		}
	}
}

func (r *hoconReader) take(text string) bool {
	if strings.HasPrefix(r.text[r.at:], text) {
		r.at += len(text)
		return true
	}
	return false
}

// members reads those of an object up to its brace, or the end of the file where it has none.
func (r *hoconReader) members(prefix string, braces bool) error {
	for {
		r.blank(true)
		switch {
		case braces && r.take("}"):
			return nil
		case r.at == len(r.text):
			if braces {
				return errors.New("a brace is not closed")
			}
			return nil
		}
		if err := r.member(prefix); err != nil {
			return err
		}
		r.blank(false)
		if r.at < len(r.text) && r.text[r.at] != '\n' && r.text[r.at] != '}' && !r.take(",") {
			return fmt.Errorf("a member is followed by %q", r.text[r.at])
		}
		r.blank(true)
		r.take(",") // one may stand at the end, or in the next line
	}
}

func (r *hoconReader) member(prefix string) error {
	path, err := r.path()
	if err != nil {
		return err
	}
	if prefix != "" {
		path = prefix + "." + path
	}
	r.blank(true)
	switch {
	case r.at < len(r.text) && r.text[r.at] == '{':
	case r.take("+="), r.take("="), r.take(":"):
	default:
		return errors.New("a key has no value")
	}
	r.blank(true)
	return r.value(path)
}

// path is a key: words with dots, parts of it in quotes. ASSUMED: a dot in quotes is told apart by nobody here.
func (r *hoconReader) path() (string, error) {
	var out strings.Builder
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '"':
			text, err := r.quoted()
			if err != nil {
				return "", err
			}
			out.WriteString(text)
			continue
		case strings.IndexByte("=:{+\n#", c) >= 0 || strings.HasPrefix(r.text[r.at:], "//"):
			return checkPath(strings.TrimSpace(out.String()))
		case strings.IndexByte("}[],$`^?!@*&\\", c) >= 0:
			return "", fmt.Errorf("%q cannot be in a key", c)
		}
		out.WriteByte(c)
		r.at++
	}
	return checkPath(strings.TrimSpace(out.String()))
}

func checkPath(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ".") || strings.HasSuffix(path, ".") || strings.Contains(path, "..") {
		return "", fmt.Errorf("%q is no key", path)
	}
	return path, nil
}

// value reads one, which may be put together from several in a line, and keeps it.
func (r *hoconReader) value(path string) error {
	if r.depth++; r.depth > mostNested {
		return errors.New("it is nested too deep")
	}
	defer func() { r.depth-- }()
	var text strings.Builder
	pieces, plain := 0, true
	for ; ; pieces++ {
		start := r.at
		r.blank(false)
		if r.at == len(r.text) || strings.IndexByte("\n,}]", r.text[r.at]) >= 0 {
			break
		}
		if pieces > 0 {
			text.WriteString(r.text[start:r.at])
		}
		object, one, err := r.piece(path)
		if err != nil {
			return err
		}
		plain = plain && !object
		text.WriteString(one)
	}
	if pieces == 0 {
		return errors.New("a value is missing")
	}
	if plain {
		r.forget(path)
		r.out[path] = text.String()
	}
	r.forgetAbove(path)
	return nil
}

// piece is one part of a value. Objects and lists have no text.
func (r *hoconReader) piece(path string) (object bool, text string, err error) {
	switch {
	case r.take("{"):
		delete(r.out, path)
		return true, "", r.members(path, true)
	case r.take("["):
		r.forget(path)
		return true, "", r.list()
	case r.take("${"):
		n := strings.IndexAny(r.text[r.at:], "}\n")
		if n <= 0 || r.text[r.at+n] != '}' {
			return false, "", errors.New("a substitution is not closed")
		}
		r.at += n + 1
		return false, "", nil // ASSUMED: nothing is set in the environment
	case r.text[r.at] == '"':
		text, err = r.quoted()
		return false, text, err
	}
	start := r.at
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n,{}[]\"#", r.text[r.at]) < 0 && !strings.HasPrefix(r.text[r.at:], "//") {
		if c := r.text[r.at]; strings.IndexByte("$:=+`^?!@*&\\", c) >= 0 {
			return false, "", fmt.Errorf("%q cannot be in a value without quotes", c)
		}
		r.at++
	}
	return false, r.text[start:r.at], nil
}

// list reads over one. Its elements are kept nowhere.
func (r *hoconReader) list() error {
	inner := &hoconReader{text: r.text, at: r.at, depth: r.depth, out: map[string]string{}}
	defer func() { r.at = inner.at }()
	for {
		inner.blank(true)
		if inner.take("]") {
			return nil
		}
		if inner.at == len(inner.text) {
			return errors.New("a list is not closed")
		}
		if err := inner.value("element"); err != nil {
			return err
		}
		inner.blank(true)
		inner.take(",")
	}
}

// quoted reads a string in one or three quotes.
func (r *hoconReader) quoted() (string, error) {
	if r.take(`"""`) {
		n := strings.Index(r.text[r.at:], `"""`)
		if n < 0 {
			return "", errors.New("a quote is not closed")
		}
		text := r.text[r.at : r.at+n]
		r.at += n + 3
		return text, nil
	}
	var out strings.Builder
	for r.at++; r.at < len(r.text) && r.text[r.at] != '\n'; r.at++ {
		switch c := r.text[r.at]; c {
		case '"':
			r.at++
			return out.String(), nil
		case '\\':
			if r.at++; r.at == len(r.text) || strings.IndexByte(`"\/bfnrtu`, r.text[r.at]) < 0 {
				return "", errors.New("an escape in quotes is none")
			}
			out.WriteByte(r.text[r.at]) // which character it stands for matters nowhere
		default:
			out.WriteByte(c)
		}
	}
	return "", errors.New("a quote is not closed")
}

// forget drops what was under a path, which has a value of its own now.
func (r *hoconReader) forget(path string) {
	for key := range r.out {
		if key == path || strings.HasPrefix(key, path+".") {
			delete(r.out, key)
		}
	}
}

// forgetAbove drops values that have become objects.
func (r *hoconReader) forgetAbove(path string) {
	for i := range len(path) {
		if path[i] == '.' {
			delete(r.out, path[:i])
		}
	}
}
