package osmc

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	at := func(year, month, day, hour, minute, second, milli int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, second, milli*1e6, time.UTC)
	}
	none := time.Time{}
	for text, want := range map[string]time.Time{
		`1601477216`:                           at(2020, 9, 30, 14, 46, 56, 0),
		`"1601477216"`:                         at(2020, 9, 30, 14, 46, 56, 0),
		`1.601477216E9`:                        at(2020, 9, 30, 14, 46, 56, 0),
		`1601477216000`:                        at(2020, 9, 30, 14, 46, 56, 0),
		`1470735888827`:                        at(2016, 8, 9, 9, 44, 48, 827),
		`"20180713082509555"`:                  at(2018, 7, 13, 8, 25, 9, 555),
		`20180713082509555`:                    at(2018, 7, 13, 8, 25, 9, 555),
		`"20180713082509"`:                     at(2018, 7, 13, 8, 25, 9, 0),
		`"20240805175105UTC"`:                  at(2024, 8, 5, 17, 51, 5, 0),
		`"20200916053059PDT"`:                  at(2020, 9, 16, 12, 30, 59, 0),
		`"Mon Aug 08 13:00:13 ICT 2016"`:       at(2016, 8, 8, 6, 0, 13, 0),
		`"Tue Aug  9 16:44:48 CEST 2016"`:      at(2016, 8, 9, 14, 44, 48, 0),
		`"Tue Aug 09 16:44:48 EDT 2016"`:       at(2016, 8, 9, 20, 44, 48, 0),
		`"Tue Aug 09 16:44:48 GMT+05:30 2016"`: at(2016, 8, 9, 11, 14, 48, 0),
		`"Tue Aug 09 16:44:48 GMT-03:00 2016"`: at(2016, 8, 9, 19, 44, 48, 0),
		`"Tue Aug 09 16:44:48 UTC 2016"`:       at(2016, 8, 9, 16, 44, 48, 0),
		`"2016-08-08T13:00:13Z"`:               at(2016, 8, 8, 13, 0, 13, 0),
		`"2016-08-08T13:00:13.5+02:00"`:        at(2016, 8, 8, 11, 0, 13, 500),
		`"2016-08-08T13:00:13.500+0200"`:       at(2016, 8, 8, 11, 0, 13, 500),
		`"2016-08-08T13:00:13"`:                at(2016, 8, 8, 13, 0, 13, 0),
		`{"@value":"1601477216"}`:              at(2020, 9, 30, 14, 46, 56, 0),
		`"Tue Aug 09 16:44:48 CST 2016"`:       none, // Chicago, Shanghai or Havana
		`"Tue Aug 09 16:44:48 IST 2016"`:       none,
		`"Tue Aug 09 16:44:48 XYZ 2016"`:       none,
		`"Tue Aug 09 16:44:48 GMT+25:00 2016"`: none,
		`"20181313082509555"`:                  none,
		`"yesterday"`:                          none,
		`""`:                                   none,
		`0`:                                    none,
		`-1`:                                   none,
		`99999999999999999`:                    none,
		`true`:                                 none,
		`{}`:                                   none,
	} {
		n, err := tree([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := n.date()
		if ok != !want.IsZero() || ok && (!got.Equal(want) || got.Location() != time.UTC) {
			t.Errorf("%s: got %v %v, want %v", text, got, ok, want)
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{"1601477216", "1470735888827", "20180713082509555",
		"Mon Aug 08 13:00:13 ICT 2016", "2016-08-08T13:00:13.5+02:00", "Mon Aug 08 13:00:13 GMT+7 2016"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range []any{text, json.Number(text)} {
			if at, ok := (&node{v: v}).date(); ok && (at.Location() != time.UTC || at.IsZero()) {
				t.Errorf("%q is read as %v", text, at)
			}
		}
	})
}
