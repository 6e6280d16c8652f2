package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A shape is a way to declare n synchronizations.
type shape int

const (
	blocks  shape = iota // one block each, all in one file, between two servers
	forEach              // all from one block
	files                // one block each, ten per file
	servers              // one block each, ten between each pair of servers
)

// pairs returns the number of pairs of servers for n synchronizations.
func (s shape) pairs(n int) int {
	if s == servers {
		return max(1, n/10)
	}
	return 1
}

// write streams a file: memory used by this program would count as memory of its children.
func write(name string, text func(w *bufio.Writer)) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	w := bufio.NewWriter(f)
	text(w)
	return w.Flush()
}

// declare writes n direct synchronizations of twelve values each.
func declare(dir string, n int, s shape) error {
	pairs := s.pairs(n)
	err := write(filepath.Join(dir, "servers.sync.hcl"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "variable \"password\" {\n  type      = string\n  sensitive = true\n}")
		for i := range pairs {
			fmt.Fprintf(w, serverBlock, name("a", i), name("A", i), name("b", i), name("B", i))
		}
	})
	if err != nil {
		return err
	}
	if s == forEach {
		return write(filepath.Join(dir, "main.sync.hcl"), func(w *bufio.Writer) {
			fmt.Fprintln(w, "locals {\n  projects = toset([")
			for i := range n {
				fmt.Fprintf(w, "    \"P%d\",\n", i)
			}
			fmt.Fprintln(w, "  ])\n}")
			fmt.Fprintf(w, syncBlock, "s", "  for_each  = local.projects\n", "a0", "${each.key}", "b0", "${each.key}")
		})
	}
	per := n
	if s == files {
		per = 10
	}
	for first := 0; first < n; first += per {
		err := write(filepath.Join(dir, fmt.Sprintf("main%d.sync.hcl", first)), func(w *bufio.Writer) {
			for i := first; i < min(n, first+per); i++ {
				project := fmt.Sprintf("P%d", i)
				fmt.Fprintf(w, syncBlock, fmt.Sprintf("s%d", i), "", name("a", i%pairs), project, name("b", i%pairs), project)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func name(prefix string, i int) string { return fmt.Sprint(prefix, i) }

const serverBlock = `
server "backbone" %[1]q {
  url                 = env("%[2]s_URL", "https://%[1]s.example")
  user                = "admin"
  password            = var.password
  ca_file             = env("SYNCCTL_SANDBOX_CA_FILE", "")
  requests_per_second = 10000
}

server "backbone" %[3]q {
  url                 = env("%[4]s_URL", "https://%[3]s.example")
  user                = "admin"
  password            = var.password
  ca_file             = env("SYNCCTL_SANDBOX_CA_FILE", "")
  requests_per_second = 10000
}
`

const syncBlock = `
sync "backbone" %q {
%s  transport = "direct"
  first {
    server  = server.backbone.%s
    project = "%s"
  }
  second {
    server  = server.backbone.%s
    project = "%s"
  }
  issue_types = { Bug = "Bug", Task = "Task" }
  field "summary" {}
  field "description" {}
  field "assignee" {
    mapping = "user_passthrough_by_email"
  }
  comments    = true
  attachments = true
}
`

// seed writes the simulated servers that declare names. If made is set, the synchronizations already exist on them.
func seed(dir string, n int, s shape, made bool) error {
	pairs := s.pairs(n)
	return write(filepath.Join(dir, "sandbox.json"), func(w *bufio.Writer) {
		fmt.Fprint(w, `{"backbone": {"now": "2026-01-01T00:00:00Z", "servers": {`)
		for i := range 2 * pairs {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `"%s": {"deployment": "data_center", "backbone_version": "5.21", "jira_version": "9.12.2",
"sync_user": "backbone", "env": {"url": "%s_URL", "password": "SYNCCTL_VAR_password"},
"users": [{"name": "admin", "display_name": "A", "email": "a@x.example", "password": "geheim",
"permission": "system_admin"},
{"name": "backbone", "display_name": "B", "email": "b@x.example", "permission": "none"}], "projects": [`,
				name("ab"[i%2:i%2+1], i/2), name("AB"[i%2:i%2+1], i/2))
			for p := i / 2; p < n; p += pairs {
				if p > i/2 {
					fmt.Fprint(w, ",")
				}
				fmt.Fprintf(w, `{"key": "P%d", "name": "Project %[1]d", "issue_types": ["Bug", "Task"]}`, p)
			}
			fmt.Fprint(w, "]}")
		}
		fmt.Fprint(w, `}, "syncs": [`)
		for p := range n {
			if !made {
				break
			}
			if p > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"transport": "direct", "name": "P%d <> P%[1]d", "first": {"server": "a%[3]d", "project": "P%[1]d",
"status": "RUNNING"}, "second": {"server": "b%[3]d", "project": "P%[1]d"},
"issue_types": [{"first": "Bug", "second": "Bug"}, {"first": "Task", "second": "Task"}],
"fields": [%[2]s], "comments": true, "attachments": true}`, p, seedFields, p%pairs)
		}
		fmt.Fprintln(w, "]}}")
	})
}

const seedFields = `{"first": "summary", "second": "summary"}, {"first": "description", "second": "description"},
{"first": "assignee", "second": "assignee", "type": "user_passthrough_by_email"}`

// terraform writes n resources of twelve values each, of the only type built into the program.
func terraform(dir string, n int) error {
	return write(filepath.Join(dir, "main.tf"), func(w *bufio.Writer) {
		for i := range n {
			fmt.Fprintf(w, terraformBlock, i)
		}
	})
}

// applied makes the state in which program has applied n resources. It applies one, and copies what it then knows of
// that: to apply many takes it a time that grows with their square.
func applied(ctx context.Context, dir, program string, n int) error {
	if err := terraform(dir, 1); err != nil {
		return err
	}
	if err := command(ctx, dir, program, "apply", "-auto-approve", "-input=false"); err != nil {
		return err
	}
	name := filepath.Join(dir, "terraform.tfstate")
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var state map[string]json.RawMessage
	var resources []json.RawMessage
	if err := json.Unmarshal(text, &state); err != nil {
		return err
	}
	if err := json.Unmarshal(state["resources"], &resources); err != nil {
		return err
	}
	if len(resources) != 1 {
		return fmt.Errorf("%s has %d resources instead of one", name, len(resources))
	}
	delete(state, "resources")
	rest, err := json.Marshal(state)
	if err != nil {
		return err
	}
	err = write(name, func(w *bufio.Writer) {
		fmt.Fprint(w, `{"resources":[`)
		for i := range n {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			other := strings.NewReplacer(`"s0"`, fmt.Sprintf(`"s%d"`, i), `"P0"`, fmt.Sprintf(`"P%d"`, i))
			_, _ = other.WriteString(w, string(resources[0])) // write reports it
		}
		fmt.Fprintf(w, "],%s", rest[1:])
	})
	if err != nil {
		return err
	}
	return terraform(dir, n)
}

const terraformBlock = `
resource "terraform_data" "s%[1]d" {
  input = {
    transport = "direct"
    first = {
      server  = "a0"
      project = "P%[1]d"
    }
    second = {
      server  = "b0"
      project = "P%[1]d"
    }
    issue_types = { Bug = "Bug", Task = "Task" }
    fields      = { summary = "", description = "", assignee = "user_passthrough_by_email" }
    comments    = true
    attachments = true
  }
}
`

// exports writes the two files of a merge with n pairs each, in entries of about 430 bytes. The slave's order differs.
func exports(dir string, n int) error {
	step := 7919 // a prime that divides none of our n: each pair occurs once
	for _, side := range []string{"master", "slave"} {
		local, remote := "SAM", "SP"
		if side == "slave" {
			local, remote = remote, local
		}
		err := write(filepath.Join(dir, side+".json"), func(w *bufio.Writer) {
			fmt.Fprint(w, `{"firstConnector": [`)
			for i := range n {
				k := i
				if side == "slave" {
					k = i * step % n
				}
				if i > 0 {
					fmt.Fprint(w, ",")
				}
				fmt.Fprintf(w, pairEntry, k+1, side, local, remote)
			}
			fmt.Fprintln(w, "]}")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const pairEntry = `{"id":%[1]d,"connectorKey":"CON-%[2]s","localIssueKey":"%[3]s-%[1]d",` +
	`"remoteIssueKey":"%[4]s-%[1]d","firstSyncDate":1604663032918,` +
	`"lastOutgoingChange":1604663098456,"lastChangeSeen":1604654096519,` +
	`"outgoingMessageSequenceId":2,"lastIncomingChange":1604663109653,"incomingMessageSequenceId":2,` +
	`"comments":[{"localId":"1%[1]d"}],"attachments":[],"worklogs":[],"versions":[],"components":[],"links":[],` +
	`"incomingChangesIgnored":false}
`
