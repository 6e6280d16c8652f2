package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"sort"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"pgregory.net/rapid"
)

// canonicalText is what Digest hashes.
func canonicalText(c *Config) string {
	var b bytes.Buffer
	c.canonical(&b, false)
	return b.String()
}

// TestCanonicalText: the digests in old plans and runs hold only as long as the text is the same, byte by byte.
func TestCanonicalText(t *testing.T) {
	const server = "server \"depot\" \"%s\" {\n  url = \"https://%[1]s/?<&>\"\n  password = \"geheim\"\n%s}\n"
	settings := "syncctl {\n  parallelism = 3\n  operator {\n    command = [\"./main.sync.hcl\"]\n  }\n}\n"
	src := fmt.Sprintf(server, "b", "  tags = [\"y\", \"é\"]\n  depends_on = [server.depot.a]\n") +
		fmt.Sprintf(server, "a", "  lifecycle {\n    prevent_destroy = true\n  }\n")
	const want = `{"addr":"server.depot.a","value":{"anything":null,"flavour":"indoor","host":null,"labels":null,` +
		`"password":"(sensitive value)","port":443,"tags":null,"url":"https://a/?\u003c\u0026\u003e","user":null},` +
		`"depends_on":[],"prevent_destroy":true},` +
		`{"addr":"server.depot.b","value":{"anything":null,"flavour":"indoor","host":null,"labels":null,` +
		`"password":"(sensitive value)","port":443,"tags":["y","é"],"url":"https://b/?\u003c\u0026\u003e","user":null},` +
		`"depends_on":["server.depot.a"]}`
	if got := canonicalText(good(t, src)); got != `{"Operator":null,"Parallelism":0,"Resources":[`+want+`]}` {
		t.Error(got)
	}
	got, ok := strings.CutPrefix(canonicalText(good(t, settings+src)), `{"Operator":{"Command":["./main.sync.hcl"],`+
		`"Environment":null,"Files":{"./main.sync.hcl":"`)
	_, got, cut := strings.Cut(got, `"`)
	if !ok || !cut || got != `}},"Parallelism":3,"Resources":[`+want+`]}` {
		t.Error(got)
	}
}

// TestPlain: values are written as the library writes them, except for secrets and unknown values.
func TestPlain(t *testing.T) {
	leaf := rapid.OneOf(rapid.Map(rapid.String(), cty.StringVal), rapid.Map(rapid.Bool(), cty.BoolVal),
		rapid.Map(rapid.Int64(), cty.NumberIntVal), rapid.Just(cty.NumberFloatVal(0.5)), rapid.Just(cty.NullVal(cty.String)))
	var value func(deep int) *rapid.Generator[cty.Value]
	value = func(deep int) *rapid.Generator[cty.Value] {
		if deep == 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(value(deep-1), 0, 3), cty.TupleVal),
			rapid.Map(rapid.MapOfN(rapid.String(), value(deep-1), 0, 3), cty.ObjectVal),
			rapid.Map(rapid.MapOfN(rapid.String(), rapid.Map(rapid.String(), cty.StringVal), 1, 3), cty.MapVal))
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := value(3).Draw(rt, "value")
		want, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			rt.Fatal(err)
		}
		if got := string(appendPlain(nil, v)); got != string(want) {
			rt.Errorf("%s, want %s", got, want)
		}
	})
	huge := cty.NumberVal(new(big.Float).SetMantExp(big.NewFloat(1), 5000))
	for want, v := range map[string]cty.Value{
		`null`: cty.NilVal, `"(sensitive value)"`: Sensitive(cty.NullVal(cty.String)),
		`{"(unknown)":true}`: cty.UnknownVal(cty.String), `{"number":"+Inf"}`: cty.PositiveInfinity,
		`{"number":"0x.8p+5001"}`: huge, `["(sensitive value)"]`: cty.TupleVal([]cty.Value{Sensitive(cty.True)}),
		`["a","b"]`: cty.SetVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a")}),
	} {
		if got := string(appendPlain(nil, v)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// drawn is one drawn declaration.
type drawn struct {
	name, url, password string
	port                int
	tags                []string
	after               bool // depends on the one before
}

func (d drawn) source(before string, indent string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "server \"depot\" %q {\n%surl = %q\n%spassword = %q\n%sport = %d\n", d.name, indent, d.url, indent,
		d.password, indent, d.port)
	if len(d.tags) > 0 {
		fmt.Fprintf(&b, "%stags = [%q]\n", indent, d.tags[0])
	}
	if d.after && before != "" {
		fmt.Fprintf(&b, "%sdepends_on = [server.depot.%s]\n", indent, before)
	}
	b.WriteString("}\n")
	return b.String()
}

func drawDepots(rt *rapid.T) []drawn {
	word := rapid.StringMatching(`[a-z]{1,6}`)
	return rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) drawn {
		return drawn{
			name: rapid.StringMatching(`[a-z]{3}`).Draw(rt, "name"), url: word.Draw(rt, "url"),
			password: word.Draw(rt, "password"),
			port:     rapid.IntRange(1, 9).Draw(rt, "port"), tags: rapid.SliceOfN(word, 0, 1).Draw(rt, "tags"),
			after: rapid.Bool().Draw(rt, "after"),
		}
	}), 1, 5, func(d drawn) string { return d.name }).Draw(rt, "depots")
}

