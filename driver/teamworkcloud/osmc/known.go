package osmc

// Known is a member that an answer may lack. The zero value is unknown, which is not 0, false or empty: whoever uses
// the value asks for it with Get and decides what follows where it is unknown.
type Known[T any] struct {
	value T
	given bool
}

// Given is a known value.
func Given[T any](value T) Known[T] { return Known[T]{value, true} }

// Get is the value, and whether it is known.
func (k Known[T]) Get() (value T, known bool) { return k.value, k.given }
