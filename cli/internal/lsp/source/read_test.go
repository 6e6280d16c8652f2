package source

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

var words = []string{"server", "sync", "locals", "variable"}

// describe returns a place in one line.
func describe(p *Place, src string) string {
	kind := []string{"nothing", "item", "label", "bare label", "value", "text"}[p.Kind]
	var in []string
	for b := p.In; b.Parent != nil; b = b.Parent {
		in = append([]string{b.Type.Text}, in...)
	}
	out := kind + " in " + strings.Join(in, ".")
	if p.Argument != nil {
		out += " of " + p.Argument.Name.Text
	}
	if len(p.Head) > 0 {
		out += fmt.Sprintf(" label %d of %s", len(p.Head)-1, p.Head[0].Text)
	}
	for _, e := range p.Outer {
		out += fmt.Sprintf(" %c%s%s%d", e.Kind, e.Function, e.Key, e.Index)
	}
	if p.Before != nil {
		out += " after"
		for _, s := range p.Before.Steps {
			out += " " + s.Text
		}
	}
	if typed := src[p.Typed.From:p.Typed.To]; typed != "" {
		out += " typed " + typed
	}
	if len(p.Names) > 0 {
		out += " names " + strings.Join(p.Names, ",")
	}
	return out
}

func TestAt(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", "item in "},
		{"ser", "item in  typed ser"},
		{"server ", "bare label in  label 0 of server"},
		{"server \"", "label in  label 0 of server"},
		{"server \"de", "label in  label 0 of server typed de"},
		{"server \"depot\" \"n", "label in  label 1 of server typed n"},
		{"server \"depot\" \"n\" {\n  u", "item in server typed u"},
		{"server \"depot\" \"n\" { u", "item in server typed u"},
		{"server \"depot\" \"n\" {\n  url = ", "value in server of url"},
		{"server \"depot\" \"n\" {\n  url = va", "value in server of url typed va"},
		{"server \"depot\" \"n\" {\n  url = var.", "value in server of url after var"},
		{"server \"depot\" \"n\" {\n  url = var.a", "value in server of url after var typed a"},
		{"server \"depot\" \"n\" {\n  url = module.m[\"k\"].o", "value in server of url after module m k typed o"},
		{"server \"depot\" \"n\" {\n  url = module.m[each.", "value in server of url [0 after each"},
		{"server \"depot\" \"n\" {\n  url = \"https://", "text in server of url \"0 typed https://"},
		{"server \"depot\" \"n\" {\n  url = \"https://${va", "value in server of url \"0 $0 typed va"},
		{"server \"depot\" \"n\" {\n  url = upper(a, lo", "value in server of url fupper1 typed lo"},
		{"server \"depot\" \"n\" {\n  url = upper(lower(a), ", "value in server of url fupper1"},
		{"server \"depot\" \"n\" {\n  url = { a = b, c = ", "value in server of url {c0"},
		{"server \"depot\" \"n\" {\n  url = [for k, v in x : v", "value in server of url [0 typed v names k,v"},
		{"server \"depot\" \"n\" {\n  url = <<EOT\nfoo ${va", "value in server of url \"0 $0 typed va"},
		{"server \"depot\" \"n\" {\n  url = 1 # com", "nothing in "},
		{"server \"depot\" \"n\" {\n  url = \"abc\n  us", "item in server typed us"},
		{"server \"depot\" \"n\" {\n  url = foo(\n  us", "value in server of url ffoo0 typed us"},
		{"server \"depot\" \"n\" {\n  url = foo([\n  us = va", "value in server of us typed va"},
		{"server \"depot\" \"n\" {\n  url = {\n  blk {\n  us", "item in server.blk typed us"},
		{"server \"depot\" \"n\" {\n  url = {\nsync \"x\" \"y\" {\n  us", "item in sync typed us"},
		{"server \"depot\" \"n\" {\n  a {\n    b = 1\n  }\n  u", "item in server typed u"},
		{"server \"depot\" \"n\" {\n}\n}\nu", "item in  typed u"},
		{"locals {\n  a = 1\n  b = [1, 2", "nothing in locals of b [1"},
		{"locals {\n  a = x ? [] : l", "value in locals of a typed l"},
		{"locals {\n  a = foo(x).", "nothing in locals of a"},
		{"locals {\n  a = \"%{ for x in y }${x", "value in locals of a \"0 $0 typed x names x"},
		{"locals {\n  a = \"%{ for x in y }%{ endfor }${x", "value in locals of a \"0 $0 typed x"},
	} {
		if got := describe(At(c.src, len(c.src), words), c.src); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("server \"a\" \"b\" {\n  c = [for k, v in module.m : \"${v.x}%{ if k }x%{ endif }\"]\n}\n", 10)
	f.Add("a = \"x\nb = {\n", 3)
	f.Add(strings.Repeat("a{", 210), 600)
	f.Add("a="+strings.Repeat("[", 210), 600)
	f.Fuzz(func(t *testing.T, src string, at int) {
		tree := Read(src, words)
		for _, r := range tree.References {
			if src[r.Steps[0].From:r.Steps[0].To] != r.Steps[0].Text || r.From < 0 || r.To > len(src) || r.From > r.To {
				t.Fatalf("%q: reference %+v", src, r)
			}
			for _, s := range r.Steps {
				if s.Text != "" && src[s.From:s.To] != s.Text {
					t.Fatalf("%q: step %+v", src, s)
				}
			}
		}
		for i, m := range tree.Marks {
			head := m.Role == BlockType || m.Role == Label || m.Role == Name // told by what follows
			if m.From > m.To || m.To > len(src) || i > 0 && m.From < tree.Marks[i-1].From && !head {
				t.Fatalf("%q: mark %+v after %+v", src, m, tree.Marks[i-1])
			}
		}
		var walk func(b *Block)
		walk = func(b *Block) {
			for _, a := range b.Arguments {
				if a.From > a.To || a.Value.From > a.Value.To || a.To > len(src) || a.In != b {
					t.Fatalf("%q: argument %+v", src, a)
				}
			}
			for _, inner := range b.Blocks {
				if inner.Body.From > inner.Body.To || inner.To > len(src) || inner.Parent != b {
					t.Fatalf("%q: block %+v", src, inner)
				}
				walk(inner)
			}
		}
		walk(tree.File)
		p := At(src, at, words)
		if p.Typed.From > p.Typed.To || p.Typed.To > len(src) {
			t.Fatalf("%q %d: %+v", src, at, p)
		}
	})
}

