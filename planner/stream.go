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

	compared *remainder // if set, the values are compared with it, as a file has them
	prints   *prints    // if set, those of all steps are checked
}

// layout is what stands between the values of a document.
type layout struct{ open, colon, next, end, openList, nextInList, endList string }

// marshalling writes documents as json.Marshal does.
func marshalling(w io.Writer) *stream {
	s := newStream(w, asDecoded, layout{"{", ":", ",", "}", "[", ",", "]"})
	s.enc.SetEscapeHTML(true)
	return s
}

// compare compares the values with a text, too. That takes longer: files do not escape for HTML.
func (s *stream) compare(text []byte) {
	s.compared, s.as = &remainder{text: text}, asMarshalled
	s.enc.SetEscapeHTML(false)
}

// indenting writes documents for people, and for terminals.
func indenting(w io.Writer) *stream {
	s := newStream(w, printable.JSON, layout{"{\n  ", ": ", ",\n  ", "\n}\n", "[\n    ", ",\n    ", "\n  ]"})
	s.enc.SetIndent("    ", "  ")
	return s
}

func newStream(w io.Writer, as func([]byte) []byte, l layout) *stream {
	s := &stream{layout: l, w: w, as: as}
	s.enc = json.NewEncoder(&s.b)
	s.enc.SetEscapeHTML(false)
	return s
}

// asMarshalled returns the JSON that json.Marshal gives where the encoder does not escape for HTML (see asDecoded).
func asMarshalled(doc []byte) []byte {
	if bytes.ContainsAny(doc, "<>&") {
		var b bytes.Buffer
		json.HTMLEscape(&b, doc)
		doc = b.Bytes()
	}
	return asDecoded(doc)
}

// document writes the struct that a pointer points to.
func (s *stream) document(of any) {
	before := s.open
	var members func(v reflect.Value)
	members = func(v reflect.Value) {
		for field, v := range v.Fields() {
			if field.Anonymous {
				members(v.Elem())
				continue
			}
			s.member(field, v, &before)
		}
	}
	members(reflect.ValueOf(of).Elem())
	s.text(s.end)
}

// documents writes a plan, and what is said of it instead to another writer. A list that both have is marshalled once.
func (s *stream) documents(p, said *Plan, to io.Writer) {
	only, both, compared := s.w, io.MultiWriter(s.w, to), s.compared
	before, there := s.open, s.open
	saids := reflect.ValueOf(said).Elem()
	for field, v := range reflect.ValueOf(p).Elem().Fields() {
		other := saids.FieldByIndex(field.Index)
		if v.Kind() == reflect.Slice && v.Pointer() == other.Pointer() && v.Len() == other.Len() {
			s.w = both
			s.member(field, v, &before)
			continue
		}
		s.w = only
		s.member(field, v, &before)
		s.w, s.compared = to, nil
		s.member(field, other, &there)
		s.compared = compared
	}
	s.w, s.compared = both, nil
	s.text(s.end)
	s.w, s.compared = only, compared
}

// member writes a member of a struct. before is what stands before it, and then what stands before the next.
func (s *stream) member(field reflect.StructField, v reflect.Value, before *string) {
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "-" || options == "omitempty" && v.Len() == 0 {
		return
	}
	s.text(*before + `"` + name + `"` + s.colon)
	*before = s.next
	if v.Kind() == reflect.Slice && v.Len() > 0 {
		s.list(v)
	} else {
		s.value(v.Addr().Interface())
	}
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
	doc := bytes.TrimSuffix(s.b.Bytes(), []byte("\n"))
	if s.compared != nil {
		s.compared.next(printable.JSON(doc))
	}
	doc = s.as(doc)
	if step, ok := v.(*Step); ok && s.prints != nil {
		s.prints.check(step, doc)
	}
	_, err := s.w.Write(doc)
	s.fail(err)
}

func (s *stream) text(t string) {
	if s.compared != nil {
		s.compared.next([]byte(t))
	}
	_, err := io.WriteString(s.w, t)
	s.fail(err)
}

func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
