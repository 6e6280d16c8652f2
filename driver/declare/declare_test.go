package declare_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// server is what the made-up product's servers declare.
type server struct {
	declare.Server
	Host *declare.Host `decl:"host"`
	Note *string       `decl:"note"`
}

type field struct {
	To string `decl:"to"`
}

// link is what its synchronizations declare.
type link struct {
	declare.Block
	Server *schema.Resource `decl:"server"`
	Name   string           `decl:"name"`
	Count  int              `decl:"count_of"`
	On     bool             `decl:"on"`
	Within time.Duration    `decl:"within"`
	Words  []string         `decl:"words"`
	Pairs  map[string]string
	Types  map[string]string `decl:"types"`
	Any    cty.Value         `decl:"any"`
	Fields map[string]field  `decl:"field"`
	Check  *struct {
		Sample int `decl:"sample"`
	} `decl:"check"`
}

func types() schema.Catalog {
	return schema.Catalog{
		declare.Type[server](schema.Type{Kind: schema.Server, Name: "depot", Body: schema.Body{
			Attributes: append(declare.ServerAttributes("", "", ""), schema.Attribute{Name: "note", Type: cty.String}),
			Blocks:     []schema.Block{{Name: "host", Body: schema.Body{Attributes: declare.HostAttributes(true)}}},
		}}, func(s *server) hcl.Diagnostics {
			diags := s.Check()
			if s.Host != nil {
				diags = append(diags, s.Host.Check()...)
			}
			return diags
		}),
		declare.Type[link](schema.Type{Kind: schema.Sync, Name: "depot", Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "server", Ref: &schema.Ref{Kind: schema.Server, Type: "depot"}},
				{Name: "name", Type: cty.String}, {Name: "count_of", Type: cty.Number, Default: cty.NumberIntVal(7)},
				{Name: "on", Type: cty.Bool}, {Name: "within", Type: cty.String, Unit: schema.Duration},
				{Name: "words", Type: cty.List(cty.String)},
				{Name: "types", Type: cty.Map(cty.String)}, {Name: "any", Type: cty.DynamicPseudoType},
			},
			Blocks: []schema.Block{
				{Name: "field", Label: "field", Body: schema.Body{Attributes: []schema.Attribute{{Name: "to", Type: cty.String}}}},
				{Name: "check", Body: schema.Body{Attributes: []schema.Attribute{{Name: "sample", Type: cty.Number}}}},
			},
		}}, nil),
	}
}

func load(t *testing.T, text string, allowUnset bool) (*schema.Config, hcl.Diagnostics) {
	t.Helper()
	return loadTypes(t, types(), text, allowUnset)
}

func loadTypes(t *testing.T, catalog schema.Catalog, text string, allowUnset bool) (*schema.Config, hcl.Diagnostics) {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "conf/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) { return "from-env", name == "SOME_TOKEN" }
	return schema.Load(t.Context(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog, AllowUnset: allowUnset,
		Env: env})
}

const good = `
server "depot" "a" {
  url      = "https://a.example"
  user     = "u"
  password = "geheim"
  host {
    ssh = "admin@a.example:2222"
  }
}
sync "depot" "s" {
  server = server.depot.a
  name   = "n"
  on     = true
  within = "90s"
  words  = ["x", "y"]
  types  = { Bug = "Task" }
  any    = [1, "two"]
  field "f" {
    to = "g"
  }
  check {
    sample = 3
  }
}
`

