package declare

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// onceKey is the key of the Memo that holds a declaration decoded into a T.
type onceKey[T any] struct{}

type once[T any] struct {
	value *T
	diags hcl.Diagnostics
}

// Once decodes a declaration into a new T, once per declaration. All callers share the result and must not change it.
// For nil it returns nil.
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
