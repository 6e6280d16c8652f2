package planner

import (
	"bytes"
	"encoding/json"
	"hash"
	"io"
	"reflect"
	"strings"

	"github.com/syncctl/syncctl/printable"
)

// sum returns a hash of the JSON that json.Marshal gives for a plan after it was written and read once (see asDecoded).
func (p *Plan) sum(h hash.Hash) ([]byte, error) {
	s := marshalling(h)
	s.document(p)
	return h.Sum(nil), s.err
}

// stream writes JSON, one element of a document's lists at a time: all of them together may take more memory than the
// plan.
type stream struct {
	layout

	w   io.Writer
	b   bytes.Buffer // of one value
	enc *json.Encoder
	as  func([]byte) []byte // what is written of the JSON of a value
	err error               // the first
}

// layout is what stands between the values of a document.
type layout struct{ open, colon, next, end, openList, nextInList, endList string }

// marshalling writes documents as json.Marshal does.
func marshalling(w io.Writer) *stream {
	return newStream(w, asDecoded, layout{"{", ":", ",", "}", "[", ",", "]"})
}

// indenting writes documents for people, and for terminals.
func indenting(w io.Writer) *stream {
	s := newStream(w, printable.JSON, layout{"{\n  ", ": ", ",\n  ", "\n}\n", "[\n    ", ",\n    ", "\n  ]"})
	s.enc.SetEscapeHTML(false)
	s.enc.SetIndent("    ", "  ")
	return s
}

func newStream(w io.Writer, as func([]byte) []byte, l layout) *stream {
	s := &stream{layout: l, w: w, as: as}
	s.enc = json.NewEncoder(&s.b)
	return s
}

// document writes the struct that a pointer points to.
func (s *stream) document(of any) {
	before := s.open
	var members func(v reflect.Value)
	members = func(v reflect.Value) {
		for field, v := range v.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			switch {
			case field.Anonymous:
				members(v.Elem())
				continue
			case name == "-" || options == "omitempty" && v.Len() == 0:
				continue
			}
			s.text(before + `"` + name + `"` + s.colon)
			before = s.next
			if v.Kind() == reflect.Slice && v.Len() > 0 {
				s.list(v)
			} else {
				s.value(v.Addr().Interface())
			}
		}
	}
	members(reflect.ValueOf(of).Elem())
	s.text(s.end)
}

func (s *stream) list(v reflect.Value) {
	before := s.openList
	for i := range v.Len() {
		s.text(before)
		before = s.nextInList
		s.value(v.Index(i).Addr().Interface())
	}
	s.text(s.endList)
}

func (s *stream) value(v any) {
	s.b.Reset()
	if err := s.enc.Encode(v); err != nil {
		s.fail(err)
		return
	}
	_, err := s.w.Write(s.as(bytes.TrimSuffix(s.b.Bytes(), []byte("\n"))))
	s.fail(err)
}

func (s *stream) text(t string) {
	_, err := io.WriteString(s.w, t)
	s.fail(err)
}

func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