func sourcesOf(depots []drawn, indent string) []string {
	var out []string
	before := ""
	for _, d := range depots {
		out = append(out, d.source(before, indent))
		before = d.name
	}
	return out
}

// TestDigestStable: layout, comments, order and the split over files do not matter; every value that is not secret
// does.
func TestDigestStable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		depots := drawDepots(rt)
		plain := good(t, strings.Join(sourcesOf(depots, ""), ""))
		spread := world{files: map[string]string{}}
		for _, src := range sourcesOf(depots, "\t  ") {
			spread.files[fmt.Sprintf("%d.sync.hcl", rapid.IntRange(0, 2).Draw(rt, "file"))] += "# a comment\n" + src +
				"/* another */\n"
		}
		cfg, diags := spread.load(t)
		if len(diags) > 0 {
			rt.Fatal(textOf(t, cfg, diags))
		}
		if plain.Digest() != cfg.Digest() {
			rt.Fatalf("digests differ:\n%s\n%s", canonicalText(plain), canonicalText(cfg))
		}

		i := rapid.IntRange(0, len(depots)-1).Draw(rt, "changed")
		was := depots[i]
		change := func(what string, same bool, to drawn) {
			depots[i] = to
			got := good(t, strings.Join(sourcesOf(depots, ""), "")).Digest()
			if (got == plain.Digest()) != same {
				rt.Fatalf("after a change of %s: same digest %v, want %v", what, got == plain.Digest(), same)
			}
			depots[i] = was
		}
		changed := was
		changed.password += "x"
		change("the password", true, changed)
		changed = was
		changed.url += "x"
		change("the url", false, changed)
		changed = was
		changed.port++
		change("the port", false, changed)
		changed = was
		changed.tags = append([]string{"new"}, was.tags...)
		change("the tags", false, changed)
		if i > 0 {
			changed = was
			changed.after = !was.after
			change("depends_on", false, changed)
		}
	})
}

// TestOrderProperty draws any graph of declarations: it is either refused with a cycle that really is one, or every
// declaration stands after what it needs, in the same order whatever the order in the file.
func TestOrderProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "n")
		needs := make([][]int, n)
		var blocks []string
		for i := range n {
			needs[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, min(3, n), func(i int) int { return i }).Draw(rt,
				"needs")
			var refs []string
			for _, j := range needs[i] {
				refs = append(refs, fmt.Sprintf("server.barn.s%d", j))
			}
			blocks = append(blocks, fmt.Sprintf("server \"barn\" \"s%d\" {\n  depends_on = [%s]\n}\n", i,
				strings.Join(refs, ", ")))
		}
		cfg, diags := one(t, strings.Join(blocks, ""))
		if cyclic := hasCycle(needs); cyclic != diags.HasErrors() {
			rt.Fatalf("cycle %v, diagnostics %v", cyclic, diags)
		}
		for _, d := range diags {
			for _, line := range strings.Split(d.Detail, "\n")[2:] {
				var from, to, at int
				if _, err := fmt.Sscanf(strings.TrimSpace(line),
					"server.barn.s%d refers to server.barn.s%d at conf/main.sync.hcl:%d", &from, &to, &at); err != nil {
					rt.Fatalf("line %q: %v", line, err)
				}
				if !contains(needs[from], to) {
					rt.Fatalf("s%d does not need s%d", from, to)
				}
			}
		}
		if len(diags) > 0 {
			return
		}
		place := map[string]int{}
		for i, r := range cfg.Resources {
			place[r.Addr.Name] = i
		}
		for i := range needs {
			for _, j := range needs[i] {
				if place[fmt.Sprintf("s%d", i)] < place[fmt.Sprintf("s%d", j)] {
					rt.Fatalf("s%d stands before s%d", i, j)
				}
			}
		}
		sort.Sort(sort.Reverse(sort.StringSlice(blocks)))
		again := good(t, strings.Join(blocks, ""))
		for i, r := range again.Resources {
			if r.Addr != cfg.Resources[i].Addr {
				rt.Fatalf("the order depends on the file: %s, %s", r.Addr, cfg.Resources[i].Addr)
			}
		}
	})
}

func contains(list []int, n int) bool {
	for _, v := range list {
		if v == n {
			return true
		}
	}
	return false
}

// hasCycle takes away, again and again, what needs nothing that is left.
func hasCycle(needs [][]int) bool {
	left := map[int]bool{}
	for i := range needs {
		left[i] = true
	}
	for changed := true; changed; {
		changed = false
		for i := range needs {
			waits := false
			for _, j := range needs[i] {
				waits = waits || left[j]
			}
			if left[i] && !waits {
				delete(left, i)
				changed = true
			}
		}
	}
	return len(left) > 0
}

