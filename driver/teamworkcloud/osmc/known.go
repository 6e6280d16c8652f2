package osmc

// Known is a member that an answer may lack. The zero value is unknown, which is not 0, false or empty. Callers use
// Get, and decide what to do if the value is unknown.
type Known[T any] struct {
	value T
	given bool
}

// Given returns a known value.
func Given[T any](value T) Known[T] { return Known[T]{value, true} }

// Get returns the value, and whether it is known.
func (k Known[T]) Get() (value T, known bool) { return k.value, k.given }
