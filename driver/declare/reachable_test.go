package declare_test

import (
	"errors"
	"testing"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
)

func TestReachable(t *testing.T) {
	for _, row := range []struct {
		r    *schema.Resource
		want bool
	}{{nil, true}, {&schema.Resource{}, true}, {&schema.Resource{Site: "acme"}, true},
		{&schema.Resource{Site: "acme", Elsewhere: true}, false}} {
		if err := declare.Reachable(row.r); (err == nil) != row.want || err != nil && !errors.Is(err, declare.ErrElsewhere) {
			t.Errorf("%+v: %v", row.r, err)
		}
	}
}
