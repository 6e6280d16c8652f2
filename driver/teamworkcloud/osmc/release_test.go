package osmc

import (
	"testing"
)

func TestParseRelease(t *testing.T) {
	for text, want := range map[string]Release{
		"2024x":                      {Year: 2024},
		"2024x Refresh3 Hot Fix 1":   {2024, 3, 1},
		"2024x Refresh 3, HotFix 12": {2024, 3, 12},
		"2024x (Refresh 3) (HF 2)":   {2024, 3, 2},
		"2024xR3 HF1":                {2024, 3, 1},
		"2024xR3_HF1":                {2024, 3, 1},
		"2024xR3":                    {2024, 3, 0},
		"2022xR2 HF3":                {2022, 2, 3},
		"2024x HF3":                  {2024, 0, 3},
		"2021X REFRESH2 HOTFIX5":     {2021, 2, 5},
		"Teamwork Cloud 2024x Refresh3 Hot Fix 1 build 17, OSMC 19.0.5, revision 2023x": {2024, 3, 1},
		"TWC version: 2026x\nOSMC version: 2026.1.0\nRevision: 8f2b7d0":                 {Year: 2026},
		"TWC version:\t2026x  Refresh 1\r\nOSMC version: 2026x":                         {2026, 1, 0},
		"{\"version\":\"2022x Refresh2\"}":                                              {2022, 2, 0},
		"TWC2022xR1":                                                                    {2022, 1, 0},
		"version 2024x Refreshing":                                                      {Year: 2024},
		"2024 x Refresh-2":                                                              {2024, 2, 0},
		"18.5":                                                                          {},
		"19.0 SP3":                                                                      {},
		"":                                                                              {},
		"12024x":                                                                        {},
		"esi2024x0":                                                                     {},
		"2024xyz":                                                                       {},
		"0x2024":                                                                        {},
		"1999x":                                                                         {},
		"20\u0662\u0664x":                                                               {},
		"OSMC 2024.1.0-SNAPSHOT.":                                                       {},
	} {
		got, ok := ParseRelease(text)
		if got != want || ok == want.IsZero() {
			t.Errorf("%q: got %v %v, want %v", text, got, ok, want)
		}
	}
}

func TestRelease(t *testing.T) {
	inOrder := []Release{
		{}, Sync2021R2, {2021, 2, 5}, {Year: 2022}, MultiHop2022R2, {Year: 2024}, {2024, 0, 3}, SyncTLS2024R1, {2024, 2, 0},
		LocalID2024R2HF1, {2024, 3, 1}, KeepsNumbers2026, {2026, 1, 0},
	}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if a.Before(b) != (i < j) {
				t.Errorf("%v before %v: %v", a, b, a.Before(b))
			}
		}
	}
	for want, r := range map[string]Release{
		"2024x Refresh 3 Hot Fix 1": {2024, 3, 1}, "2024x Hot Fix 3": {2024, 0, 3}, "2024x": {Year: 2024}, "unknown": {},
	} {
		if r.String() != want {
			t.Errorf("got %s, want %s", r, want)
		}
		if back, _ := ParseRelease(r.String()); back != r {
			t.Errorf("%s is read as %s", r, back)
		}
	}
	if m := (Release{2024, 3, 1}).Major(); m != "2024x" {
		t.Error(m)
	}
	if m := (Release{}).Major(); m != "" {
		t.Error(m)
	}
	for keyspace, want := range map[string]string{"esi2024x0": "2024x", "esi2026x1": "2026x", "ESI2022X0": "2022x",
		"esi": "", "": "", "esi12024x0": ""} {
		if got := (&Health{Keyspace: keyspace}).Major(); got != want {
			t.Errorf("%s: got %q, want %q", keyspace, got, want)
		}
	}
}

func FuzzParseRelease(f *testing.F) {
	for _, seed := range []string{"2024x Refresh3 Hot Fix 1", "18.5", "2022xR2 HF3", "\xff2024x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := ParseRelease(text)
		if ok == r.IsZero() || r.Refresh < 0 || r.HotFix < 0 {
			t.Errorf("%q: %v %v", text, r, ok)
		}
		if back, _ := ParseRelease(r.String()); back != r {
			t.Errorf("%v is read as %v", r, back)
		}
	})
}
