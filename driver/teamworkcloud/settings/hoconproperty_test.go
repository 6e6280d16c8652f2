package settings

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// paths returns all paths in a file, and those above them.
func paths(h *HOCON) [][]string {
	var all [][]string
	for _, f := range h.fields {
		for n := 1; n <= len(f.path); n++ {
			all = append(all, f.path[:n])
		}
	}
	slices.SortFunc(all, slices.Compare[[]string])
	return slices.CompactFunc(all, slices.Equal[[]string])
}

// agree checks that Lightbend's library refuses what this package refuses, and reads the same. The library accepts
// some joined values that this package refuses.
func agree(t fataler, read readHOCON, src []byte, h *HOCON, err error) {
	t.Helper()
	var all [][]string
	if err == nil {
		all = paths(h)
	}
	values, refused := read(t, src, all...)
	if strings.Contains(refused, "invalid URL") {
		return // only the syntax of includes is read here
	}
	if err != nil && strings.HasSuffix(err.Error(), notJoined) {
		return
	}
	if (refused != "") != (err != nil) {
		t.Fatalf("%q: this package says %v, Lightbend's library %q", src, err, refused)
	}
	if err != nil || len(values) == 1 && values[0] == "~" {
		return
	}
	for i, path := range all {
		found := h.find(path)
		want := map[Standing]string{Absent: "-", Literal: "=" + found.Value, Null: "n", Object: "o", Array: "a",
			Unknown: values[i]}[found.Standing]
		if values[i] != want {
			t.Fatalf("%q: %q is %s here, %s in Lightbend's library", src, path, want, values[i])
		}
	}
}

// soup is made of pieces with a meaning, and is mostly not HOCON.
var soup = rapid.Map(rapid.SliceOfN(rapid.SampledFrom(strings.Split("a|b|a.b|.|-|10|1e5|1.|+|_|true|"+
	"null|nullable|trueish5|{|}|{|}|"+
	"[|]|=|=|:|+=|,|\n|\n|\r\n| | |\t|#|//|/|"+
	"\"|\"\"\"|\"a\"|\"b.c\"|\"\"|\\|\"\\u0041\"|\"\\n\"|${a}|${?b}|${|?|$|}|include|include "+
	"\"x\"|required(|file(|url(|(|)|é|\u00a0|\ufeff|\u2028|\x00|\x1c|\x85|@", "|")), 0, 14),
	func(pieces []string) string { return strings.Join(pieces, "") })

// drawObject draws HOCON, written in many ways.
func drawObject(t *rapid.T, depth int) string {
	var b strings.Builder
	blank := func(label string) string {
		return rapid.SampledFrom([]string{"", "", " ", "  ", "\t", "\u00a0"}).Draw(t, label)
	}
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		b.WriteString(blank("indentation"))
		if rapid.IntRange(0, 25).Draw(t, "include") == 0 {
			b.WriteString(rapid.SampledFrom([]string{`include "x"`, `include required(file("x"))`,
				"include\nurl( \"x\" )"}).Draw(t, "included"))
		} else {
			b.WriteString(drawField(t, depth, blank))
		}
		b.WriteString(blank("behind"))
		b.WriteString(rapid.SampledFrom([]string{"\n", "\n", "\n", ",", "\r\n", ",\n", "\n\n,", "# = {\n",
			" // c\r\n"}).Draw(t, "end"))
	}
	return b.String()
}

func drawField(t *rapid.T, depth int, blank func(string) string) string {
	key := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", `"a"`, `"b.c"`, "a b", "true",
		"10", "-"}), 1, 3).Draw(t, "key"), ".")
	separator := rapid.SampledFrom([]string{"=", "=", "=", ":", " = ", "=\n", " : # c\n ", "+=", " "}).Draw(t,
		"separator")
	if separator == "+=" {
		return key + separator + drawSimple(t)
	}
	object := func() string {
		return "{" + rapid.SampledFrom([]string{"", "\n", " "}).Draw(t, "open") + drawObject(t, depth-1) + "}"
	}
	if separator == " " && depth > 0 {
		return key + blank("before") + object()
	} else if separator == " " {
		separator = "="
	}
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind = max(kind, 4)
	}
	switch kind {
	case 0, 1:
		return key + separator + object()
	case 2:
		return key + separator + object() + blank("between") + rapid.SampledFrom([]string{"${?a}", "${?c}", object(),
			"word"}).Draw(t, "joined")
	case 3:
		return key + separator + "[" + drawSimple(t) + "," + object() + "\n" + drawSimple(t) + "]"
	}
	values := []string{drawSimple(t)}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "more") {
		values = append(values, blank("between"), drawSimple(t))
	}
	return key + separator + strings.Join(values, "")
}