// TestDigestOfWhatActs: the operator is a part of what is approved, and a secret enters the keyed digest alone.
func TestDigestOfWhatActs(t *testing.T) {
	source := func(operator, password string) string {
		return fmt.Sprintf("syncctl {\n  operator {\n    %s\n  }\n}\nserver \"depot\" \"a\" {\n  url = \"https://a\"\n"+
			"  password = %q\n}\n", operator, password)
	}
	base := good(t, source(`command = ["./a.sh"]`, "one"))
	for _, operator := range []string{
		`command = ["./b.sh"]`, `command = ["./a.sh", "x"]`, "command = [\"./a.sh\"]\n    environment = [\"TOKEN\"]",
	} {
		if good(t, source(operator, "one")).Digest() == base.Digest() {
			t.Errorf("%s has the digest of the other operator", operator)
		}
	}
	key := []byte("key")
	other := good(t, source(`command = ["./a.sh"]`, "two"))
	if other.Digest() != base.Digest() || other.KeyedDigest(key) == base.KeyedDigest(key) {
		t.Error("a secret belongs into the keyed digest, and there alone")
	}
	if base.KeyedDigest(key) == base.KeyedDigest([]byte("other")) ||
		base.KeyedDigest(key) != good(t, source(`command = ["./a.sh"]`, "one")).KeyedDigest(key) {
		t.Error("the keyed digest is not one of the key and the configuration")
	}
}

// TestDigestOfFilesThatAct: what a command on this machine or an argument for a file names in the folder enters the
// digest by its content; other files, and texts that only look like one, do not.
func TestDigestOfFilesThatAct(t *testing.T) {
	catalog := func() Catalog {
		all := depots()
		host := &all[0].Body.Blocks[0].Body
		commands := cty.List(cty.List(cty.String))
		host.Attributes = append(host.Attributes, Attribute{Name: "local", Type: cty.Bool},
			Attribute{Name: "stop", Type: commands}, Attribute{Name: "known_hosts_file", Type: cty.String})
		return all
	}
	digest := func(files map[string]string) (open, keyed string) {
		fs := afero.NewMemMapFs()
		for name, text := range files {
			if err := afero.WriteFile(fs, "conf/"+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Catalog: catalog(), Version: "1.0.0"})
		if diags.HasErrors() {
			t.Fatal(textOf(t, cfg, diags))
		}
		return cfg.Digest(), cfg.KeyedDigest(nil)
	}
	const inText = "syncctl {\n  operator {\n    command = [\"sh\", \"-c\", \"%s\"]\n  }\n}\n"
	const server = "server \"depot\" \"a\" {\n  url = \"u\"\n%s  host {\n    ssh = \"a@b\"\n%s  }\n}\n"
	for name, c := range map[string]struct {
		src string
		in  bool

		keyed bool // only with the key: it may differ from site to site
	}{
		"the program":           {"syncctl {\n  operator {\n    command = [\"./op\"]\n  }\n}\n", true, false},
		"an argument":           {"syncctl {\n  operator {\n    command = [\"sh\", \"sub/../op\"]\n  }\n}\n", true, false},
		"behind =":              {"syncctl {\n  operator {\n    command = [\"sh\", \"--with=op\"]\n  }\n}\n", true, false},
		"in a shell's text":     {fmt.Sprintf(inText, "exec ./op now"), true, false},
		"in quotes":             {fmt.Sprintf(inText, ". 'op';x"), true, false},
		"behind a second =":     {fmt.Sprintf(inText, "--with=a=op"), true, false},
		"in a list":             {fmt.Sprintf(inText, "x,@op"), true, false},
		"part of a word":        {fmt.Sprintf(inText, "xop op2 a/op"), false, false},
		"local text":            {fmt.Sprintf(server, "", "local = true\nstop = [[\"sh\", \"./op -q\"]]\n"), true, false},
		"another":               {"syncctl {\n  operator {\n    command = [\"./op2\"]\n  }\n}\n", false, false},
		"a local command":       {fmt.Sprintf(server, "", "    local = true\n    stop = [[\"sh\", \"op\"]]\n"), true, false},
		"a command elsewhere":   {fmt.Sprintf(server, "", "    stop = [[\"sh\", \"op\"]]\n"), false, false},
		"an argument's file":    {fmt.Sprintf(server, "", "    known_hosts_file = \"op\"\n"), false, true},
		"a text that is a name": {fmt.Sprintf(server, "  user = \"op\"\n", ""), false, false},
	} {
		files := map[string]string{"main.sync.hcl": c.src, "op": "one", "sub/x": ""}
		was, keyed := digest(files)
		files["op"] = "two"
		is, key := digest(files)
		if (is != was) != c.in || (key != keyed) != (c.in || c.keyed) {
			t.Errorf("%s: in the digest: %v, in the keyed one: %v", name, is != was, key != keyed)
		}
	}
}
