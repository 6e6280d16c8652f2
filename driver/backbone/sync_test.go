package backbone_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// servers of the example, to which a test adds what it declares.
const servers = `
variable "jira_a_password" { sensitive = true }
variable "jira_b_password" { sensitive = true }
server "backbone" "a" {
  url      = env("JIRA_A_URL")
  user     = env("JIRA_A_USER")
  password = var.jira_a_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE")
}
server "backbone" "b" {
  url      = env("JIRA_B_URL")
  user     = env("JIRA_B_USER")
  password = var.jira_b_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE")
}
`

// alone returns a bench on the servers of behind-firewall-master with another configuration.
func alone(t *testing.T, hcl string) *bench {
	t.Helper()
	seed, err := os.ReadFile(filepath.Join("..", "..", "examples", "behind-firewall-master", "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := newBenchOf(t, dir, seed)
	b.write(hcl)
	return b
}

func (b *bench) write(hcl string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, "main.sync.hcl"), []byte(servers+hcl), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func ops(p *planner.Plan) string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, string(s.Mark)+s.Op)
	}
	return strings.Join(out, " ")
}

// reach plans, expects these steps, applies them, and expects an empty second plan.
func (b *bench) reach(want string) *planner.Plan {
	b.t.Helper()
	p := b.plan()
	if got := ops(p); got != want {
		b.t.Fatalf("steps are %q, want %q\n%s", got, want, text(b.t, p))
	}
	if rep := b.apply(p); !rep.Finished {
		b.t.Fatal(unfinished(rep))
	}
	if p := b.plan(); len(p.Steps) != 0 {
		b.t.Fatalf("the second plan is not empty: %s", text(b.t, p))
	}
	return p
}

const directSync = `
sync "backbone" "dev" {
  transport = "direct"
  first {
    server  = server.backbone.a
    project = "SAM2"
  }
  second {
    server  = server.backbone.b
    project = "SP2"
  }
  issue_types = { Bug = "Bug" }
  field "summary" {}
  field "reporter" { mapping = "user_passthrough_by_username" }
  comments = COMMENTS
  state    = "STATE"
}
`

func TestDirectSyncAlone(t *testing.T) {
	t.Parallel()
	declare := strings.NewReplacer("COMMENTS", "true", "STATE", "stopped").Replace(directSync)
	b := alone(t, declare)
	p := b.reach("?create_sync ?configure")
	if n := p.Tally(); n.Add != 1 || n.Change != 0 || n.Person != 2 {
		t.Errorf("%+v", n)
	}
	b.write(strings.NewReplacer("COMMENTS", "false", "STATE", "stopped").Replace(directSync))
	p = b.reach("?configure")
	if why := p.Steps[0].Because; !strings.Contains(why, "comments is true, declared false") {
		t.Errorf("the drift is not named: %s", why)
	}
	b.write(strings.NewReplacer("COMMENTS", "false", "STATE", "running").Replace(directSync))
	b.reach("~start")
	b.write(strings.NewReplacer("COMMENTS", "false", "STATE", "stopped").Replace(directSync))
	b.reach("~stop")
}

const fileSync = `
sync "backbone" "files" {
  transport = "file"
  state     = "STATE"
  master {
    server  = server.backbone.a
    project = "SAM2"
  }
  slave {
    server  = server.backbone.b
    project = "SP2"
  }
}
`

func TestFileSyncAlone(t *testing.T) {
	t.Parallel()
	b := alone(t, strings.Replace(fileSync, "STATE", "running", 1))
	if p := b.plan(); len(p.Steps) != 0 {
		t.Fatalf("what is as declared has steps: %s", text(t, p))
	}
	b.write(strings.Replace(fileSync, "STATE", "stopped", 1))
	b.reach("~stop_master ~stop_slave")
	b.write(strings.Replace(fileSync, "STATE", "running", 1))
	b.reach("~start_master ~start_slave")
}

func TestTransportCannotBeSwitched(t *testing.T) {
	t.Parallel()
	b := alone(t, strings.NewReplacer("STATE", "running", `"file"`, `"email"`).Replace(fileSync))
	p := b.plan()
	if r := p.Refusals(); len(p.Steps) != 0 || len(r) != 1 || r[0].Rule != "backbone/transport" {
		t.Fatalf("%s", text(t, p))
	}
}
