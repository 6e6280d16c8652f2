package redact_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/syncctl/syncctl/redact"
	"pgregory.net/rapid"
)

// encodings are the ways in which programs write a text into another one.
var encodings = map[string]func(string) string{
	"query":        url.QueryEscape,
	"path":         url.PathEscape,
	"lower":        func(s string) string { return percentAll(s, "%%%02x") },
	"upper":        func(s string) string { return percentAll(s, "%%%02X") },
	"twice":        func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"html":         html.EscapeString,
	"decimal":      func(s string) string { return each(s, "&#%d;") },
	"hexadecimal":  func(s string) string { return each(s, "&#x%x;") },
	"HEXADECIMAL":  func(s string) string { return each(s, "&#X%X;") },
	"named":        strings.NewReplacer("&", "&amp;", "<", "&lt;", " ", "&#32;", "!", "&excl;").Replace,
	"json":         func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	"quoted":       func(s string) string { return inner(strconv.Quote(s)) },
	"ascii":        func(s string) string { return inner(strconv.QuoteToASCII(s)) },
	"escapes":      func(s string) string { return utf16s(s, `\u%04x`) },
	"ESCAPES":      func(s string) string { return utf16s(s, `\u%04X`) },
	"capitals":     func(s string) string { return utf16s(s, `\U%04X`) },
	"bytes":        func(s string) string { return percentAll(s, `\x%02x`) },
	"hex":          func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":          func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"spaced":       func(s string) string { return fmt.Sprintf("[% x]", s) },
	"list":         func(s string) string { return fmt.Sprint([]byte(s)) },
	"Go":           func(s string) string { return fmt.Sprintf("%#v", []byte(s)) },
	"indented":     func(s string) string { return "[\n  " + strings.Trim(percentAll(s, "%d,\n  "), ",\n ") + "\n]" },
	"signed":       func(s string) string { return "[" + strings.Trim(each8(s, "%d, "), ", ") + "]" },
	"std":          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"raw":          func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"url":          func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"rawurl":       func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"shifted":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + s + "\n")) },
	"more shifted": func(s string) string { return base64.URLEncoding.EncodeToString([]byte("u" + s + "ab")) },
	"wrapped":      func(s string) string { return wrapped(base64.StdEncoding.EncodeToString([]byte(s))) },
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// framed are the encodings with something around the secret, which may stay.
var framed = []string{"shifted", "more shifted", "list", "Go", "spaced", "wrapped", "signed", "indented"}

// percentAll writes every byte by a format.
func percentAll(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// each8 writes every byte by a format, as a number with a sign.
func each8(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, int8(c))
	}
	return b.String()
}

// each writes every character by a format.
func each(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func utf16s(s, format string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, format, u)
	}
	return b.String()
}

