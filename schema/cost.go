package schema

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fit gives the arguments of a function their types, and counts what it will make of them before it is called. Without
// a name it only converts.
func (l *loader) fit(name string, f function.Function, args []cty.Value) ([]cty.Value, error) {
	params, rest := f.Params(), f.VarParam()
	out := make([]cty.Value, len(args))
	for i, arg := range args {
		p := rest
		if i < len(params) {
			p = &params[i]
		}
		val, err := l.meter.convert(arg, p.Type)
		if err != nil {
			return args, function.NewArgError(i, err)
		}
		if (name == "tonumber" || name == "parseint") && longDigits(val) != nil {
			return args, function.NewArgError(i, errNumber)
		}
		out[i] = val
	}
	if n := cost(name, out); n > 0 {
		if err := l.meter.take(n); err != nil {
			return args, err
		}
	}
	return out, nil
}

// longNumber is a number that has very many digits.
var longNumber = regexp.MustCompile(`[0-9.]{1000}[0-9.]{500}`)

// cost is the work of a function whose result may be much larger than its arguments, or that compares each element
// with each other. The arguments have been counted.
func cost(name string, args []cty.Value) int64 {
	text := func(i int) string {
		if i >= len(args) || args[i].IsNull() {
			return ""
		}
		v, _ := args[i].Unmark()
		if !v.IsKnown() || v.Type() != cty.String {
			return ""
		}
		return v.AsString()
	}
	units := func(bytes int64) int64 { return bytes / textUnit }
	switch name {
	case "indent":
		return units(product(number(args[0]), int64(strings.Count(text(1), "\n"))))
	case "replace":
		pattern := text(1)
		if len(pattern) > 1 && pattern[0] == '/' && pattern[len(pattern)-1] == '/' {
			most := int64(len(text(0)) + 1)
			refs := int64(strings.Count(text(2), "$") + 1)
			return matching(pattern[1:len(pattern)-1], text(0)) + units(product(most, int64(len(text(2))))+product(most, refs))
		}
		return units(product(int64(strings.Count(text(0), pattern)), int64(len(text(2)))))
	case "regex":
		return matching(text(0), text(1))
	case "regexall":
		groups := int64(strings.Count(text(0), "(") + 1)
		return matching(text(0), text(1)) + product(groups, int64(len(text(1))))
	case "split":
		return int64(strings.Count(text(1), text(0)))
	case "csvdecode":
		return int64(strings.Count(text(0), ",") + strings.Count(text(0), "\n"))
	case "jsondecode":
		if longNumber.MatchString(text(0)) {
			return product(-1, 1)
		}
		return int64(strings.Count(text(0), ",") + strings.Count(text(0), "[") + strings.Count(text(0), "{"))
	case "trim":
		return product(int64(len(text(0))), int64(len(text(1)))) / 100
	case "join":
		return units(product(int64(len(text(0))), lengths(args[1:])))
	case "format", "formatlist":
		return units(formatted(name, text(0), args))
	case "setproduct":
		n := int64(1)
		for _, a := range args {
			n = product(n, lengths([]cty.Value{a}))
		}
		return product(n, int64(len(args)))
	case "distinct":
		n := lengths(args)
		return product(n, n) / 8
	}
	return 0
}

// formatted is the number of bytes that format or formatlist may make.
func formatted(name, pattern string, args []cty.Value) int64 {
	most := int64(1)
	for i := 1; i < len(args); i++ {
		most = max(most, textSize(args[i]))
	}
	times := int64(1)
	if name == "formatlist" {
		times = max(1, lengths(args))
	}
	return product(times, widths(pattern)+product(int64(strings.Count(pattern, "%")), most))
}

// product is a*b, or a number beyond every limit.
func product(a, b int64) int64 {
	const most = int64(maxWork) << 20
	if a < 0 || b < 0 || a > 0 && b > most/a {
		return most
	}
	return a * b
}

func number(v cty.Value) int64 {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return 0
	}
	n, _ := v.AsBigFloat().Int64()
	return max(n, 0)
}

// lengths is how many elements collections have together.
func lengths(args []cty.Value) int64 {
	n := int64(0)
	for _, a := range args {
		if a, _ = a.Unmark(); !a.IsNull() && a.IsKnown() && a.CanIterateElements() {
			n += int64(a.LengthInt())
		}
	}
	return n
}

// textSize is about how many bytes a value takes in text.
func textSize(v cty.Value) int64 {
	n := int64(0)
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		n += 8
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			n += int64(len(v.AsString()))
		}
		return true, nil
	})
	return n
}

var digits = regexp.MustCompile(`[0-9]+`)

// widths is the sum of all numbers in a format, which may be widths.
func widths(format string) int64 {
	sum := int64(len(format))
	for _, d := range digits.FindAllString(format, -1) {
		n, err := strconv.ParseInt(d, 10, 32)
		if err != nil {
			return product(-1, 1)
		}
		sum += n
	}
	return sum
}

// matching is the work of a regular expression on a text.
func matching(pattern, text string) int64 {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0 // the function says so
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return product(int64(len(prog.Inst)), int64(len(text))) / 50
}
