package teamworkcloud_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// importing returns what is imported from a server, as HCL.
func (s *site) importing(hcl string, server schema.Addr, from ...schema.Addr) string {
	s.t.Helper()
	cfg, d := s.load(hcl)
	defer s.close(d)
	of := driver.ImportRequest{Server: cfg.Lookup(server), Declared: cfg.Resources}
	for _, a := range from {
		of.From = append(of.From, cfg.Lookup(a))
	}
	found, err := d.(driver.Importer).Import(s.t.Context(), of)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(schema.WriteDrafts(cfg, found))
}

// adopt imports from a server into a file of the configuration. It expects that a plan then has nothing to do and that
// nothing more is found.
func (s *site) adopt(hcl string, server schema.Addr, from ...schema.Addr) string {
	s.t.Helper()
	text := s.importing(hcl, server, from...)
	file := "imported_" + server.Name
	for _, a := range from {
		file += "_" + strings.Trim(a.Name+a.Index, `[]"`)
	}
	s.write(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`["]`, r) {
			return '_'
		}
		return r
	}, file)+".sync.hcl", text)
	if p := s.plan(hcl); len(p.Steps) != 0 || len(p.Refusals()) != 0 {
		s.t.Fatalf("after importing\n%s\nthere is something to do: %s %+v", text, ops(p), p.Findings)
	}
	if again := s.importing(hcl, server, from...); blocks(again) != "" {
		s.t.Errorf("imported once more:\n%s", again)
	}
	return text
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

var drafted = regexp.MustCompile(`(?m)^(?:# )?(?:sync|keystore) "[a-z0-9_]+" "([a-z0-9_]+)"`)

// blocks returns the names of the declarations in a text; those in comments begin with #.
func blocks(text string) string {
	var out []string
	for _, m := range drafted.FindAllStringSubmatch(text, -1) {
		name := m[1]
		if strings.HasPrefix(m[0], "#") {
			name = "#" + name
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// TestImportExamples imports the result of each example from its servers again, and checks that a plan has nothing to
// do.
func TestImportExamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unsaid map[string]string    // what is found on each server if nobody says where it comes from
		hops   [][2]string          // servers to import from, and the source that a person names
		want   map[string][2]string // by name of the new declaration: an argument and its value
	}{
		"twc-collaboration": {
			unsaid: map[string]string{"acme": "#supplier_to_acme_released_body #supplier_to_acme_released_powertrain",
				"supplier": "acme_to_supplier_from_acme #acme_to_supplier_from_acme_powertrain"},
			hops: [][2]string{{"supplier", "acme"}},
			want: map[string][2]string{
				"acme_to_supplier_from_acme":            {"target_category", "From Acme"},
				"acme_to_supplier_from_acme_powertrain": {"target_category", "From Acme/Powertrain"},
			},
		},
		"twc-fleet": {
			unsaid: map[string]string{"hub": "#plant_north_to_hub_from_north_engines " +
				"#plant_north_to_hub_from_north_gears #plant_south_to_hub #plant_west_to_hub",
				`plant["north"]`: "#hub_to_plant_north_released_engines #hub_to_plant_north_released_gears",
				`plant["south"]`: "#hub_to_plant_south",
				`plant["west"]`:  "#hub_to_plant_west"},
			hops: [][2]string{{"hub", `plant["west"]`}, {"hub", `plant["north"]`}, {"hub", `plant["south"]`}},
			want: map[string][2]string{
				"plant_north_to_hub_from_north_engines": {"source", `server.teamwork_cloud.plant["north"]`},
				"plant_west_to_hub":                     {"target_category", "From West/Brakes"},
			},
		},
		"twc-multi-hop": {
			unsaid: map[string]string{"acme": "#neutral_to_acme #supplier_to_acme",
				"neutral": "#acme_to_neutral #supplier_to_neutral", "supplier": "#acme_to_supplier #neutral_to_supplier"},
			hops: [][2]string{{"neutral", "acme"}, {"supplier", "neutral"}},
			want: map[string][2]string{
				"acme_to_neutral":     {"upstream", ""},
				"neutral_to_supplier": {"upstream", "sync.teamwork_cloud.acme_to_neutral"},
			},
		},
		"twc-offload":          {},
		"twc-tls":              {unsaid: map[string]string{"prod": "#partner_to_prod", "partner": "#prod_to_partner"}},
		"twc-version-mismatch": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, whole, servers := openExample(t, name)
			if name != "twc-version-mismatch" { // it is refused
				s.apply(whole)
			}
			s.store = &executor.Store{Fs: afero.NewOsFs(), Dir: filepath.Join(s.dir, "new"), Now: time.Now}
			cfg, d := s.load(servers)
			s.close(d)
			for _, r := range cfg.Resources {
				if r.Addr.Kind != schema.Server {
					continue
				}
				text := s.importing(servers, r.Addr)
				if got, want := blocks(text), c.unsaid[r.Addr.Name+r.Addr.Index]; got != want {
					t.Errorf("%s: %s, want %s\n%s", r.Addr, got, want, text)
				}
			}
			for _, hop := range c.hops {
				s.adopt(servers, serverAt(t, hop[0]), serverAt(t, hop[1]))
			}
			cfg, d = s.load(servers)
			s.close(d)
			for name, want := range c.want {
				r := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "teamwork_cloud", Name: name})
				if r == nil || r.Text(want[0]) != want[1] {
					t.Errorf("%s: %v, want %s = %q", name, r, want[0], want[1])
				}
			}
		})
	}
}

