package seed

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Member is a member of an object in a seed, for its reference.
type Member struct {
	Name string
	Type string // in words, such as "list of texts"
	Doc  string // what it means, and what holds without it
	Of   []Member
}

// Describe returns the members of the object that a seed is decoded into. text has a line for each: its path, a tab and
// its meaning. The path has no keys and indexes, such as servers.users.name. A member without a line, and a line
// without a member, is an error.
func Describe[T any](text string) ([]Member, error) {
	docs := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		path, doc, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if _, twice := docs[path]; !ok || twice {
			return nil, fmt.Errorf("line %q: want a path once, a tab and a meaning", line)
		}
		docs[path] = strings.TrimSpace(doc)
	}
	out, err := members(reflect.TypeFor[T](), "", docs)
	for path := range docs {
		if err == nil {
			err = fmt.Errorf("%s: there is no such member", path)
		}
	}
	return out, err
}

// members takes what it uses out of docs.
func members(t reflect.Type, path string, docs map[string]string) ([]Member, error) {
	var out []Member
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		doc, ok := docs[at]
		if !ok {
			return nil, fmt.Errorf("%s: its meaning is missing", at)
		}
		delete(docs, at)
		words, inner := words(t.Field(i).Type)
		m := Member{Name: name, Type: words, Doc: doc}
		if inner != nil {
			var err error
			if m.Of, err = members(inner, at, docs); err != nil {
				return nil, err
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// words returns a type in words, and the struct in it whose members are described, if there is one.
func words(t reflect.Type) (string, reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	several := func(text string) (string, reflect.Type) {
		one, inner := words(t.Elem())
		if t.Elem() == reflect.TypeFor[json.RawMessage]() || inner != nil {
			one = "object"
		}
		if strings.HasPrefix(one, "list ") {
			return text + " of lists" + strings.TrimPrefix(one, "list"), inner
		}
		return text + " of " + one + "s", inner
	}
	switch t.Kind() {
	case reflect.Struct:
		return "object", t
	case reflect.Map:
		text, inner := several("object")
		return text + ", by name", inner
	case reflect.Slice:
		return several("list")
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "true or false", nil
	}
	return "number", nil
}
