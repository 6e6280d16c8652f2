package settings

import (
	"errors"
	"strings"
	"testing"
)

// A file of a megabyte that would take gigabytes, since each setting keeps the names above it, is refused at its line.
func TestSettingsThatAreNestedTooOften(t *testing.T) {
	const deep = 400
	fields := mostNames/deep + 1
	src := strings.Repeat("a {\n", deep) + strings.Repeat("b = 1\n", fields) + strings.Repeat("}\n", deep)
	_, err := ParseHOCON([]byte(src))
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Line <= deep || syntax.Line > deep+fields {
		t.Errorf("%d bytes: %v", len(src), err)
	}
	if _, err := ParseHOCON([]byte(strings.Repeat("b = 1\n", fields))); err != nil {
		t.Errorf("as many that are not nested: %v", err)
	}
}

// Of a setting that is there a hundred thousand times, the line of the last alone is counted.
func TestSettingsThatAreRepeated(t *testing.T) {
	const times = 100_000
	h := hocon(t, strings.Repeat("esi.b = 1\n", times))
	if got := h.Find("esi.b"); got.Line != times || got.Value != "1" {
		t.Errorf("%+v", got)
	}
}
