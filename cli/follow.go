package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/serve"
	"github.com/syncctl/syncctl/report"
)

// followEvery is the interval between checks for changes in the files of a run.
const followEvery = 500 * time.Millisecond

// followed is a run that another process may be carrying out, as its files show it.
type followed struct {
	c    *command
	id   string
	note func(string)

	mu   sync.Mutex
	seen string // the state of its files at the last check
	read string // their state when they were read
	rep  *report.Report
	told string // the reported problem with them

	failed bool // the files could not be read
}

// serveStatus shows a run on a live page until it is interrupted: the unfinished run, or else the last one.
func (c *command) serveStatus(ctx context.Context, f *serveFlags) (err error) {
	if c.wantsJSON() {
		return failf(exitError, "-serve shows the run to people; use `status -json` without it")
	}
	if err := c.ownDataDir(); err != nil {
		return err
	}
	id, err := c.runToShow()
	if err != nil {
		return err
	}
	release, err := c.listen(ctx, f)
	if err != nil {
		return err
	}
	defer release()
	w := &followed{c: c, id: id, note: func(string) {}}
	if _, err := w.look(); err != nil {
		return err
	}
	if _, err := w.report(); err != nil {
		return err
	}
	p, err := serve.New(f.listener, serve.Options{Report: w.report, Clock: c.app.clock, Random: c.app.random})
	if err != nil {
		return err
	}
	w.note = p.Note
	c.sayPage(p)
	c.say("It shows run %s, and changes nothing. Interrupt to end it.", id)
	p.Start(ctx)
	defer func() { err = errors.Join(err, p.Close()) }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.app.clock.After(followEvery):
		}
		if changed, err := w.look(); err != nil {
			w.tell(err)
		} else if changed {
			p.Changed()
		}
	}
}

// runToShow is the unfinished run, or else the last one.
func (c *command) runToShow() (string, error) {
	store := c.store()
	ids, err := store.IDs()
	if err != nil {
		return "", err
	}
	last := ""
	for _, id := range slices.Backward(ids) {
		b, err := store.Brief(id)
		if err != nil {
			return "", err
		}
		if b.End == nil {
			return id, nil
		}
		if last == "" {
			last = id
		}
	}
	if last == "" {
		return "", failf(exitError, "this folder has no runs. `syncctl apply -serve=ADDRESS` shows one that begins")
	}
	return last, nil
}

// report returns the run as its files show it. It reads them again only if they have changed and somebody is looking,
// because a run of many steps changes often and takes long to read.
func (w *followed) report() (*report.Report, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rep != nil && w.read == w.seen {
		return w.rep, nil
	}
	loaded, err := w.c.store().Load(w.id)
	if err != nil {
		return w.former(err)
	}
	rep, err := w.c.reportOf(nil, loaded)
	if err != nil {
		return w.former(err)
	}
	w.read, w.rep, w.told, w.failed = w.seen, rep, "", false
	return rep, nil
}

// former returns the last report from before the run became unreadable.
func (w *followed) former(err error) (*report.Report, error) {
	if w.rep == nil {
		return nil, err
	}
	w.failed = true
	w.say(err)
	return w.rep, nil
}

// tell reports once that the files cannot be read.
func (w *followed) tell(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.say(err)
}

func (w *followed) say(err error) {
	if text := err.Error(); text != w.told {
		w.told = text
		w.note("The run cannot be read, and is shown as it was: " + text)
	}
}

// look reports whether the run must be read again: its files have changed, or the process that carries it out.
func (w *followed) look() (changed bool, err error) {
	run := filepath.Join(w.c.store().Dir, w.id)
	seen, err := w.c.marks(run)
	if err != nil {
		return false, err
	}
	if h := w.c.holder(); h != nil {
		seen += fmt.Sprint(h.PID, h.Since)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	changed = seen != w.seen || w.failed // they may be readable again without any change of their marks
	if w.seen = seen; !w.failed {
		w.told = ""
	}
	return changed, nil
}

// marks returns the modification times of a run's files, as text.
func (c *command) marks(dir string) (string, error) {
	infos, err := afero.ReadDir(c.app.fs, dir)
	if err != nil {
		return "", fmt.Errorf("looking at the run's folder: %w", err)
	}
	var b strings.Builder
	for _, info := range infos {
		fmt.Fprintf(&b, "%s %d %d\n", info.Name(), info.Size(), info.ModTime().UnixNano())
		if info.IsDir() {
			below, err := c.marks(filepath.Join(dir, info.Name()))
			if err != nil {
				return "", err
			}
			b.WriteString(below)
		}
	}
	return b.String(), nil
}
