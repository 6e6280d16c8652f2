package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/schema"
)

// state returns the current state of a run, with the process that carries it out, if any.
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

// damaged explains why a run cannot be resumed, what is safe, and what to do.
func (c *command) damaged(run *executor.Run) string {
	return fmt.Sprintf("cannot resume run %s: %s.\nIts files, the exports among them, are safe in %s. "+
		"Set the run aside with all its files: syncctl resolve -abandon. "+
		"Then plan again: what is done on the servers stays done",
		schema.SanitizeLine(run.ID), schema.SanitizeLine(run.Damage.Error()), schema.SanitizeLine(c.near(run.Dir)))
}

// holder returns the process that holds the lock, or nil if there is none. It does not try to take the lock, because
// that could make an apply that is just starting fail.
func (c *command) holder() *journal.Holder {
	src, err := schema.ReadBounded(c.app.fs, c.lockPath(), 1<<16)
	if err != nil || files.Private(c.app.fs, c.lockPath()) != nil {
		return nil
	}
	var h journal.Holder
	if json.Unmarshal(src, &h) != nil || h.PID == 0 || h.PID == os.Getpid() {
		return nil
	}
	// A killed process leaves its entry behind. A process on another machine that shares the folder cannot be checked.
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

// near returns a path relative to the working folder if that is shorter.
func (c *command) near(path string) string {
	rel, err := filepath.Rel(c.app.cwd, path)
	if err != nil || len(rel) >= len(path) || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}