func wide(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// wrapped breaks lines as MIME and PEM do.
func wrapped(s string) string {
	var lines []string
	for len(s) > 20 {
		lines, s = append(lines, s[:20]), s[20:]
	}
	return strings.Join(append(lines, s), "\r\n ")
}

// secrets are texts of at least six characters, so that no other text holds them by chance.
var secrets = rapid.StringOfN(rapid.RuneFrom([]rune(`abzAZ019+/-_=%&;'"\<> !#$éß語🔑`)), 6, 24, -1).Filter(
	func(s string) bool { return s != "" && strings.TrimSpace(s) == s })

// TestNeverVisible: a secret in two encodings, one inside of the other, among other text, is taken out: nothing but
// what surrounds it is left.
func TestNeverVisible(t *testing.T) {
	names := keys(encodings)
	rapid.Check(t, func(t *rapid.T) {
		secret := secrets.Draw(t, "secret")
		encoded, exact := secret, true
		for i := range rapid.IntRange(0, 2).Draw(t, "depth") {
			name := rapid.SampledFrom(names).Draw(t, fmt.Sprint("encoding", i))
			encoded = encodings[name](encoded)
			exact = exact && !slices.Contains(framed, name)
		}
		before := rapid.SampledFrom([]string{"", " ", "key: ", "a/b?c=", "x", "<p>", "[1 2 ", "zzz", `"`}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", " ", ".", "&d=e", "y", "</p>", "yyy", `"`}).Draw(t, "after")
		others := rapid.SliceOfN(secrets, 0, 3).Draw(t, "others")
		got := redact.New("\x00", append(others, secret)...).String(before + encoded + after)
		rest, head := strings.CutPrefix(got, before)
		rest, tail := strings.CutSuffix(rest, after)
		if !head || !tail || exact && rest != "\x00" || len(rest) > 99 || !strings.Contains(rest, "\x00") {
			t.Fatalf("%q in %q becomes %q", secret, before+encoded+after, got)
		}
	})
}

// TestUTF16: as programs of Windows write it, and encoded once more as bytes are.
// TestTwoEncodings: a secret that stands in a text in two encodings is taken out of both, also if all that they decode
// to is the same.
func TestTwoEncodings(t *testing.T) {
	const secret = "hunter <2> & ünter"
	s := redact.New("***", secret)
	for one, encode := range encodings {
		for other, again := range encodings {
			a, b := encode(secret), again(secret)
			for _, between := range []string{" ", "; ", "\x00"} {
				got := s.String(a + between + b)
				if strings.Contains(got, a) || strings.Contains(got, b) {
					t.Errorf("%s and %s: %q", one, other, got)
				}
			}
		}
	}
}

func TestUTF16(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := "ab" + secrets.Draw(t, "secret") // two Latin letters tell it
		order := rapid.SampledFrom([]binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}).Draw(t, "order")
		before := rapid.SampledFrom([]string{"", "a", "user:"}).Draw(t, "before")
		text := wide(before+secret, order)
		inside := []string{"", "lower", "bytes", "hex", "list", "std", "more shifted"}
		if name := rapid.SampledFrom(inside).Draw(t, "encoding"); name != "" {
			text = encodings[name](text)
		}
		text = rapid.SampledFrom([]string{"", " ", "x"}).Draw(t, "outside") + text
		if got := redact.New("-", secret).String(text); len(got) > len(text)/2+20 || !strings.Contains(got, "-") {
			t.Fatalf("%q in %q becomes %q", secret, text, got)
		}
	})
}

// TestOtherCase: a long secret is found in capitals and in small letters, whatever encodes it then.
func TestOtherCase(t *testing.T) {
	names := keys(encodings)
	rapid.Check(t, func(t *rapid.T) {
		secret := secrets.Filter(func(s string) bool { return len(s) >= 8 }).Draw(t, "secret")
		change := rapid.SampledFrom([]struct{ from, to rune }{{'a', 'z'}, {'A', 'Z'}, {'A', 'M'}}).Draw(t, "case")
		text := strings.Map(func(r rune) rune {
			if r >= change.from && r <= change.to {
				return r ^ 0x20
			}
			return r
		}, secret)
		text = encodings[rapid.SampledFrom(names).Draw(t, "encoding")](text)
		if got := redact.New("\x00", secret).String(text); !strings.Contains(got, "\x00") || len(got) > 99 {
			t.Fatalf("%q in %q becomes %q", secret, text, got)
		}
	})
	if got := redact.New("-", "correct-horse-battery").String("CORRECT-HORSE-BATT…"); got != "-…" {
		t.Errorf("one that is cut off: %q", got)
	}
	if got := redact.New("-", "admin12").String("Admin12 admin12"); got != "Admin12 -" {
		t.Errorf("a short one: %q", got)
	}
}

func keys(m map[string]func(string) string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// TestNothingElse: other text stays, to the byte, however much it looks like something encoded.
func TestNothingElse(t *testing.T) {
	words := []string{
		"status", "404", "(Not Found)", "https://a.example/rest?x=%41&amp;y", `\u0041`, "YWJjZGVmZ2hp", "616263646566", "\n",
		"[97 98 99]", "é", "+", "==", "\xff", "passw", "sw0rd", "{}", `"`, "c2VjcmV0",
	}
	set := redact.New("-", "passw0rd-hunter22", "abc", "", "   ", "zzzz zzzz", "s3cr3t")
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(words)).Draw(t, "text"), rapid.SampledFrom([]string{"", " "}).
			Draw(t, "between"))
		if got := set.String(text); got != text {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}

// TestRules: what is known by name.
func TestRules(t *testing.T) {
	const key = "-----BEGIN X-----\nMIIabcdefghijklmnopqrstuvwx\n3ksp5Y6gv8Io3AwbjAO\n-----END X-----\n"
	for _, c := range []struct {
		secrets        []string
		text, redacted string
	}{
		{[]string{"abc"}, "abc", "abc"}, // too short
		{[]string{"    "}, "a    b", "a    b"},
		{[]string{"abcd"}, "xabcdabcdy", "x--y"},
		{[]string{"abcd", "abcdefgh", "cdef"}, "abcdefgh abcdef", "- -"}, // one in another, and across
		{[]string{"a  long\nsecret"}, "a long secret; a  long\nsecret", "-; -"},
		{[]string{"-----BEGIN X-----\nMIIabcdef\nshort\n-----END X-----\n"}, "-----BEGIN X----- MIIabcdef short",
			"-----BEGIN X----- - short"},
		// the end of a private key that its certificate has, too, and a key with other line breaks
		{[]string{key}, "MIIcert0000000000003ksp5Y6gv\n8Io3AwbjAOBgNVHQ8BAf8EBAMCBaAw", ""},
		{[]string{key}, "MIIabcdefghijklmnopqr\nstuvwx3ksp5Y6gv8Io3AwbjAO", "-"},
		{[]string{"a-very-long-secret"}, "it says a-very-lon…", "it says -…"}, // cut off
		{[]string{"a-very-long-secret"}, "it says a-v…", "it says a-v…"},
		{[]string{"pa\xffss"}, "\"pa\ufffdss\" pa\\xffss", "\"-\" -"},
		{[]string{"100%25"}, "100%2525 100%25 100%", "- - 100%"}, // what it decodes to is too short
		{[]string{"hunter2\n"}, "hunter2.", "-."},
		{[]string{`o'h"ara`}, `SET x = 'o''h"ara', "o'h""ara"`, `SET x = '-', "-"`},
		{[]string{`'a'b'`}, `'''a''b'''`, `''-''`},
		{[]string{"can+"}, "99-97-110-43", "-"}, // no number is negative
		{[]string{"can+"}, strings.ReplaceAll("[99,97,110,43]", ",", ",\n"+strings.Repeat(" ", 80)), "[-]"},
	} {
		if c.redacted == "" {
			c.redacted = c.text // it stays
		}
		if got := redact.New("-", c.secrets...).String(c.text); got != c.redacted {
			t.Errorf("%q in %q: %q, want %q", c.secrets, c.text, got, c.redacted)
		}
	}
	var none *redact.Set
	if got := none.String("x"); got != "x" {
		t.Errorf("nil: %q", got)
	}
}

// TestWriter: a text that is written in any pieces comes out line by line as it does whole, and a line without an end
// is not kept for ever.
func TestWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := "hunter22"
		pieces := rapid.SliceOf(rapid.SampledFrom([]string{
			"hun", "ter22", "\n", "x", secret, "h\n", "aHVudGV", "yMjI=", "%68unter", "%322", strings.Repeat(".", 40<<10),
		})).Draw(t, "pieces")
		set := redact.New("-", secret)
		var out strings.Builder
		w := set.Writer(&out)
		for _, p := range pieces {
			if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
				t.Fatalf("write: %d, %v", n, err)
			}
		}
		whole := strings.Join(pieces, "")
		if tail := whole[strings.LastIndex(whole, "\n")+1:]; len(tail) > 200<<10 && out.Len() < len(tail)/2 {
			t.Fatalf("of %d bytes %d are kept", len(tail), len(tail)-out.Len())
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		want := ""
		for line := range strings.Lines(whole) {
			want += set.String(line)
		}
		if out.String() != want {
			t.Fatalf("got %q, want %q", out.String(), want)
		}
	})
}

