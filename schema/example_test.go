package schema_test

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// A catalog says what may be written; Load checks and evaluates a folder against it.
func ExampleLoad() {
	catalog := schema.Catalog{{Kind: schema.Server, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "url", Type: cty.String, Required: true},
		{Name: "password", Type: cty.String, Secret: true},
		{Name: "gates", Type: cty.Number, Default: cty.NumberIntVal(2)},
	}}}}
	fs := afero.NewMemMapFs()
	_ = afero.WriteFile(fs, "conf/main.sync.hcl", []byte(`
locals { host = "north.example" }
server "depot" "north" {
  url      = "https://${local.host}"
  password = env("NORTH_PASSWORD")
}
`), 0o600)
	env := map[string]string{"NORTH_PASSWORD": "open-sesame"}

	cfg, diags := schema.Load(context.Background(), schema.Options{
		Fs: fs, Dir: "conf", Catalog: catalog, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	if diags.HasErrors() {
		fmt.Println(diags)
		return
	}
	for _, r := range cfg.Resources {
		fmt.Println(r.Addr, r.Text("url"), r.Text("password"), r.Text("gates"))
	}
	fmt.Println(cfg.Redactor().String("the log says open-sesame"))
	// Output:
	// server.depot.north https://north.example (sensitive value) 2
	// the log says (sensitive value)
}

// Diagnostics name the place, show it, and say what to do.
func ExampleWriteText() {
	fs := afero.NewMemMapFs()
	_ = afero.WriteFile(fs, "conf/main.sync.hcl", []byte("server \"depot\" \"north\" {\n  gate = 3\n}\n"), 0o600)
	catalog := schema.Catalog{{Kind: schema.Server, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "gates", Type: cty.Number},
	}}}}
	cfg, diags := schema.Load(context.Background(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog})
	_ = schema.WriteText(os.Stdout, diags, cfg.Files(), schema.TextOptions{Width: 70})
	// Output:
	// Error: Unsupported argument
	//
	//   with server.depot.north,
	//   on conf/main.sync.hcl line 2, in server "depot" "north":
	//    2:   gate = 3
	//         ^^^^
	//
	// An argument "gate" is not expected in server "depot". Did you mean
	// "gates"?
}

// Format lays out a file in the canonical way.
func ExampleFormat() {
	src := "sync \"depot\" \"goods\" {\n  from=server.depot.north\n    every = \"1h\"\n}\n"
	laidOut, _ := schema.Format("main.sync.hcl", []byte(src))
	fmt.Print(string(laidOut))
	// Output:
	// sync "depot" "goods" {
	//   from  = server.depot.north
	//   every = "1h"
	// }
}
