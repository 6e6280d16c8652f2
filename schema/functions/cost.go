package functions

import (
	"math/bits"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/zclconf/go-cty/cty"
)

// Unit is the number of bytes of text that count as much as one value.
const Unit = 128

// TooMuch is a cost beyond every limit.
const TooMuch = int64(1) << 40

func units(bytes int64) int64 { return bytes / Unit }

// Product returns a*b, or TooMuch if it exceeds every limit.
func Product(a, b int64) int64 {
	if a < 0 || b < 0 || a > 0 && b > TooMuch/a {
		return TooMuch
	}
	return a * b
}

// text returns an argument if it is a known text, or else "".
func text(args []cty.Value, i int) string {
	if i >= len(args) || args[i].IsNull() {
		return ""
	}
	v, _ := args[i].Unmark()
	if !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

func number(v cty.Value) int64 {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return 0
	}
	n, _ := v.AsBigFloat().Int64()
	return max(n, 0)
}

// lengths returns the total number of elements in collections.
func lengths(args []cty.Value) int64 {
	n := int64(0)
	for _, a := range args {
		if a, _ = a.Unmark(); !a.IsNull() && a.IsKnown() && a.CanIterateElements() {
			n += int64(a.LengthInt())
		}
	}
	return n
}

// counts returns a cost function: the number of occurrences of some marks in the first text.
func counts(marks ...string) func([]cty.Value) int64 {
	return func(args []cty.Value) int64 {
		n := 0
		for _, m := range marks {
			n += strings.Count(text(args, 0), m)
		}
		return int64(n)
	}
}

// textSize estimates the number of bytes of a value in text with indented levels.
func textSize(v cty.Value) int64 {
	n := int64(0)
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(p cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		n += 8 + 2*int64(len(p))
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			n += int64(len(v.AsString()))
		}
		return true, nil
	})
	return n
}

// formatted returns the cost of format or formatlist, for one result or for each element.
func formatted(each bool) func([]cty.Value) int64 {
	return func(args []cty.Value) int64 {
		most, times := int64(1), int64(1)
		for _, arg := range args[min(1, len(args)):] {
			most = max(most, largest(arg, each))
		}
		if each {
			times = max(1, lengths(args))
		}
		pattern := text(args, 0)
		return units(Product(times, widths(pattern)+Product(int64(strings.Count(pattern, "%")), most)))
	}
}

// largest estimates the size of the largest element of a value as text, or of the value if it is not one by one.
func largest(v cty.Value, oneByOne bool) int64 {
	if v, _ = v.Unmark(); !oneByOne || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return textSize(v)
	}
	n := int64(0)
	for _, elem := range v.Elements() {
		n = max(n, textSize(elem))
	}
	return n
}

var (
	verbs  = lazyregexp.New(`%[^%a-zA-Z]*`)
	digits = lazyregexp.New(`[0-9]+`)
)

// widths returns the sum of all numbers in the verbs of a format, which may be widths.
func widths(format string) int64 {
	sum := int64(len(format))
	for _, verb := range verbs.FindAllString(format, -1) {
		for _, d := range digits.FindAllString(verb, -1) {
			n, err := strconv.ParseInt(d, 10, 32)
			if err != nil {
				return TooMuch
			}
			sum += n
		}
	}
	return sum
}

// escaping returns a cost function for what writes a value as text: so much for each byte of its texts, and more for
// each that may have to be escaped.
func escaping(plain, special int64) func([]cty.Value) int64 {
	return func(args []cty.Value) int64 {
		v, _ := args[0].UnmarkDeep()
		n := Product(plain, textSize(v))
		_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
			if v.Type() == cty.String && v.IsKnown() && !v.IsNull() && special > 0 {
				for _, c := range []byte(v.AsString()) {
					if c < ' ' || c > '~' || strings.IndexByte(`"\&<>%`, c) >= 0 {
						n += special
					}
				}
			}
			return true, nil
		})
		return units(n)
	}
}

// mostOfRegex is the maximum length of a regular expression, in bytes. Longer ones take long even to be read.
const mostOfRegex = 1 << 14

// matching returns the cost of matching a regular expression with a text.
func matching(pattern, text string) int64 {
	if len(pattern) > mostOfRegex {
		return TooMuch
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0 // the function reports it
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return Product(int64(len(prog.Inst)), int64(len(text)+8)) / 50 // it takes some time to be read, too
}

// replacing returns the cost of replace.
func replacing(args []cty.Value) int64 {
	s, part, by := text(args, 0), text(args, 1), text(args, 2)
	if pattern, ok := slashed(part); ok {
		most, refs := int64(len(s)+1), int64(strings.Count(by, "$")+1)
		return matching(pattern, s) + units(Product(most, int64(len(by)))+Product(most, refs))
	}
	return units(Product(int64(strings.Count(s, part)), int64(len(by))))
}

// each returns the cost of comparing the elements of two collections, or of one with itself, pair by pair.
func each(a, b int) func([]cty.Value) int64 {
	return func(args []cty.Value) int64 {
		if a >= len(args) || b >= len(args) {
			return 0
		}
		return Product(lengths(args[a:a+1]), lengths(args[b:b+1])) / 8
	}
}

// Sorting returns the cost of sorting elements: each is compared about as often as their number has bits.
func Sorting(n int64) int64 { return Product(n, int64(bits.Len64(uint64(n)))) } // #nosec G115 -- it is not negative

// sorting returns the cost of sorting the first collection.
func sorting(args []cty.Value) int64 { return Sorting(lengths(args[:1]) + units(textSize(args[0]))) }