// TestBase64InAnotherCase checks that base64 is recognised even when it can no longer be decoded, but for the
// characters that also encode what stands beside the secret.
func TestBase64InAnotherCase(t *testing.T) {
	long := secrets.Filter(func(s string) bool { return len(s) >= 8 })
	rapid.Check(t, func(t *rapid.T) {
		secret := long.Draw(t, "secret")
		before := rapid.StringOfN(rapid.RuneFrom([]rune("user:")), 0, 7, -1).Draw(t, "before")
		after := rapid.StringOfN(rapid.RuneFrom([]rune("\n end")), 0, 7, -1).Draw(t, "after")
		encoding := rapid.SampledFrom([]*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding}).Draw(t, "encoding")
		change := rapid.SampledFrom([]func(string) string{strings.ToLower, strings.ToUpper}).Draw(t, "change")
		text := change(encoding.EncodeToString([]byte(before + secret + after)))
		got := redact.New("\x00", secret).String("Basic " + text + " ")
		most := len("Basic  ") + (len(before)+len(after))*4/3 + 8
		if !strings.Contains(got, "\x00") || len(got) > most {
			t.Errorf("%q in %q becomes %q", secret, text, got)
		}
	})
}

// TestBeyondASCII checks that a secret with an umlaut is taken out in another case, and however its bytes are taken.
func TestBeyondASCII(t *testing.T) {
	set := redact.New("-", "Knödel&so~77xy", "pa€swörd–99")
	for _, text := range []string{
		"KNÖDEL&SO~77XY", "Kno\u0308del&so~77xy", "Kn\xf6del&so~77xy", "Kn%F6del%26so~77xy", `Kn\xf6del&so~77xy`,
		`Kn\366del&so~77xy`, "KnÃ¶del&so~77xy", "Kn&Atilde;&para;del&amp;so~77xy", `Kn\u00c3\u00b6del\u0026so~77xy`,
		"Kn\ufffddel&so~77xy", "paâ‚¬swÃ¶rdâ€“99", "pa%80sw%F6rd%9699",
		base64.StdEncoding.EncodeToString([]byte("Kn\xf6del&so~77xy")),
	} {
		if got := strings.TrimRight(set.String("a "+text+" b"), "="); len(got) > len("a - b")+4 {
			t.Errorf("%q is shown: %q", text, got)
		}
	}
}

