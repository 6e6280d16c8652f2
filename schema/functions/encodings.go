package functions

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"golang.org/x/text/encoding/ianaindex"
)

func encodings() []Function {
	const fileText = "What is in base64 must be UTF-8 text. "
	return []Function{
		{Name: "base64decode", Func: textFunc(decodeBase64, "str"), Summary: fileText + "It is decoded.",
			Examples: examples(`base64decode("SGVsbG8gV29ybGQ=")`, `"Hello World"`)},
		{Name: "base64encode", Func: textFunc(func(s ...string) (string, error) {
			return base64.StdEncoding.EncodeToString([]byte(s[0])), nil
		}, "str"), Summary: "The UTF-8 bytes of a text in base64.",
			Examples: examples(`base64encode("Hello World")`, `"SGVsbG8gV29ybGQ="`)},
		{Name: "csvdecode", Func: stdlib.CSVDecodeFunc, Cost: counts(",", "\n", "\n"), // of the values, and of the objects
			Summary: "The rows of a table in CSV (RFC 4180), as a list of objects. The first row names the columns, and all " +
				"values are texts.",
			Examples: examples(`csvdecode("key,name\nSAM2,Support\nSP2,Partner")`,
				`tolist([{ key = "SAM2", name = "Support" }, { key = "SP2", name = "Partner" }])`)},
		{Name: "jsondecode", Func: stdlib.JSONDecodeFunc, Cost: func(args []cty.Value) int64 {
			if HasLongNumber(text(args, 0)) {
				return TooMuch
			}
			return counts(",", "[", "{")(args)
		}, Summary: "The value that a JSON text writes.",
			Differs:  "At most 100 brackets may be inside of each other.",
			Examples: examples(`jsondecode("{\"hello\": \"world\"}")`, `{ hello = "world" }`)},
		{Name: "jsonencode", Func: stdlib.JSONEncodeFunc, Writes: escaping(0, 12), Summary: "A value as JSON.",
			Examples: examples(`jsonencode({ hello = "world" })`, `"{\"hello\":\"world\"}"`)},
		{Name: "textdecodebase64", Func: textFunc(decodeText, "source", "encoding"),
			Summary:  "The text whose bytes in a character encoding (a name of IANA's registry) are given in base64.",
			Examples: examples(`textdecodebase64("SABlAGwAbABvAA==", "UTF-16LE")`, `"Hello"`)},
		{Name: "textencodebase64", Func: textFunc(encodeText, "string", "encoding"), Writes: escaping(6, 0),
			Summary:  "The bytes of a text in a character encoding (a name of IANA's registry), in base64.",
			Examples: examples(`textencodebase64("Hello", "UTF-16LE")`, `"SABlAGwAbABvAA=="`)},
		{Name: "urldecode", Func: textFunc(decodeURL, "str"),
			Summary: "The text that a part of a URL's query stands for: + is a space, and %XX a byte of UTF-8.",
			Differs: "Bytes that are not UTF-8 text are an error.",
			Examples: examples(`urldecode("Hello+World%21")`, `"Hello World!"`, `urldecode(urlencode("a&b c"))`,
				`"a&b c"`)},
		{Name: "urlencode", Func: textFunc(func(s ...string) (string, error) { return url.QueryEscape(s[0]), nil }, "str"),
			Writes:  escaping(3, 6),
			Summary: "The text as a part of a URL's query: a space becomes +, and what is special %XX.",
			Examples: examples(`urlencode("Hello World!")`, `"Hello+World%21"`,
				`"https://a.example/?q=${urlencode("a&b")}"`, `"https://a.example/?q=a%26b"`)},
		{Name: "yamldecode", Func: yamlDecode, Cost: yamlCost,
			Summary: "The value that a YAML text writes: one document, of texts, numbers, booleans, lists and maps.",
			Differs: "At most 100 levels may be inside of each other, some thousand brackets in the " +
				"text, and 32 KiB in a line. What aliases repeat counts as often as it is repeated, so " +
				"that a few lines cannot stand for millions of values.",
			Examples: examples(`yamldecode("hello: world")`, `{ hello = "world" }`,
				`yamldecode("a: &x [1, 2]\nb: *x")`, `{ a = [1, 2], b = [1, 2] }`)},
		{Name: "yamlencode", Func: yaml.YAMLEncodeFunc,
			Writes:   escaping(16, 48), // the library takes much memory for each byte
			Summary:  "A value as YAML.",
			Examples: examples(`yamlencode({ a = "b", c = [1, 2] })`, `"\"a\": \"b\"\n\"c\":\n- 1\n- 2\n"`)},
	}
}

// HasLongNumber reports whether a JSON text has a number of so many digits that reading it would take minutes.
func HasLongNumber[T string | []byte](text T) bool { return hasLong(text, "0123456789.") }

// hasLong reports whether so many of some characters follow each other that no number has as many.
func hasLong[T string | []byte](text T, of string) bool {
	const tooMany = 1500
	n := 0
	for i := range len(text) {
		if strings.IndexByte(of, text[i]) < 0 {
			n = 0
		} else if n++; n == tooMany {
			return true
		}
	}
	return false
}

func decodeBase64(args ...string) (string, error) {
	out, err := base64.StdEncoding.DecodeString(args[0])
	if err != nil {
		return "", fmt.Errorf("decoding base64: %w", err)
	}
	if !utf8.Valid(out) {
		return "", errors.New("decoding base64: the result is not UTF-8 text")
	}
	return string(out), nil
}

func decodeURL(args ...string) (string, error) {
	out, err := url.QueryUnescape(args[0])
	if err != nil {
		return "", fmt.Errorf("decoding a URL: %w", err)
	}
	if !utf8.ValidString(out) {
		return "", errors.New("decoding a URL: the result is not UTF-8 text")
	}
	return out, nil
}

func encodeText(args ...string) (string, error) {
	enc, err := ianaindex.IANA.Encoding(args[1])
	if err != nil || enc == nil {
		return "", fmt.Errorf("%q is not a character encoding that is known here; there are, for example, \"UTF-16LE\" and "+
			"\"windows-1252\"", args[1])
	}
	out, err := enc.NewEncoder().String(args[0])
	if err != nil {
		return "", errors.New("the text has a character that the encoding cannot write")
	}
	return base64.StdEncoding.EncodeToString([]byte(out)), nil
}

func decodeText(args ...string) (string, error) {
	enc, err := ianaindex.IANA.Encoding(args[1])
	if err != nil || enc == nil {
		return "", fmt.Errorf("%q is not a character encoding that is known here; there are, for example, \"UTF-16LE\" and "+
			"\"windows-1252\"", args[1])
	}
	raw, err := base64.StdEncoding.DecodeString(args[0])
	if err != nil {
		return "", fmt.Errorf("decoding base64: %w", err)
	}
	out, err := enc.NewDecoder().Bytes(raw)
	if err != nil || strings.ContainsRune(string(out), utf8.RuneError) {
		return "", errors.New("the bytes are not text in that encoding")
	}
	return string(out), nil
}
