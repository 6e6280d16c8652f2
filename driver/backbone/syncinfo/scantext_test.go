package syncinfo

import "testing"

// TestShortNumber checks that a number read the short way is the one that is read the long way, and that everything
// else is left to that.
func TestShortNumber(t *testing.T) {
	for text, want := range map[string]int{
		"0": 1, "7": 1, "10": 2, "123456789": 9, "5,": 1, "5 ": 1, "5x": 1, "0/": 1, "0:": 1,
		"": -1, "-1": -1, "00": -1, "01": -1, "1234567890": -1, "1.0": -1, "1e2": -1, "1E2": -1, "null": -1, `"1"`: -1,
		"123456789.5": -1, "123456789e1": -1,
	} {
		b := append([]byte(text), make([]byte, pad)...)
		n, end := shortNumber(b, 0)
		if end != want {
			t.Errorf("%q ends at %d, want %d", text, end, want)
			continue
		}
		s := scanner{b: b, n: len(text)}
		if end < 0 {
			continue
		}
		if long := s.number(0); long != end {
			t.Errorf("%q ends at %d, or at %d the long way", text, end, long)
		}
		if long, ok := parseInt(b[:end]); !ok || long != n {
			t.Errorf("%q is %d, or %d the long way", text, n, long)
		}
	}
}
