package declare

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// onceKey is the key of the Memo with a declaration decoded into a T.
type onceKey[T any] struct{}

type once[T any] struct {
	value *T
	diags hcl.Diagnostics
}

// Once is Decode into a new T, once for each declaration: all who ask share it, and nobody changes it. Of nil it is
// nil.
func Once[T any](r *schema.Resource) (*T, hcl.Diagnostics) {
	if r == nil {
		return nil, nil
	}
	o := r.Memo(onceKey[T]{}, func() any {
		o := once[T]{value: new(T)}
		o.diags = Decode(r, o.value)
		return o
	}).(once[T])
	return o.value, o.diags
}
