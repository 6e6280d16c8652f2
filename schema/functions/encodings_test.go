package functions

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestLongNumbers: only digits that follow each other are counted. In YAML underscores stand between them.
func TestLongNumbers(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("7", n) }
	for name, c := range map[string]struct {
		text       string
		json, yaml bool
	}{
		"nothing":     {"", false, false},
		"almost":      {digits(1499), false, false},
		"just":        {"[" + digits(1500), true, true},
		"a fraction":  {"0." + digits(1498) + "]", true, true},
		"apart":       {digits(1499) + "," + digits(1499), false, false},
		"underscores": {digits(1000) + "_" + digits(1000), false, true},
	} {
		if got := HasLongNumber(c.text); got != c.json || HasLongNumber([]byte(c.text)) != c.json {
			t.Errorf("%s: JSON %v", name, got)
		}
		if got := hasLong(c.text, "0123456789._"); got != c.yaml {
			t.Errorf("%s: YAML %v", name, got)
		}
	}
}

// TestYAMLThatIsRefusedCosts: a text that is refused once it was read costs what reading it took.
func TestYAMLThatIsRefusedCosts(t *testing.T) {
	for name, src := range map[string]string{
		"deep lists":      strings.Repeat(strings.Repeat("- ", 1000)+"a\n", 10),
		"deep maps":       strings.Repeat("- "+strings.Repeat("? ", 1000)+"a\n", 10),
		"a mistake below": strings.Repeat("- a\n", 10_000) + "\t",
	} {
		if got := yamlCost([]cty.Value{cty.StringVal(src)}); got < 10_000 || got > 50_000 {
			t.Errorf("%s: it costs %d", name, got)
		}
	}
}
