package wording

import "strings"

// Closed rewords an error of a connection that ends in EOF. It returns other errors unchanged.
func Closed(err error) error { return ended(err, "the other side closed the connection") }

// Short rewords an error of a document that ends in EOF. It returns other errors unchanged.
func Short(err error) error { return ended(err, "it ends too early") }

func ended(err error, words string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, raw := range []string{"unexpected EOF", "EOF", "unexpected end of JSON input"} {
		if before, ok := strings.CutSuffix(text, raw); ok {
			return &inWords{before + words, err}
		}
	}
	return err
}

// inWords is an error with a text of our own, which wraps the original one.
type inWords struct {
	text  string
	cause error
}

func (e *inWords) Error() string { return e.text }
func (e *inWords) Unwrap() error { return e.cause }
