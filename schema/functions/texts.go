package functions

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func texts() []Function { //nolint:funlen // a row for each
	return []Function{
		{Name: "chomp", Func: stdlib.ChompFunc, Summary: "The text without the line breaks at its end.",
			Examples: examples(`chomp("hello\n\n")`, `"hello"`)},
		{Name: "endswith", Func: testFunc("suffix", strings.HasSuffix), Summary: "Whether a text ends with another.",
			Examples: examples(`endswith("prod.pem", ".pem")`, `true`)},
		{Name: "format", Func: stdlib.FormatFunc, Writes: formatted(false),
			Summary: "A text with values in the places of verbs such as %s, %d, %q and %05.1f; %% is a percent sign.",
			Examples: examples(`format("plant-%03d", 7)`, `"plant-007"`,
				`format("%s has %d syncs", "north", 12)`, `"north has 12 syncs"`)},
		{Name: "formatlist", Func: stdlib.FormatListFunc, Writes: formatted(true),
			Summary:  "format for each element of lists; what is not a list is used for each.",
			Examples: examples(`formatlist("%s.example", ["a", "b"])`, `tolist(["a.example", "b.example"])`)},
		{Name: "indent", Func: stdlib.IndentFunc, Writes: func(args []cty.Value) int64 {
			return units(Product(number(args[0]), int64(strings.Count(text(args, 1), "\n"))))
		}, Summary: "The text with spaces before each line but the first.",
			Examples: examples(`indent(2, "a:\nb")`, `"a:\n  b"`)},
		{Name: "join", Func: stdlib.JoinFunc, Writes: func(args []cty.Value) int64 {
			return units(Product(int64(len(text(args, 0))), lengths(args[1:])))
		}, Summary: "The elements of lists as one text, with a separator between them.",
			Examples: examples(`join(", ", ["north", "south"])`, `"north, south"`)},
		{Name: "jql_quote", Own: true, Func: textFunc(jqlQuote, "text"), Writes: quoted,
			Summary: "The text as one string of JQL, in double quotes: what is in it cannot become a part of the query. " +
				"For the operator ~ the quoted text still is a search, with words and wildcards.",
			Examples: examples(`jql_quote("Mine \"A\"")`, `"\"Mine \\\"A\\\"\""`,
				`"summary ~ ${jql_quote("a\\b")}"`, `"summary ~ \"a\\\\b\""`)},
		{Name: "lower", Func: stdlib.LowerFunc, Summary: "The text in lower case.",
			Examples: examples(`lower("SAM2")`, `"sam2"`)},
		{Name: "regex", Func: stdlib.RegexFunc, Cost: func(args []cty.Value) int64 {
			return matching(text(args, 0), text(args, 1))
		}, Summary: "The first match of a regular expression (RE2): a text, a list of its groups, or an object of its " +
			"named groups. No match is an error.",
			Examples: examples(`regex("[a-z]+", "53453453.345345aaabbbccc23454")`, `"aaabbbccc"`,
				`regex("^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<host>[^/?#]*))?", "https://depot.example/rest")`,
				`{ scheme = "https", host = "depot.example" }`)},
		{Name: "regexall", Func: stdlib.RegexAllFunc, Cost: func(args []cty.Value) int64 {
			groups := int64(strings.Count(text(args, 0), "(") + 1)
			return matching(text(args, 0), text(args, 1)) + Product(groups, int64(len(text(args, 1))))
		}, Summary: "All matches of a regular expression (RE2), as a list.",
			Examples: examples(`regexall("[a-z]+", "1234abcd5678efgh9")`, `tolist(["abcd", "efgh"])`,
				`length(regexall("[a-z]+", "123456789"))`, `0`)},
		{Name: "replace", Func: replaceFunc, Writes: replacing,
			Summary: "The text with each occurrence of a part replaced. A part between slashes is a regular expression, and " +
				"$1 in the replacement its first group.",
			Examples: examples(`replace("1 + 2 + 3", "+", "-")`, `"1 - 2 - 3"`,
				`replace("hello world", "/w.*d/", "everybody")`, `"hello everybody"`)},
		{Name: "split", Func: stdlib.SplitFunc, Cost: func(args []cty.Value) int64 {
			return int64(strings.Count(text(args, 1), text(args, 0)))
		}, Summary: "The parts of a text between separators, as a list.",
			Examples: examples(`split(",", "foo,bar,")`, `tolist(["foo", "bar", ""])`)},
		{Name: "startswith", Func: testFunc("prefix", strings.HasPrefix), Summary: "Whether a text begins with another.",
			Examples: examples(`startswith("hello world", "hello")`, `true`)},
		{Name: "strcontains", Func: testFunc("substr", strings.Contains), Summary: "Whether a text stands in another.",
			Examples: examples(`strcontains("hello world", "wor")`, `true`)},
		{Name: "strrev", Func: stdlib.ReverseFunc, Summary: "The text backwards, character by character.",
			Examples: examples(`strrev("hello")`, `"olleh"`)},
		{Name: "substr", Func: stdlib.SubstrFunc,
			Summary: "A part of a text: from a character, counted from 0 or back from the end where negative, and so many " +
				"characters long; -1 means the rest.",
			Examples: examples(`substr("hello world", 1, 4)`, `"ello"`, `substr("hello world", -5, -1)`, `"world"`)},
		{Name: "title", Func: stdlib.TitleFunc, Summary: "The text with each word's first letter in upper case.",
			Examples: examples(`title("hello world")`, `"Hello World"`)},
		{Name: "trim", Func: stdlib.TrimFunc, Cost: func(args []cty.Value) int64 {
			return Product(int64(len(text(args, 0))), int64(len(text(args, 1)))) / 100
		}, Summary: "The text without the characters of a set at its beginning and end.",
			Examples: examples(`trim("?!hello?!", "!?")`, `"hello"`)},
		{Name: "trimprefix", Func: stdlib.TrimPrefixFunc, Summary: "The text without a beginning, where it has that.",
			Examples: examples(`trimprefix("https://a.example", "https://")`, `"a.example"`)},
		{Name: "trimspace", Func: stdlib.TrimSpaceFunc, Summary: "The text without white space at its beginning and end.",
			Examples: examples(`trimspace("  hello\n\n")`, `"hello"`)},
		{Name: "trimsuffix", Func: stdlib.TrimSuffixFunc, Summary: "The text without an end, where it has that.",
			Examples: examples(`trimsuffix("prod.pem", ".pem")`, `"prod"`)},
		{Name: "upper", Func: stdlib.UpperFunc, Summary: "The text in upper case.",
			Examples: examples(`upper("sam2")`, `"SAM2"`)},
	}
}

func testFunc(part string, test func(s, part string) bool) function.Function {
	return spec([]function.Parameter{param("str", cty.String), param(part, cty.String)}, nil,
		function.StaticReturnType(cty.Bool), func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		})
}

// slashed returns the regular expression between slashes.
func slashed(part string) (string, bool) {
	if len(part) > 1 && part[0] == '/' && part[len(part)-1] == '/' {
		return part[1 : len(part)-1], true
	}
	return "", false
}

var replaceFunc = spec([]function.Parameter{param("str", cty.String), param("substr", cty.String),
	param("replace", cty.String)}, nil, function.StaticReturnType(cty.String),
	func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if pattern, ok := slashed(args[1].AsString()); ok {
			return stdlib.RegexReplace(args[0], cty.StringVal(pattern), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	})
