package backbone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/printable"
)

// object is a JSON object of an answer. A member that is missing, null, duplicate or of an unexpected type is
// unknown: its accessor returns nil (or "" for a text), never a zero value that could pass for an answer.
type object map[string]json.RawMessage

var errNotAnObject = errors.New("it is not a JSON object")

func parseObject(b []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotAnObject
	}
	o, twice := object{}, map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("parsing an object: %w", wording.Short(err))
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("parsing an object: %w", wording.Short(err))
		}
		key, _ := name.(string)
		if _, ok := o[key]; ok {
			twice[key] = true
		}
		o[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("parsing an object: %w", wording.Short(err))
	}
	maps.DeleteFunc(o, func(key string, _ json.RawMessage) bool { return twice[key] })
	return o, nil
}

// member returns the value of a member, or nil if it is unknown.
func member[T any](o object, name string) *T {
	var v *T
	if raw, ok := o[name]; !ok || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}

// text returns a text, or "" if it is unknown.
func (o object) text(name string) string {
	if s := member[string](o, name); s != nil {
		return *s
	}
	return ""
}

// word returns what names something, such as a key, or "" if it is unknown. A word with a line break would write lines
// of its own into errors and logs.
func (o object) word(name string) string {
	s := o.text(name)
	if s != printable.Line(s) {
		return ""
	}
	return s
}

// count returns a number of things, or nil if it is unknown.
func (o object) count(name string) *int {
	if n := member[int](o, name); n != nil && *n >= 0 {
		return n
	}
	return nil
}

// object returns a member that is an object, or nil if it is unknown.
func (o object) object(name string) object {
	m, err := parseObject(o[name])
	if err != nil {
		return nil
	}
	return m
}

// objects returns a member that is a list of objects, or false if it is unknown.
func (o object) objects(name string) ([]object, bool) {
	list := member[[]json.RawMessage](o, name)
	if list == nil {
		return nil, false
	}
	out := make([]object, 0, len(*list))
	for _, raw := range *list {
		m, err := parseObject(raw)
		if err != nil {
			return nil, false
		}
		out = append(out, m)
	}
	return out, true
}

// id returns an ID, which is a text or a number, as text. It returns "" if it is unknown.
func (o object) id(name string) string {
	if n := member[json.Number](o, name); n != nil { // also takes a text that is a number
		return n.String()
	}
	return o.text(name)
}
