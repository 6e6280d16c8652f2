package schema_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/syncctl/syncctl/schema"
)

// formatted checks what holds for every text: it is formatted once, and its words and signs stay the same.
func formatted(t *testing.T, src []byte) {
	t.Helper()
	once, diags := schema.Format("x.sync.hcl", src)
	if diags.HasErrors() {
		if !bytes.Equal(once, src) {
			t.Errorf("a text that does not parse is changed:\n%q\n%q", src, once)
		}
		return
	}
	twice, diags := schema.Format("x.sync.hcl", once)
	if diags.HasErrors() || !bytes.Equal(once, twice) {
		t.Errorf("formatted twice it is another text: %v\n%q\n%q\n%q", diags, src, once, twice)
	}
	if before, after := meaning(src), meaning(once); before != after {
		t.Errorf("its meaning has changed:\n%q\n%q\n%s\n%s", src, once, before, after)
	}
}

// meaning is all words and signs of a text, with the lines they end, without blanks between them.
func meaning(src []byte) string {
	tokens, _ := hclsyntax.LexConfig(src, "x.sync.hcl", hcl.InitialPos)
	var b strings.Builder
	for _, t := range tokens {
		text := t.Bytes
		if t.Type == hclsyntax.TokenComment {
			text = bytes.TrimRight(text, " \t\r\n")
		}
		fmt.Fprintf(&b, "%s %q\n", t.Type, text)
	}
	return b.String()
}

// writer makes up a configuration. Most of its blanks, and some of its signs, are as nobody writes them.
type writer struct {
	*rand.Rand
	strings.Builder
}

func (w *writer) any(of ...string) { w.WriteString(of[w.IntN(len(of))]) }
func (w *writer) blank()           { w.any("", "", " ", "  ", "\t", " /* why */ ") }

// newline ends a line, where lines count.
func (w *writer) newline() { w.any("\n", "\n", " \n", "\n\n\n", " # so\n", " // so\n", "\r\n") }

func (w *writer) body(depth int) {
	for range w.IntN(4) {
		w.any("", "  ", "\t", "      ")
		switch {
		case depth > 0 && w.IntN(3) == 0:
			w.any("server", "sync", "field", "dynamic")
			w.any("", ` "a"`, `"a"`, `  "a"   "b c"`, ` a`)
			w.any(" ", "", "   ")
			switch w.IntN(3) {
			case 0:
				w.WriteString("{")
				w.any("}", " }", "   }")
			case 1:
				w.WriteString("{ a=")
				w.expr(1)
				w.any("}", " }")
			default:
				w.WriteString("{")
				w.newline()
				w.body(depth - 1)
				w.any("", "    ")
				w.WriteString("}")
			}
		case w.IntN(6) == 0:
			w.any("# words", "#", "// a = 1", "/* a\n  b */")
		default:
			w.any("a", "name", "long_name", "über")
			w.blank()
			w.WriteString("=")
			w.blank()
			if w.IntN(6) == 0 {
				w.heredoc()
				continue
			}
			w.expr(3)
		}
		w.newline()
	}
}

func (w *writer) heredoc() {
	w.any("<<EOT\n", "<<-EOT\n")
	for range w.IntN(3) {
		w.any("  text  ", "\ttext", "${ a}", "%{ if a }x%{ endif~ }", "  # no comment", "a=1", "${<<X\nx\nX\n}")
		w.any("\n", "\n\n")
	}
	w.any("EOT\n", "  EOT\n")
}

func (w *writer) expr(depth int) {
	if depth == 0 || w.IntN(3) == 0 {
		w.any("1", "1.50", "1e3", `""`, `"a  b"`, `"${ a }"`, `"${a}-${ b . c }"`, `"%{ if a }x%{else}y%{endif}"`, `"$${a}"`,
			"true", "null", "var.a", "a.b . c", "a.0", "a[*].b", "a.*.b", `a["k"]`, "a[ 0 ]", "- 1", "! a", "-a", "each.value")
		return
	}
	inner := func() { w.blank(); w.expr(depth - 1); w.blank() }
	switch w.IntN(7) {
	case 0:
		inner()
		w.any("+", "-", "*", "/", "%", "==", "!=", ">=", "<", "&&", "||")
		inner()
	case 1:
		inner()
		w.WriteString("?")
		inner()
		w.WriteString(":")
		inner()
	case 2:
		w.WriteString("(")
		w.any("", "\n", " \n  ")
		inner()
		w.any("", "\n")
		w.WriteString(")")
	case 3:
		w.any("f", "templatefile", "provider::f")
		w.WriteString("(")
		inner()
		w.any("", ",", ",\n", "...")
		w.WriteString(")")
	case 4:
		w.WriteString("[")
		w.any("", "\n", "  # first\n")
		for range w.IntN(3) {
			inner()
			w.any(",", ",\n", " , ")
		}
		w.WriteString("]")
	case 5:
		w.WriteString("{")
		w.any("", "\n")
		for range w.IntN(3) {
			w.any("a", `"b c"`, "(var.a)", "longer_key", `"${a}"`)
			w.blank()
			w.any("=", ":")
			inner()
			w.any(",", "\n", ",\n", " # so\n")
		}
		w.WriteString("}")
	default:
		w.any("[for x in ", "{for k,v in ")
		inner()
		w.WriteString(":")
		inner()
		w.any("]", "=>v}", "=> v... if a}", " if a ]")
	}
}

// TestFormatManyFiles formats ten thousand made up files.
func TestFormatManyFiles(t *testing.T) {
	parsed, large := 0, ""
	for seed := range uint64(10_000) {
		w := writer{Rand: rand.New(rand.NewPCG(seed, 1))}
		w.body(3)
		src := []byte(w.String())
		if _, diags := hclsyntax.ParseConfig(src, "x", hcl.InitialPos); !diags.HasErrors() {
			parsed++
			large += fmt.Sprintf("  z  {\n%s\n}\n", src)
		}
		formatted(t, src)
		if len(large) > 10_000 { // in pieces
			formatted(t, []byte(large))
			if got, _ := schema.Format("x", []byte(large)); !bytes.Equal(got, hclwrite.Format([]byte(large))) {
				t.Errorf("in pieces it is another text: %q", large)
			}
			large = ""
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if parsed < 3_000 {
		t.Errorf("only %d of the files parse: the test shows little", parsed)
	}
}

// FuzzFormat formats whatever comes.
func FuzzFormat(f *testing.F) {
	for _, src := range []string{
		"", "a=1\n", "a = <<-EOT\n  x\n EOT\n", "s \"t\" \"n\" { a={b=1,c :2} }", "a = [for x in y :x]\n# end",
		"a=\"${ b}%{if c}d%{endif}\"",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) { formatted(t, src) })
}
