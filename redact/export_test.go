package redact

// Stretches is Spans in stretches of a size, which overlap.
func (s *Set) Stretches(text string, size, overlap int) []Span {
	return s.stretches(text, size, overlap)
}