func TestDecode(t *testing.T) {
	cfg, diags := load(t, good, false)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	addr := func(text string) *schema.Resource {
		a, err := schema.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Lookup(a)
	}
	l, diags := declare.Decode[link](addr("sync.depot.s"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if l.Server == nil || l.Server.Addr.Name != "a" || l.Name != "n" || l.Count != 7 || !l.On ||
		l.Within != 90*time.Second ||
		!slices.Equal(l.Words, []string{"x", "y"}) || l.Types["Bug"] != "Task" || l.Any.LengthInt() != 2 ||
		l.Fields["f"].To != "g" || l.Check == nil || l.Check.Sample != 3 || l.Pairs != nil {
		t.Errorf("decoded %+v", *l)
	}
	s, diags := declare.Decode[server](l.Server)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if s.URL.Reveal() != "https://a.example" || s.Secret() != "geheim" || s.Note != nil || s.Host == nil ||
		!s.Host.Agent || s.RequestTimeout != 30*time.Second {
		t.Errorf("decoded %v", *s)
	}
	out, err := json.Marshal(s.Password)
	if shown := fmt.Sprintf("%v %+v %#v %s", *s, *s, *s, out); err != nil || strings.Contains(shown, "geheim") {
		t.Errorf("the password shows: %s, %v", shown, err)
	}
}

// TestRefused checks that each mistake is one error at its line.
// TestOnce: a declaration is decoded once, for the rules of its type and for everybody else, and that costs little.
func TestOnce(t *testing.T) {
	var ruled *link
	catalog := types()
	catalog[1].Check = nil
	catalog[1] = declare.Type(catalog[1], func(l *link) hcl.Diagnostics {
		ruled = l
		return nil
	})
	cfg, diags := loadTypes(t, catalog, good, false)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	r := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "depot", Name: "s"})
	if l, diags := declare.Decode[link](r); l != ruled || l == nil || diags.HasErrors() {
		t.Errorf("decoded twice, or not: %v", diags)
	}
	fresh := func() { declare.Decode[link](&schema.Resource{Addr: r.Addr, Type: r.Type, Value: r.Value}) }
	if got := testing.AllocsPerRun(10, fresh); got > 70 {
		t.Errorf("%.0f allocations to decode a declaration", got)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ old, new, summary, line string }{
		"secret as text": {`name   = "n"`, `name = sensitive("n")`, "Sensitive value where a plain one is needed",
			"name ="},
		"secret by its name": {`name   = "n"`, `name = env("SOME_TOKEN")`, "Sensitive value where a plain one is needed",
			"name ="},
		"secret in a list": {`["x", "y"]`, `["x", sensitive("y")]`, "Sensitive value where a plain one is needed",
			"words"},
		"secret in a map": {`"Task"`, `sensitive("Task")`, "Sensitive value where a plain one is needed", "types"},
		"secret number": {`sample = 3`, `sample = sensitive(3)`, "Sensitive value where a plain one is needed",
			"sample"},
		"secret in a block": {`to = "g"`, `to = sensitive("g")`, "Sensitive value where a plain one is needed", "to ="},
		"secret inside any": {`[1, "two"]`, `[1, sensitive("two")]`, "Sensitive value where a plain one is needed", "any"},
		"secret duration":   {`"90s"`, `sensitive("90s")`, "Sensitive value where a plain one is needed", "within"},
		"secret jump": {`ssh = "admin@a.example:2222"`, `ssh = "a@b"` + "\njump = [sensitive(\"x@y\")]",
			"Sensitive value where a plain one is needed", "jump"},
		"no duration":        {`"90s"`, `"90"`, "Invalid duration", "within"},
		"negative duration":  {`"90s"`, `"-1s"`, "Invalid duration", "within"},
		"half a number":      {`sample = 3`, `sample = 3.5`, "Value of the wrong type", "sample"},
		"ssh as a URL":       {`"admin@a.example:2222"`, `"ssh://admin@h"`, "Invalid SSH address", "ssh ="},
		"a password for ssh": {`"admin@a.example:2222"`, `"admin:pw@h"`, "A password in an address", "ssh ="},
		"a path behind ssh":  {`"admin@a.example:2222"`, `"admin@h/foo"`, "Invalid SSH address", "ssh ="},
		"two keys": {`ssh = "admin@a.example:2222"`, "ssh = \"a@b\"\nkey = \"xxxx\"\nkey_file = \"y\"",
			"Given twice", "key_file"},
		"two known_hosts": {`ssh = "admin@a.example:2222"`,
			"ssh = \"a@b\"\nknown_hosts = \"x\"\nknown_hosts_file = \"y\"", "Given twice", "known_hosts_file"},
		"passphrase alone": {`ssh = "admin@a.example:2222"`, "ssh = \"a@b\"\npassphrase = \"xxxx\"",
			"A passphrase without a key", "passphrase"},
		"password in a URL": {`"https://a.example"`, `"https://u:geheim@a.example"`, "Invalid base URL", "url"},
		"port 0":            {`"https://a.example"`, `"https://a.example:0"`, "Invalid base URL", "url"},
		"port 99999":        {`"https://a.example"`, `"https://a.example:99999"`, "Invalid base URL", "url"},
		"http":              {`"https://a.example"`, `"http://a.example"`, "Invalid base URL", "url"},
		"colon in a user":   {`user     = "u"`, `user = "u:geheim"`, "A colon in the user's name", "user"},
		"ssh port 0":        {`"admin@a.example:2222"`, `"admin@a.example:0"`, "Invalid SSH address", "ssh ="},
		"ssh port 99999":    {`"admin@a.example:2222"`, `"admin@a.example:99999"`, "Invalid SSH address", "ssh ="},
		"ssh IPv6":          {`"admin@a.example:2222"`, `"admin@::1"`, "Invalid SSH address", "ssh ="},
		"jump port": {`ssh = "admin@a.example:2222"`, `ssh = "a@b"` + "\njump = [\"x@y:70000\"]", "Invalid SSH address",
			"jump"},
		"no URL": {`"https://a.example"`, `"a.example"`, "Invalid base URL", "url"},
		"two secrets": {`password = "geheim"`, "password = \"geheim\"\ntoken = \"tttt\"", "Two secrets for one server",
			"token"},
		"no secret":         {`password = "geheim"`, "", "No secret for the server", "server"},
		"password, no user": {`user     = "u"`, "", "A password without a user", "password"},
		"no requests allowed": {`user     = "u"`, "user = \"u\"\nrequests_per_second = 0", "No requests allowed",
			"requests_per_second"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatalf("%q is not in the text", c.old)
			}
			_, diags := load(t, text, false)
			if len(diags) != 1 || diags[0].Summary != c.summary {
				t.Fatalf("want one %q, got %v", c.summary, diags)
			}
			missing := map[string]string{"A password without a user": "[[user]]",
				"A passphrase without a key": "[[key] [key_file]]", "No secret for the server": "[[password] [token]]"}[c.summary]
			if got := fmt.Sprint(schema.MissingOf(diags[0]).Ways); got != cmp.Or(missing, "[]") {
				t.Errorf("an editor adds %s, want %s", got, missing)
			}
			if strings.Contains(diags[0].Detail, "geheim") {
				t.Errorf("a secret shows: %s", diags[0].Detail)
			}
			if line := strings.Split(text, "\n")[diags[0].Subject.Start.Line-1]; !strings.Contains(line, c.line) {
				t.Errorf("said at %q, want %q", line, c.line)
			}
		})
	}
}

