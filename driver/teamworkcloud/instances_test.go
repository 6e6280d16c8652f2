package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/schema"
)

// instances are declarations with the same name.
const instances = `
sync "teamwork_cloud" "m" {
  for_each        = toset(["Engine", "Gearbox"])
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.b
  resources       = [WORD]
  target_category = "From A"
}
`

// TestInstances checks that what instances of one declaration have in common is counted and reported once.
func TestInstances(t *testing.T) {
	t.Parallel()
	p := newWorld(strings.Replace(instances, "WORD", "each.key", 1)).plans(t)
	steps, added := 0, 0
	for _, s := range p.Steps {
		if s.Op == "create_category" {
			steps, added = steps+1, added+s.Effect.Add
		}
	}
	if steps != 2 || added != 1 {
		t.Errorf("%d steps create the category, which is counted %d times", steps, added)
	}

	fsys := afero.NewMemMapFs()
	text := servers + strings.Replace(instances, "WORD", `"Engine"`, 1)
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Env: environment,
		Catalog: teamworkcloud.New(driver.Env{Fs: fsys, Log: hclog.NewNullLogger()}).Types()})
	var told []string
	for _, d := range diags {
		told = append(told, schema.AddrOf(d).String())
	}
	if got := strings.Join(told, " "); got != `sync.teamwork_cloud.m["Gearbox"]` {
		t.Errorf("told at %s: %v", got, diags)
	}
}