// TestPlacesFromTheLastBlock checks that a place is the same whether the whole text before it is read or only the last
// block, even if something before was not closed.
func TestPlacesFromTheLastBlock(t *testing.T) {
	const src = `variable "a" {
  default = "x
  type = [object({
}
server "t" "n" {
  url = "https://${var.a[local.b[
  field "f" { x = [for k in var.l : k.y] }
locals { a = upper("}
  b = {
server = 1
}

module "m" {
  source = "./m" # { server "x" {
sync "t" "u" { server = server.t.n.
`
	words := []string{"variable", "server", "locals", "module", "sync"}
	for _, text := range []string{src, strings.ReplaceAll(src, "\n", "\r\n"),
		src + "locals {\n  x = <<E\nserver \"a\" {\n", src + "/*\nserver \"a\" {\n"} {
		for at := range len(text) + 1 {
			got, want := whole(At(text, at, words)), whole(placeIn(text[:at], 0, words))
			if got != want {
				t.Errorf("%q:\n got %s\nwant %s", text[:at], got, want)
			}
		}
	}
}

// whole returns all fields of a place.
func whole(p *Place) string {
	out := fmt.Sprint(p.Kind, p.Typed, p.Outer, p.Names)
	for b := p.In; b != nil; b = b.Parent {
		out += fmt.Sprint(" in ", b.Type, b.Labels)
	}
	if p.Argument != nil {
		out += fmt.Sprint(" of ", p.Argument.Name)
	}
	if p.Before != nil {
		out += fmt.Sprint(" behind ", p.Before.Steps)
	}
	return out + fmt.Sprint(p.Head)
}

// TestDeepText checks that a text that is nested too deeply, or consists only of signs, is not lexed as a whole: each
// sign would need some hundred bytes.
func TestDeepText(t *testing.T) {
	for _, sign := range []string{"[", "{", "${", "\"${", "a=["} {
		src := "locals {\n  x = " + strings.Repeat(sign, 1<<19)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Read(src, []string{"locals"})
		At(src, len(src), []string{"locals"})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%q: %d MiB", sign, n>>20)
		}
	}
	if n, _ := readable(strings.Repeat("a = 1\n", maxSigns)); n > 3*maxSigns {
		t.Errorf("%d bytes are read", n)
	}
	src := strings.Repeat("a = [{ b = \"${c[1]}\" }]\n", 1000)
	if n, _ := readable(src); n != len(src) {
		t.Error("what people write is cut off")
	}
}