// TestCutOffWithinAnEncoding: of a secret that was cut off in the middle of one or two encodings the beginning is
// taken out, up to the mark.
func TestCutOffWithinAnEncoding(t *testing.T) {
	const secret, shortest = "hunter <2> & ünter's 100%", 40
	set := redact.New("\x00", secret)
	check := func(names, text string, from, left, step int) { // left: bytes, of what frames it
		for end := range text {
			if end < from || end%step > 0 {
				continue
			}
			cut := strings.TrimSpace(text[:end]) + "…"
			got := set.String("said: " + cut)
			if rest := strings.TrimPrefix(got, "said: "); !strings.Contains(got, "\x00") || len(rest) > left+len("\x00…") {
				t.Fatalf("%s: %q becomes %q", names, cut, got)
			}
		}
	}
	for one, encode := range encodings {
		check(one, encode(secret), len(encode(secret))/2, 12, 1)
		for other, again := range encodings {
			if text := again(encode(secret)); !slices.Contains([]string{one, other}, "wrapped") {
				check(one+" in "+other, text, max(shortest, len(text)/2), 60, 7)
			}
		}
	}
}

// TestEncodedCuts: of a mark that is encoded, too, nothing is left half.
func TestEncodedCuts(t *testing.T) {
	set := redact.New("*", "hunter22-and-more")
	for text, want := range map[string]string{
		`hunter22-a\u2026" x`: `*" x`, "hunter22-a%E2%80%A6 x": "* x", "hunter22-a&hellip; x": "* x", `hunter22-a%6\u2026 x`: "* x",
		"68756e74657232322d61e280a6 x": "* x", "hunter22-a%6… x": "*… x",
	} {
		if got := set.String(text); got != want {
			t.Errorf("%s becomes %s", text, got)
		}
	}
}