// TestImportSettings checks that a server without sync_tls shows its settings and its keystore, but no secret.
func TestImportSettings(t *testing.T) {
	t.Parallel()
	s, whole, servers := openExample(t, "twc-tls")
	s.apply(whole)
	f, diags := hclwrite.ParseConfig([]byte(servers), "main.sync.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, b := range f.Body().Blocks() {
		if inner := b.Body().FirstMatchingBlock("sync_tls", nil); inner != nil {
			b.Body().RemoveBlock(inner)
		}
		if b.Type() == "keystore" {
			f.Body().RemoveBlock(b)
		}
	}
	text := s.importing(string(f.Bytes()), serverAt(t, "partner"))
	if got := blocks(text); got != "#partner #prod_to_partner" {
		t.Errorf("%s\n%s", got, text)
	}
	for _, part := range []string{`twc.client.tls = "true"`, `esi.server.sync.tls-enabled = "true"`, `path = "/opt/`,
		`variable "partner_password_2"`} {
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " "), part) {
			t.Errorf("%s is missing:\n%s", part, text)
		}
	}
	for name, secret := range s.env {
		if strings.HasPrefix(name, "SYNCCTL_VAR_") && strings.Contains(text, secret) {
			t.Errorf("%s is in it", name)
		}
	}
}

// TestImportDirection checks that likeness alone is not enough for a declaration.
func TestImportDirection(t *testing.T) {
	t.Parallel()
	copies := func(w *world, more ...j) *world {
		return w.add("b", "categories", j{"path": "From A"}).add("b", "resources", more...)
	}
	gearbox := resource("Gearbox", "From A", "read_only", true)
	as := func(history j) j {
		r := resource("Gearbox", "From A")
		r["generate"] = history
		return r
	}
	for name, c := range map[string]struct {
		w    *world
		want string
		note string
	}{
		"equal, and both may receive":    {copies(newWorld(""), gearbox), "#a_to_b", "nothing shows"},
		"equal, and only one may":        {copies(newWorld("").roles("a", everything...), gearbox), "a_to_b", "has the role"},
		"the source has more":            {copies(newWorld(""), as(less)), "a_to_b", "that the copy lacks"},
		"the target has more":            {copies(newWorld(""), as(more)), "", ""},
		"each has something of its own":  {copies(newWorld(""), as(other)), "", "neither"},
		"a copy in no category":          {copies(newWorld(""), resource("Gearbox", "")), "", "no"},
		"another major version":          {copies(newWorld("").set("a", "version", "2022x").roles("a", everything...), gearbox), "#a_to_b", "major"},
		"marked as deleted on the other": {copies(newWorld("").remove("a", "Gearbox"), gearbox), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := c.w.open(t).importing("", serverAt(t, "b"))
			nothing := c.want == "" && c.note == ""
			if got := blocks(text); got != c.want || !strings.Contains(text, c.note) || nothing && text != "" {
				t.Errorf("%s, want %s and %q\n%s", got, c.want, c.note, text)
			}
		})
	}
}

