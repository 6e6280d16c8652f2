package planner

import (
	"bytes"
	"encoding/json"
	"hash"
	"io"
	"reflect"
	"strings"
)

// sum returns a hash of the JSON that json.Marshal gives for a plan after it was written and read once (see asDecoded).
// One element of a list at a time is made, because all of them together may take more memory than the plan.
func (p *Plan) sum(h hash.Hash) ([]byte, error) {
	s := newStream(h)
	before := "{"
	for field, v := range reflect.ValueOf(p).Elem().Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || options == "omitempty" && v.Len() == 0 {
			continue
		}
		s.text(before + `"` + name + `":`)
		before = ","
		if v.Kind() == reflect.Slice && !v.IsNil() {
			s.list(v)
		} else {
			s.value(v.Addr().Interface())
		}
	}
	s.text("}")
	return h.Sum(nil), s.err
}

// stream writes JSON to a hash, which takes everything.
type stream struct {
	hash.Hash

	b   bytes.Buffer // of one value
	enc *json.Encoder
	err error // of the first value that has no JSON
}

func newStream(h hash.Hash) *stream {
	s := &stream{Hash: h}
	s.enc = json.NewEncoder(&s.b)
	return s
}

func (s *stream) text(t string) { _, _ = io.WriteString(s, t) }

func (s *stream) list(v reflect.Value) {
	s.text("[")
	for i := range v.Len() {
		if i > 0 {
			s.text(",")
		}
		s.value(v.Index(i).Addr().Interface())
	}
	s.text("]")
}

func (s *stream) value(v any) {
	s.b.Reset()
	if err := s.enc.Encode(v); err != nil && s.err == nil {
		s.err = err
	}
	_, _ = s.Write(asDecoded(bytes.TrimSuffix(s.b.Bytes(), []byte("\n"))))
}