// TestNotKnownYet checks that rules ignore values that are not known yet, and that Decode refuses them.
func TestNotKnownYet(t *testing.T) {
	text := strings.NewReplacer(`"n"`, "var.v", `"90s"`, "var.v", `"https://a.example"`, "var.v",
		`"admin@a.example:2222"`, "var.v",
		`["x", "y"]`, `["x", var.v]`).Replace(good) + "variable \"v\" {\n type = string\n}\n"
	cfg, diags := load(t, text, true)
	if diags.HasErrors() {
		t.Fatalf("what is not known is taken for wrong: %v", diags)
	}
	for _, r := range cfg.Resources {
		_, diags := declare.Decode[server](r)
		want := 2
		if r.Addr.Kind == schema.Sync {
			_, diags = declare.Decode[link](r)
			want = 3
		}
		if len(diags) != want || diags[0].Summary != "Value is not known" {
			t.Errorf("%s: want %d values that are not known, got %v", r.Addr, want, diags)
		}
	}
}

// TestSecretNotKnownYet checks that a secret is refused where a plain value is needed, even before its value is
// known.
func TestSecretNotKnownYet(t *testing.T) {
	_, diags := load(t, strings.Replace(good, `name   = "n"`, `name = env("OTHER_TOKEN")`, 1), true)
	if len(diags) != 1 || diags[0].Summary != "Sensitive value where a plain one is needed" {
		t.Errorf("want one error, got %v", diags)
	}
}

