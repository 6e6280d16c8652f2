package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/schema"
)

// state is a run as it stands, with the process that carries it out, if one does.
func (c *command) state(run *executor.Run) view.RunState {
	now := c.app.clock.Now()
	shown := *run
	shown.Dir = c.near(run.Dir)
	s := view.RunState{Run: &shown, Decision: run.Decision(now), Now: now}
	if !run.Finished() {
		s.Holder = c.holder()
	}
	return s
}

// damaged says what is wrong with a run that cannot be resumed, what is safe, and what to do.
func (c *command) damaged(run *executor.Run) string {
	return fmt.Sprintf("cannot resume run %s: %s.\nIts files, the exports among them, are safe in %s. "+
		"Set the run aside with all its files: syncctl resolve -abandon. Then plan again: what is done on the servers stays done",
		run.ID, schema.SanitizeLine(run.Damage.Error()), c.near(run.Dir))
}

// holder is the process that has the lock, nil if none has. It only looks: taking the lock to find out would keep an apply
// that starts this moment from getting it.
func (c *command) holder() *journal.Holder {
	src, err := afero.ReadFile(c.app.fs, c.lockPath())
	if err != nil {
		return nil
	}
	var h journal.Holder
	if json.Unmarshal(src, &h) != nil || h.PID == 0 || h.PID == os.Getpid() {
		return nil
	}
	// A process that was killed leaves its name behind. On another machine that shares the folder it cannot be looked up.
	if host, _ := os.Hostname(); h.Host == host && !alive(h.PID) {
		return nil
	}
	return &h
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || os.IsPermission(err)
}

// near names a path relative to where the person is, when that is shorter.
func (c *command) near(path string) string {
	if rel, err := filepath.Rel(c.app.cwd, path); err == nil && len(rel) < len(path) && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
