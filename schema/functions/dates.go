package functions

import (
	"errors"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func dates() []Function {
	return []Function{
		{Name: "duration", Own: true, Func: durationFunc,
			Summary: "The seconds of a duration, as arguments take one: numbers with the units h, m, s and ms. For " +
				"comparisons.",
			Examples: examples(`duration("1h30m")`, `5400`, `duration("90s") < duration("2m")`, `true`,
				`duration("250ms")`, `0.25`)},
		{Name: "formatdate", Func: stdlib.FormatDateFunc,
			Summary: "A date and time (RFC 3339) in another form: YYYY, MM, MMM, DD, EEE, hh, mm, ss, Z and others; what is " +
				"in single quotes stands for itself.",
			Examples: examples(`formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")`, `"02 Jan 2018 23:12 UTC"`)},
		{Name: "timeadd", Func: stdlib.TimeAddFunc, Summary: "A date and time (RFC 3339) plus a duration.",
			Examples: examples(`timeadd("2017-11-22T00:00:00Z", "10m")`, `"2017-11-22T00:10:00Z"`)},
		{Name: "timecmp", Func: timecmpFunc,
			Summary:  "-1, 0 or 1: whether a date and time (RFC 3339) is before, the same as, or after another.",
			Examples: examples(`timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00+01:00")`, `0`)},
	}
}

var durationFunc = spec([]function.Parameter{param("text", cty.String)}, nil, function.StaticReturnType(cty.Number),
	func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		d, err := time.ParseDuration(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0,
				"it is not a duration: write numbers with units, such as \"90s\", \"15m\" or \"1h30m\"")
		}
		return cty.NumberIntVal(int64(d)).Divide(cty.NumberIntVal(int64(time.Second))), nil
	})

var timecmpFunc = spec([]function.Parameter{param("timestamp_a", cty.String), param("timestamp_b", cty.String)}, nil,
	function.StaticReturnType(cty.Number), func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var times [2]time.Time
		for i, a := range args {
			var err error
			if times[i], err = time.Parse(time.RFC3339, a.AsString()); err != nil {
				return cty.NilVal, function.NewArgError(i, errors.New("it is not a date and time as in RFC 3339, such as "+
					"\"2024-01-31T22:00:00Z\""))
			}
		}
		return cty.NumberIntVal(int64(times[0].Compare(times[1]))), nil
	})
