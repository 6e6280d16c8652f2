package schema

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// oneOf checks a string, or each string in a collection, against the permitted words.
func oneOf(a *Attribute, val cty.Value, rng hcl.Range, from *foreignTexts) *hcl.Diagnostic {
	if len(a.OneOf) == 0 {
		return nil
	}
	shown := !a.Secret && !IsSensitive(val)
	var wrong *hcl.Diagnostic
	plainVal := Reveal(val)
	_ = cty.Walk(plainVal, func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		if wrong != nil || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
			return wrong == nil, nil
		}
		for _, w := range a.OneOf {
			if v.AsString() == w {
				return true, nil
			}
		}
		got, hint := "The value", ""
		if by := from.origin(v.AsString()); shown && by != "" {
			got = instead(v.AsString(), by)
		} else if shown {
			got = strconv.Quote(v.AsString())
			hint = didYouMean(v.AsString(), a.OneOf)
		}
		wrong = problem(rng, "Incorrect argument value", "%s is not permitted for the argument %q, which is one of %s.%s",
			got, a.Name, quoteList(a.OneOf, "or"), hint)
		return false, nil
	})
	return wrong
}

// mostWhole is the largest value of an argument of whole numbers. It fits an int on every machine.
const mostWhole = math.MaxInt32

// whole checks that a number, or each number in a collection, is whole and within its limits.
func whole(a *Attribute, val cty.Value, rng hcl.Range) *hcl.Diagnostic {
	if !a.Whole {
		return nil
	}
	shown := !a.Secret && !IsSensitive(val)
	var wrong *hcl.Diagnostic
	_ = cty.Walk(Reveal(val), func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		if wrong != nil || v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
			return wrong == nil, nil
		}
		n, acc := v.AsBigFloat().Int64()
		if acc == big.Exact && n >= int64(a.Least) && n <= mostWhole {
			return true, nil
		}
		got := "The value"
		if shown {
			got = numberText(v)
		}
		want := fmt.Sprintf("a whole number, %d or more", a.Least)
		if v.AsBigFloat().IsInt() && v.AsBigFloat().Sign() > 0 && n > mostWhole {
			want = fmt.Sprintf("a whole number from %d to %d", a.Least, mostWhole)
		}
		wrong = problem(rng, "Incorrect argument value", "%s is not permitted for the argument %q, which is %s.", got,
			a.Name, want)
		return false, nil
	})
	return wrong
}
