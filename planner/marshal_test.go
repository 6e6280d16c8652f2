package planner

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// TestMarshaller compares what is written without reflection with what encoding/json writes.
func TestMarshaller(t *testing.T) {
	t.Run("step", func(t *testing.T) { rapid.Check(t, sameAsJSON[Step]) })
	t.Run("change", func(t *testing.T) { rapid.Check(t, sameAsJSON[ResourceChange]) })
	t.Run("declared", func(t *testing.T) { rapid.Check(t, sameAsJSON[Declared]) })
	isAsJSON(t, Step{Manual: &Manual{}, Effect: &Effect{}})
	for _, text := range []string{"", "P0 <> P1 & \"more\" \\", "\u2028 \x7f \xff \ufffd é\n\x01", "<\xff>"} {
		isAsJSON(t, Step{Summary: text, Args: map[string]string{text: text, "a": text}, Needs: []string{text, text}})
	}
}

func sameAsJSON[T any](t *rapid.T) { isAsJSON(t, rapid.Make[T]().Draw(t, "value")) }

func isAsJSON[T any](t interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}, v T) {
	texts, err := json.Marshal(&v)
	if err != nil {
		t.Fatal(err)
	}
	var files bytes.Buffer
	enc := json.NewEncoder(&files)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&v); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		decoded bool
		want    []byte
	}{{true, asDecoded(texts)}, {false, bytes.TrimSuffix(files.Bytes(), []byte("\n"))}} {
		m := &marshaller{decoded: c.decoded}
		if !m.marshal(&v) || !bytes.Equal(m.b, c.want) {
			t.Fatalf("%s\n  want %s", m.b, c.want)
		}
	}
}
