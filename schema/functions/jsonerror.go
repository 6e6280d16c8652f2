package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// expectedInJSON says what is expected where the parser of encoding/json stops, by the end of its message. The message
// itself quotes the character found, and the text may be somebody else's.
var expectedInJSON = []struct{ says, expected string }{
	{"unexpected end of JSON input", "the text ends too early"},
	{"looking for beginning of value", "a value is expected"},
	{"looking for beginning of object key string", "a key in double quotation marks is expected"},
	{"after object key", "a colon is expected after the key"},
	{"after object key:value pair", "a comma or } is expected"},
	{"after array element", "a comma or ] is expected"},
	{"after top-level value", "nothing is expected after the value"},
	{"in string literal", "a control character in a text is written as an escape, such as \\n"},
	{"in string escape code", "an escape is expected, such as \\n or \\\""},
	{"in \\u hexadecimal character escape", "four hexadecimal digits are expected after \\u"},
	{"in literal true (expecting 'r')", "true, false or null is expected"},
	{"in numeric literal", "a digit is expected"},
}

// CheckJSON returns an error with the position where a text is not JSON, and what is expected there.
func CheckJSON(text string) error {
	var at *json.SyntaxError
	err := json.Unmarshal([]byte(text), new(json.RawMessage))
	if err == nil {
		return nil
	}
	if strings.TrimSpace(text) == "" {
		return errors.New("the text is empty: a value in JSON is expected")
	}
	if !errors.As(err, &at) {
		return errors.New("it is not JSON")
	}
	expected := "true, false, null, a number, a text, an object or a list is expected"
	for _, e := range expectedInJSON {
		if strings.HasSuffix(at.Error(), e.says) {
			expected = e.expected
		}
	}
	offset := int(at.Offset) - 1 // the character that was read last
	if strings.HasPrefix(at.Error(), "unexpected end") {
		offset = len(text)
	}
	before := text[:min(max(offset, 0), len(text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("line %d, column %d: %s", line, column, expected)
}