// TestImportByID checks that the source in an import block counts as named by a person.
func TestImportByID(t *testing.T) {
	t.Parallel()
	s := newWorld("").add("b", "categories", j{"path": "From A"}).
		add("b", "resources", resource("Gearbox", "From A")).open(t)
	cfg, d := s.load("")
	defer s.close(d)
	const id = "server.teamwork_cloud.a/From A"
	found, err := d.(driver.Importer).Import(t.Context(), driver.ImportRequest{Server: cfg.Lookup(serverAt(t, "b")),
		Declared: cfg.Resources, IDs: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if at := slices.IndexFunc(found, func(f schema.Draft) bool { return f.ID == id }); at < 0 || !found[at].IsDeclared() {
		t.Errorf("%+v", found)
	}
}

// Histories that begin like Gearbox's.
var (
	less  = j{"revisions": 3, "authors": []any{"ann"}, "start": "2025-01-06T08:00:00Z", "every": "24h"}
	more  = j{"revisions": 5, "authors": []any{"ann"}, "start": "2025-01-06T08:00:00Z", "every": "24h"}
	other = j{"revisions": 4, "authors": []any{"bob"}, "start": "2025-01-06T08:00:00Z", "every": "24h"}
)

// remove marks a resource of a server as deleted.
func (w *world) remove(server, name string) *world {
	for _, r := range w.servers[server]["resources"].([]any) {
		if r := r.(j); r["name"] == name {
			r["removed"] = true
		}
	}
	return w
}

// TestImportUnreachable checks that another server that cannot be asked is mentioned, but does not stop the import.
func TestImportUnreachable(t *testing.T) {
	t.Parallel()
	s := newWorld("").add("b", "categories", j{"path": "From A"}).
		add("b", "resources", resource("Gearbox", "From A")).roles("a", everything...).open(t)
	s.env["C_URL"] = "https://127.0.0.1:1"
	if text := s.importing("", serverAt(t, "b")); blocks(text) != "a_to_b" ||
		!strings.Contains(text, "server.teamwork_cloud.c could not be compared") {
		t.Error(text)
	}
}

func serverAt(t *testing.T, name string) schema.Addr {
	t.Helper()
	a := schema.Addr{Kind: schema.Server, Type: "teamwork_cloud", Name: name}
	if at := strings.IndexByte(name, '['); at >= 0 {
		a.Name, a.Index = name[:at], name[at:]
	}
	return a
}

// openExample serves a copy of an example. whole is its configuration, servers the part that declares servers and
// keystores.
func openExample(t *testing.T, name string) (s *site, whole, servers string) {
	t.Helper()
	c := smaller(example(t, name, false))
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	c.Dir = dir
	src, err := os.ReadFile(filepath.Join(dir, "main.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	f, diags := hclwrite.ParseConfig(src, "main.sync.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, b := range f.Body().Blocks() {
		if slices.Contains([]string{"sync", "migration", "module", "output", "check"}, b.Type()) {
			f.Body().RemoveBlock(b)
		}
	}
	s = openCase(t, c)
	s.make = newBeside
	s.text = func(hcl string) string { return hcl }
	return s, string(src), string(f.Bytes())
}
