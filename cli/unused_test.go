package cli

import "testing"

// TestUnusedMemory: who says how memory is collected gets no more than that.
func TestUnusedMemory(t *testing.T) {
	for name, want := range map[string]int{"": unusedSize, "GOGC": 0, "GOMEMLIMIT": 0} {
		got := unusedMemory(func(asked string) (string, bool) { return map[string]string{name: "100"}[asked], asked == name })
		if len(got) != want {
			t.Errorf("%q: %d", name, len(got))
		}
	}
}
