package state

import (
	"testing"
)

func TestReleases(t *testing.T) {
	for text, want := range map[string]Release{
		"2021xR2": {2021, 2, 0}, "2021x Refresh2": {2021, 2, 0}, "2022x": {2022, 0, 0},
		"2022x Refresh 2 Hot Fix 3": {2022, 2, 3},
		"2022xR1":                   {2022, 1, 0}, "2022xR2": {2022, 2, 0}, "2024x HF3": {2024, 0, 3},
		"2024x": {2024, 0, 0}, "2024xR1": {2024, 1, 0},
		"2024x Refresh2 Hot Fix 1": {2024, 2, 1}, "2024xR2 HF1": {2024, 2, 1}, "2024xR2HF1": {2024, 2, 1},
		"2024x Refresh3":   {2024, 3, 0},
		" 2026X refresh1 ": {2026, 1, 0}, "2026xR1": {2026, 1, 0}, "2026x-R1": {2026, 1, 0},
	} {
		if got, ok := ParseRelease(text); !ok || got != want {
			t.Errorf("%q: %v %t", text, got, ok)
		}
		if again, ok := ParseRelease(want.String()); !ok || again != want {
			t.Errorf("%v does not read itself", want)
		}
	}
	for _, text := range []string{"", "18.5", "2024", "24x", "2024x SP1", "2024xR", "1999x", "2024x Refresh3 and more"} {
		if got, ok := ParseRelease(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
	r := Release{2024, 2, 1}
	for _, one := range [][4]int{{2024, 2, 1, 1}, {2024, 2, 2, 0}, {2024, 3, 0, 0}, {2024, 1, 9, 1},
		{2025, 0, 0, 0}, {2022, 9, 9, 1}} {
		if r.Since(one[0], one[1], one[2]) != (one[3] == 1) {
			t.Errorf("%v since %v", r, one)
		}
	}
}
