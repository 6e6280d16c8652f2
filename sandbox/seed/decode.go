// Package seed reads a simulator's part of a sandbox's seed strictly: anything that it does not understand is an
// error, which says where it is.
package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Decode decodes one JSON document into out. It is an error that begins with "line L, column C" if the document has
// unknown or duplicate members, values of a wrong type, bad syntax or trailing data. encoding/json alone would ignore
// the case of names, let the last of duplicate members win, and not say where the error is.
func Decode(data []byte, out any) error {
	if err := checkSyntax(data); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := checkMembers(data, d, reflect.TypeOf(out).Elem(), ""); err != nil {
		return err
	}
	err := json.Unmarshal(data, out)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return at(data, wrong.Offset-1, fmt.Sprintf("%s: want %s, got %s", wrong.Field, wrong.Type, wrong.Value))
	}
	return err
}

func checkSyntax(data []byte) error {
	var v json.RawMessage
	err := json.Unmarshal(data, &v)
	var bad *json.SyntaxError
	if errors.As(err, &bad) {
		if strings.HasPrefix(bad.Error(), "unexpected end") {
			return at(data, bad.Offset, "it ends too early")
		}
		return at(data, bad.Offset-1, strings.TrimPrefix(bad.Error(), "json: "))
	}
	return err
}

func at(data []byte, offset int64, text string) error {
	offset = max(0, min(offset, int64(len(data))))
	before := data[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := int(offset) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: %s", line, column, text)
}

// checkMembers checks the next value of d against the type that it will be decoded into. The syntax must have been
// checked.
func checkMembers(data []byte, d *json.Decoder, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var elem reflect.Type
	var fields map[string]reflect.Type
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return d.Decode(new(json.RawMessage))
	case t.Kind() == reflect.Struct:
		fields = membersOf(t)
	case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
		elem = t.Elem()
	default:
		return d.Decode(new(json.RawMessage))
	}
	start, err := d.Token()
	if err != nil {
		return err
	}
	switch start {
	case json.Delim('{'):
		if t.Kind() == reflect.Slice {
			return at(data, d.InputOffset()-1, path+": want a list, got an object")
		}
		return checkObject(data, d, fields, elem, path)
	case json.Delim('['):
		if t.Kind() != reflect.Slice {
			return at(data, d.InputOffset()-1, path+": want an object, got a list")
		}
		for i := 0; d.More(); i++ {
			if err := checkMembers(data, d, elem, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	}
	return nil // a scalar where none fits, or null: json.Unmarshal checks it
}

func checkObject(data []byte, d *json.Decoder, fields map[string]reflect.Type, elem reflect.Type, path string) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		start := d.InputOffset() - int64(len(name)) - 2
		where := strings.TrimPrefix(path+"."+name, ".")
		if seen[name] {
			return at(data, start, fmt.Sprintf("member %q appears twice", where))
		}
		seen[name] = true
		t := elem
		if fields != nil {
			var known bool
			if t, known = fields[name]; !known {
				return at(data, start, fmt.Sprintf("unknown member %q", where))
			}
		}
		if err := checkMembers(data, d, t, where); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func membersOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out[name] = t.Field(i).Type
	}
	return out
}
