package teamworkcloud

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"

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

// pack puts facts into a value so that they travel through the planner like every other value.
func pack(facts any) (cty.Value, error) {
	b, err := json.Marshal(facts)
	if err != nil {
		return cty.NilVal, fmt.Errorf("packing facts: %w", err)
	}
	return cty.ObjectVal(map[string]cty.Value{"facts": cty.StringVal(string(b))}), nil
}

func unpack(v cty.Value, facts any) error {
	if v.IsNull() {
		return nil
	}
	if err := json.Unmarshal([]byte(v.GetAttr("facts").AsString()), facts); err != nil {
		return fmt.Errorf("unpacking facts: %w", err)
	}
	return nil
}

func number(n int) string { return strconv.Itoa(n) }

// splitPort takes host:port apart; the port is "" where there is none. An IPv6 address stands in brackets.
func splitPort(text string) (host, port string) {
	if h, p, err := net.SplitHostPort(text); err == nil {
		return h, p
	}
	return strings.Trim(text, "[]"), ""
}

func joinPort(host, port string) string { return net.JoinHostPort(host, port) }

func atLeast(text string) int {
	n, _ := strconv.Atoi(text) // what is not written is none
	return n
}