// TestManyCuts: a secret that was cut off is taken out, however much of the text before it was cut off, too.
func TestManyCuts(t *testing.T) {
	set := redact.New("*", "hunter22-and-more")
	for _, before := range []int{0, 100, 10_000} {
		words := strings.Repeat("word… ", before)
		if got := set.String(words + "hunter22-a…"); got != words+"*…" {
			t.Errorf("after %d: %.40q is left", before, got[len(words):])
		}
	}
}

// TestLookAlikes: a text that looks like the secrets everywhere would take hours to be compared with them. It is taken
// out whole, and so is a secret behind it.
func TestLookAlikes(t *testing.T) {
	for name, secrets := range map[string][]string{
		"long":     {strings.Repeat("a", 1<<15) + "b", "hunter22"},
		"repeated": {strings.Repeat("a", 1<<15), "hunter22"},
	} {
		set := redact.New("*", secrets...)
		for _, text := range []string{strings.Repeat("a", 1<<18), strings.Repeat("a", 1<<18) + "b… hunter22"} {
			if got := set.String(text); got != "*" {
				t.Errorf("%s: %.20q of %d bytes is left", name, got, len(got))
			}
		}
	}
	set := redact.New("*", append(numbered("server-", 20_000), "hunter22")...)
	if got := set.String(strings.Repeat("server-x has hunter22. ", 5000)); !strings.HasPrefix(got, "server-x has *. ") {
		t.Errorf("%.20q is left of names like secrets", got)
	}
}

// TestTooMuchToDecode: a text that decodes to so much that not all of it can be looked through is taken out whole.
func TestTooMuchToDecode(t *testing.T) {
	set := redact.New("*", "hunter22-secret")
	hidden := "hunter22-secret"
	for range 4 {
		hidden = hex.EncodeToString([]byte(hidden))
	}
	var text string
	for i := range 200 {
		text += fmt.Sprintf("%%2525252525252541\\\\\\\\x4%x&amp;amp;amp;amp;\x00a\x00b+%x", i%16, i*i*7919)
	}
	text = strings.Repeat(text, 20)
	if got := set.String(text + " " + hidden); got != "*" {
		t.Errorf("of %d bytes %d are left, and the secret: %v", len(text), len(got), strings.HasSuffix(got, hidden))
	}
}

// TestTooManySecrets: what a set would take several GB for is not looked for: nothing of a text is left.
func TestTooManySecrets(t *testing.T) {
	for name, secrets := range map[string][]string{
		"lines": {strings.Join(numbered("secret-line-", 600_000), "\n")},
		"texts": numbered("é-secret-", 120_000),
		"bytes": {strings.Repeat("x", 31<<20), strings.Repeat("y", 31<<20)},
	} {
		set := redact.New("*", append([]string{"hunter22"}, secrets...)...)
		if got := set.String("some words"); !set.Full() || got != "*" {
			t.Errorf("%s: %q is left", name, got)
		}
	}
	if set := redact.New("*", numbered("secret-", 100_000)...); set.Full() || set.String("words") != "words" {
		t.Error("a hundred thousand secrets are too many")
	}
}

func numbered(text string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%06d", text, i)
	}
	return out
}

// TestStretches: in a text that is looked through in stretches the same is found, wherever it stands.
func TestStretches(t *testing.T) {
	const secret, size, overlap = "Geh€im & <x>! and more", 2048, 512
	set := redact.New("*", secret)
	words := strings.Repeat("some = \"words\" # here\n", 3*size/20)
	for name, encode := range encodings {
		encoded := encode(secret)
		for at := size - overlap - len(encoded); at < 2*size; at += 7 {
			text := words[:at] + " " + encoded + " " + words[at:]
			if is, want := set.Stretches(text, size, overlap), set.Spans(text); !slices.Equal(is, want) || len(want) == 0 {
				t.Fatalf("%s at %d: %v, not %v", name, at, is, want)
			}
		}
	}
}
