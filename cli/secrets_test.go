package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// careless is a driver that puts a secret into its log and its errors.
type careless struct {
	executor.Driver

	env driver.Env
}

type carelessServer struct {
	declare.Server
}

func (careless) Rules() []planner.Rule { return nil }

func (careless) Types() []schema.Type {
	body := schema.Body{Attributes: declare.ServerAttributes("Address.", "User.", "Token.")}
	t := schema.Type{Kind: schema.Server, Name: "careless", Body: body}
	return []schema.Type{declare.Type[carelessServer](t, nil)}
}

func (careless) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return []planner.Need{{Server: r.Addr.String(), What: "anything"}}, nil
}

func (c careless) Observe(_ context.Context, r *schema.Resource, _ planner.Need) (any, error) {
	s, diags := declare.Decode[carelessServer](r)
	if diags.HasErrors() {
		return nil, diags
	}
	c.env.Log.Info("logging in", "with", s.Secret())
	return nil, fmt.Errorf("the server does not accept %s", s.Secret())
}

func (careless) Plan(planner.Change) (planner.Outline, hcl.Diagnostics) {
	return planner.Outline{}, nil
}

// TestCarelessDriver: whatever a driver says, no secret reaches an output or the log.
func TestCarelessDriver(t *testing.T) {
	const src = `server "careless" "a" {
  url      = "https://a.example"
  user     = "u"
  password = "canary-4711"
}
`
	for _, args := range [][]string{
		{"plan"}, {"plan", "-json"}, {"apply", "-auto-approve"}, {"apply", "-auto-approve", "-json"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		a := &app{
			stdout: &stdout, stderr: &stderr, fs: afero.NewOsFs(), cwd: dir, clock: systemClock{}, random: rand.Reader,
			interrupts: &interrupt.Interrupts{},
			env: func(name string) (string, bool) {
				level, ok := map[string]string{"SYNCCTL_LOG": "trace", "SYNCCTL_CONFIG_DIR": filepath.Join(dir, "user")}[name]
				return level, ok
			},
			products: []Product{{Name: "careless", Driver: func(env driver.Env) driver.Driver { return careless{env: env} }}},
		}
		if code := a.run(t.Context(), args); code != exitError {
			t.Errorf("%v: exit code %d", args, code)
		}
		out := stdout.String() + stderr.String()
		if strings.Contains(out, "canary") || !strings.Contains(out, "does not accept (sensitive value)") {
			t.Errorf("%v: %s", args, out)
		}
		if !strings.Contains(stderr.String(), "with=(sensitive value)") {
			t.Errorf("%v: the log does not have what the driver said: %s", args, stderr.String())
		}
	}
}
