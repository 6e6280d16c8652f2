package osmc

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/lazyregexp"
)

// date reads a time in one of the forms that documents and real servers use:
//
//	1601477216                       seconds since 1970, as real servers answer
//	1470735888827                    milliseconds since 1970, as the specification's commitDate
//	"20180713082509555"              year to milliseconds, as the specification's list of revisions; a zone may follow
//	"Mon Aug 08 13:00:13 ICT 2016"   as Java prints it, as the specification's branches
//	"2016-08-08T13:00:13.5Z"         RFC 3339
//
// ASSUMED: without a zone, the third form is in UTC, because a server's own zone cannot be known. date returns false
// if the time has none of these forms, or if the name of its zone is unknown or ambiguous. A time that is off by hours
// would make two equal histories differ, or two different ones equal.
func (n *node) date() (time.Time, bool) {
	text, ok := n.asText()
	if !ok {
		return time.Time{}, false
	}
	if number, isNumber := n.v.(json.Number); isNumber {
		if whole, ok := wholeNumber(number.String()); ok { // also 1.601477216E9
			text = strconv.Itoa(whole)
		}
	}
	return parseDate(strings.TrimSpace(text))
}

var (
	digits  = lazyregexp.New(`^-?[0-9]+$`)
	compact = lazyregexp.New(`^((?:19|20)[0-9]{12})([0-9]{3})? ?([A-Za-z]{1,5})?$`)
	printed = lazyregexp.New(`^([A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}[0-9]{1,2} ` +
		`[0-9]{2}:[0-9]{2}:[0-9]{2}) ([^ ]+) ([0-9]{4})$`)
)

func parseDate(text string) (time.Time, bool) {
	if m := compact.FindStringSubmatch(text); m != nil {
		return inZone("20060102150405.000", m[1]+"."+(m[2] + "000")[:3], m[3])
	}
	if m := printed.FindStringSubmatch(text); m != nil {
		return inZone("Mon Jan _2 15:04:05 2006", m[1]+" "+m[3], m[2])
	}
	if digits.MatchString(text) {
		return sinceEpoch(text)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700",
		"2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// sinceEpoch distinguishes seconds from milliseconds by their size. The smallest number that counts as milliseconds
// would be the year 5138 in seconds; in milliseconds it is March 1973.
func sinceEpoch(text string) (time.Time, bool) {
	const leastMillis = 100_000_000_000
	i, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || i <= 0 || i >= 1000*leastMillis:
		return time.Time{}, false
	case i >= leastMillis:
		return time.UnixMilli(i).UTC(), true
	}
	return time.Unix(i, 0).UTC(), true
}

// inZone reads a time that was written in a zone, or in UTC if zone is "".
func inZone(layout, text, zone string) (time.Time, bool) {
	offset, ok := offsetOf(zone)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(layout, text)
	return t.Add(-offset).UTC(), err == nil
}

var numericZone = lazyregexp.New(`^(?:GMT|UTC)?([+-])([0-9]{1,2}):?([0-9]{2})$`)

// offsetOf returns how much a zone is ahead of UTC. Java's names of zones are accepted if no other zone has the same
// name: CST, CDT, IST, BST, AST and similar names are not.
func offsetOf(zone string) (time.Duration, bool) {
	if m := numericZone.FindStringSubmatch(zone); m != nil {
		hours, _ := strconv.Atoi(m[2]) // two digits
		minutes, _ := strconv.Atoi(m[3])
		offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
		if m[1] == "-" {
			offset = -offset
		}
		return offset, hours <= 14 && minutes < 60
	}
	hours, ok := zones[zone]
	return time.Duration(hours * float64(time.Hour)), ok
}

var zones = map[string]float64{
	"": 0, "Z": 0, "UTC": 0, "UT": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2,
	"EET": 2, "EEST": 3, "MSK": 3, "TRT": 3, "SAST": 2, "PKT": 5, "ICT": 7, "WIB": 7, "HKT": 8, "SGT": 8, "AWST": 8,
	"JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "NST": -3.5,
	"NDT": -2.5,
	"BRT": -3, "ART": -3, "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8,
	"HST": -10,
}
