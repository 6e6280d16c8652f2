package declare

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// onceKey is the key of the Memo that holds a declaration decoded into a T.
type onceKey[T any] struct{}

type once[T any] struct {
	value *T
	diags hcl.Diagnostics
	known hcl.Diagnostics // without what says that a value is not known
}

// Once decodes a declaration into a new T, once per declaration. All callers share the result and must not change it,
// nor must the rules of its Type. For nil it returns nil.
func Once[T any](r *schema.Resource) (*T, hcl.Diagnostics) {
	if r == nil {
		return nil, nil
	}
	o := decoded[T](r)
	if r.Elsewhere {
		return o.value, o.known
	}
	return o.value, o.diags
}

func decoded[T any](r *schema.Resource) once[T] {
	return r.Memo(onceKey[T]{}, func() any {
		o, d := once[T]{value: new(T)}, decoder{r: r}
		d.fill(reflect.ValueOf(o.value).Elem(), r.Value, nil)
		o.diags, o.known = d.diags, d.settled()
		return o
	}).(once[T])
}