// TestTypeHoldsTagsAgainstTheBody checks that an argument that is never decoded, or a tag without an argument, is a
// panic.
func TestTypeHoldsTagsAgainstTheBody(t *testing.T) {
	body := schema.Body{
		Attributes: []schema.Attribute{{Name: "name", Type: cty.String}, {Name: "password", Type: cty.String, Secret: true}},
		Blocks: []schema.Block{{Name: "check", Body: schema.Body{Attributes: []schema.Attribute{{Name: "sample",
			Type: cty.Number}}}}},
	}
	type check struct {
		Sample int `decl:"sample"`
	}
	refused := func(want string, make func()) {
		t.Helper()
		defer func() {
			if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
				t.Errorf("want %q, got %s", want, got)
			}
		}()
		make()
	}
	of := schema.Type{Kind: schema.Server, Name: "x", Body: body}
	declare.Type[struct {
		Name     string         `decl:"name"`
		Password declare.Secret `decl:"password"`
		Check    *check         `decl:"check"`
	}](of, nil)
	refused("name is never decoded", func() {
		declare.Type[struct {
			Password declare.Secret `decl:"password"`
			Check    *check         `decl:"check"`
		}](of, nil)
	})
	refused("password is secret, and its field is not a Secret", func() {
		declare.Type[struct {
			Name     string `decl:"name"`
			Password string `decl:"password"`
			Check    *check `decl:"check"`
		}](of, nil)
	})
	refused("nane is not in the body", func() {
		declare.Type[struct {
			Name     string         `decl:"name"`
			Nane     string         `decl:"nane"`
			Password declare.Secret `decl:"password"`
			Check    *check         `decl:"check"`
		}](of, nil)
	})
	refused("name: arguments of the unit schema.Duration", func() {
		declare.Type[struct {
			Name     time.Duration  `decl:"name"`
			Password declare.Secret `decl:"password"`
			Check    *check         `decl:"check"`
		}](of, nil)
	})
	refused("check.sample is never decoded", func() {
		declare.Type[struct {
			Name     string         `decl:"name"`
			Password declare.Secret `decl:"password"`
			Check    *struct{}      `decl:"check"`
		}](of, nil)
	})
}

// TestHTTPToLoopback checks that validate accepts what the client accepts.
func TestHTTPToLoopback(t *testing.T) {
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:65535"} {
		if _, diags := load(t, strings.Replace(good, "https://a.example", "http://"+host, 1), false); len(diags) > 0 {
			t.Errorf("%s: %v", host, diags)
		}
	}
}

// TestContents checks that the home folder is found, that byte order marks are removed, and that the error says what
// cannot be read.
func TestContents(t *testing.T) {
	fs := afero.NewMemMapFs()
	for name, text := range map[string]string{
		"/home/me/.ssh/id": "key", "/marked": "\ufeffkey", "/wide": "\xff\xfek\x00", "/big": "\xfe\xff\x00k",
	} {
		if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ file, home, want, fails string }{
		{"~/.ssh/id", "/home/me", "key", ""},
		{"~/.ssh/id", "", "", "HOME is not set"},
		{"~you/.ssh/id", "/home/me", "", "another user's home folder"},
		{"/marked", "", "key", ""},
		{"/wide", "", "", "/wide is text in UTF-16"},
		{"/big", "", "", "/big is text in UTF-16"},
		{"/none", "", "", "reading key_file"},
	} {
		env := driver.Env{Fs: fs, LookupEnv: func(name string) (string, bool) { return c.home, name == "HOME" }}
		got, err := declare.Contents(env, nil, c.file, "key_file")
		if string(got) != c.want || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s at %q: %q, %v", c.file, c.home, got, err)
		}
	}
}

// TestWarned checks that a secret that will not work as intended is a warning, not an error.
func TestWarned(t *testing.T) {
	for secret, want := range map[string]string{
		"x": "The secret is too short to be masked", "geheim\\n": "The secret ends with a newline", "geheim": "",
	} {
		_, diags := load(t, strings.Replace(good, `"geheim"`, `"`+secret+`"`, 1), false)
		got := ""
		if len(diags) > 0 {
			got = diags[0].Summary
		}
		if diags.HasErrors() || got != want || len(diags) > 1 {
			t.Errorf("%q: want %q, got %v", secret, want, diags)
		}
	}
}