func drawSimple(t *rapid.T) string {
	return rapid.SampledFrom([]string{"1", "-1.50", "1e5", "true", "null", "x", "10s", "a/b", `"q"`, `""`,
		`"a\"\\\u00e9"`, `"""t"""`,
		"\"\"\"\nb\"\"\"\"", "${?b}", "${a.b}", "é", "x.y", "null"}).Draw(t, "value")
}

var hoconFiles = rapid.Custom(func(t *rapid.T) string {
	switch rapid.IntRange(0, 5).Draw(t, "file") {
	case 0:
		return soup.Draw(t, "soup")
	case 1:
		return drawObject(t, 1) + soup.Draw(t, "soup") + "\n" + drawObject(t, 0)
	case 2:
		return rapid.SampledFrom([]string{"{", " {", "\ufeff# c\n{ # d\n"}).Draw(t, "brace") + drawObject(t, 3) +
			"}" + rapid.SampledFrom([]string{"", "\n", " # c"}).Draw(t, "end")
	}
	src := drawObject(t, 3)
	if rapid.IntRange(0, 3).Draw(t, "end") == 0 {
		src = strings.TrimRight(src, ",\r\n\t ")
	}
	return src
})

func TestHOCONEditAnything(t *testing.T) {
	read := lightbendReader()
	rapid.Check(t, func(rt *rapid.T) {
		src := []byte(hoconFiles.Draw(rt, "source"))
		h, err := ParseHOCON(src)
		if read != nil {
			agree(rt, read, src, h, err)
		}
		if err != nil {
			return
		}
		path := rapid.SampledFrom([]string{"a", "a.b", "b.c.a", "c", tls}).Draw(rt, "path")
		value := rapid.OneOf(rapid.SampledFrom([]string{"true", "10002", "null", "", "/a b", "x y"}), rapid.StringN(0,
			6, -1)).Draw(rt, "value")
		if appendHOCON(rt, src, h, path, value) && read != nil {
			agree(rt, read, h.Bytes(), h, nil)
		}
	})
}

// appendHOCON checks what every Append promises; h keeps the change. It reports whether Append succeeded.
func appendHOCON(t fataler, src []byte, h *HOCON, path, value string) bool {
	t.Helper()
	if !bytes.Equal(h.Bytes(), src) {
		t.Fatalf("read, it is another file")
	}
	before := *h
	if h.Append(path, value) != nil {
		if !bytes.Equal(h.Bytes(), src) {
			t.Fatalf("refused, it is another file: %q", h.Bytes())
		}
		return false
	}
	edited := h.Bytes()
	if n := unchanged(src, edited); n < len(src) {
		t.Fatalf("%d of %d bytes are kept: %q becomes %q", n, len(src), src, edited)
	}
	if found := h.Find(path); found.Standing != Literal || found.Value != value {
		t.Fatalf("edited it reads %+v: %q", found, edited)
	}
	again, err := ParseHOCON(edited)
	if err != nil {
		t.Fatalf("edited it cannot be read: %v, %q", err, edited)
	}
	if err := again.Append(path, value); err != nil || !bytes.Equal(again.Bytes(), edited) {
		t.Fatalf("appended again: %v, %q after %q", err, again.Bytes(), edited)
	}
	for _, f := range before.fields {
		was := before.find(f.path)
		if is := again.find(f.path); is != was && !slices.Equal(f.path, strings.Split(path, ".")) &&
			was.Standing == Literal {
			t.Fatalf("edited, %q is %+v, was %+v: %q", f.path, is, was, edited)
		}
	}
	return true
}

func FuzzHOCON(f *testing.F) {
	f.Add([]byte(application), tls, "true")
	f.Add([]byte("{a:1,\"b\":[true,{c:2}],}"), "b", "x")
	f.Add([]byte("a { b = \"\"\"x\"\"\"\" } ${?c}\ninclude required(url(\"x\"))\r\n"), "a.b", "")
	f.Add([]byte("$"), "a", "$")
	f.Fuzz(func(t *testing.T, src []byte, path, value string) {
		h, err := ParseHOCON(src)
		if err != nil {
			return
		}
		appendHOCON(t, src, h, path, value)
	})
}
