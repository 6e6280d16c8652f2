package teamworkcloud

import (
	"strconv"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// known: the value is there, and no secret.
func known(v cty.Value) bool { return !schema.IsSensitive(v) && v.IsKnown() && !v.IsNull() }

func isTrue(r *schema.Resource, path ...string) bool {
	v := r.Get(path...)
	return known(v) && v.Type() == cty.Bool && v.True()
}

// texts is a list of strings, nil when there is none.
func texts(v cty.Value) []string {
	if !known(v) || !v.CanIterateElements() {
		return nil
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, schema.Text(e))
	}
	return out
}

func atLeast(text string) int {
	n, _ := strconv.Atoi(text) // what is not written is none
	return n
}
