package seed

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Instant parses a time in RFC 3339. It returns otherwise for "". Years before 1990 and after 2200 are refused.
func Instant(text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err == nil && (t.Year() < 1990 || t.Year() > 2200) {
		err = fmt.Errorf("%s is out of range", text)
	}
	return t, err
}

// OneOf checks that a member's value is one of the words. It sets an empty value to the first of them.
func OneOf(member string, value *string, words ...string) error {
	if *value == "" {
		*value = words[0]
	}
	if !slices.Contains(words, *value) {
		return fmt.Errorf("%s: %q is not one of %s", member, *value, strings.Join(words, ", "))
	}
	return nil
}
