package settings

import (
	"errors"
	"strings"
	"testing"
)

// TestSettingsThatAreNestedTooOften checks that a file of a megabyte which would take gigabytes, because each setting
// has all names above it, is refused at its line.
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

// TestSettingsThatAreRepeated checks that for a setting which occurs a hundred thousand times, only the last one's
// line is computed.
func TestSettingsThatAreRepeated(t *testing.T) {
	const times = 100_000
	h := hocon(t, strings.Repeat("esi.b = 1\n", times))
	if got := h.Find("esi.b"); got.Line != times || got.Value != "1" {
		t.Errorf("%+v", got)
	}
}
