package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/sandbox"
)

// contacts counts what the processes of a rehearsal contact, from the lines of an access log, which are written one at
// a time. Over sites, it attributes each contact to the site whose process was running.
type contacts struct {
	mu   sync.Mutex
	all  counter
	by   map[string]*counter // by site
	runs []siteRun           // of processes, in order; none without sites
	bad  []string            // forbidden contacts
}

// siteRun records when a site's process began.
type siteRun struct {
	at   time.Time
	site *rehearsedSite
}

// begin records that the process of a site begins.
func (c *contacts) begin(at time.Time, site *rehearsedSite) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs = append(c.runs, siteRun{at, site})
}

// Write reads a line of the log. A command on a machine may end after the process that started it.
func (c *contacts) Write(p []byte) (int, error) {
	var line sandbox.AccessLine
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, fmt.Errorf("counting requests: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.count(line.Protocol)
	for _, run := range slices.Backward(c.runs) {
		if line.Time.Before(run.at) {
			continue
		}
		name := run.site.name
		if c.by == nil {
			c.by = map[string]*counter{}
		}
		if c.by[name] == nil {
			c.by[name] = &counter{}
		}
		c.by[name].count(line.Protocol)
		if !slices.Contains(run.site.reaches, line.Server) {
			c.bad = append(c.bad, fmt.Sprintf("%s: %s %s", line.Server, line.Method, line.Path))
		}
		break
	}
	return len(p), nil
}

// strayed returns an error if a process has contacted something that does not belong to its site.
func (c *contacts) strayed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bad) == 0 {
		return nil
	}
	return failf(exitError, "a process of site %s tried to contact what is not of its site, and was refused:\n  %s",
		c.runs[len(c.runs)-1].site.name, strings.Join(c.bad, "\n  "))
}

// counter counts contacts by kind.
type counter struct{ requests, connections, commands, files int }

func (c *counter) count(protocol string) {
	switch protocol {
	case sandbox.ProtocolSSH:
		c.commands++
	case sandbox.ProtocolSFTP:
		c.files++
	case sandbox.ProtocolTCP:
		c.connections++
	default:
		c.requests++
	}
}

// words describes what was counted, and that there was nothing else.
func (c *counter) words(servers, machines int) string {
	words := wording.Plural(c.requests, "request")
	if c.connections > 0 {
		words += " and " + wording.Plural(c.connections, "connection")
	}
	words += " to " + wording.Plural(servers, "simulated server")
	var done []string
	if c.commands > 0 {
		done = append(done, wording.Plural(c.commands, "command"))
	}
	if c.files > 0 {
		done = append(done, wording.Plural(c.files, "file operation"))
	}
	if len(done) == 0 {
		return words + ", none to any other"
	}
	return words + ", " + strings.Join(done, " and ") + " on " + wording.Plural(machines, "simulated machine") +
		", nothing anywhere else"
}
