package cli

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/serve"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// serveFlags are the flags of the live page.
type serveFlags struct {
	address string
	answers bool
	wait    time.Duration // how long a step waits for an answer on the page if nobody is at a terminal

	listener net.Listener // nil: no page is requested
}

func (f *serveFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.address, "serve", "", "show the run on a live page at `ADDRESS`, such as 127.0.0.1:0 for "+
		"any free port of this machine")
}

// listen opens the address of the live page before anything else is done, so that an address in use does not stop the
// command half-way. release closes it.
func (c *command) listen(ctx context.Context, f *serveFlags) (release func(), err error) {
	if f.answers && f.address == "" {
		return nil, failf(exitError, "-serve-answers is for the page of -serve: give both")
	}
	if f.answers && f.wait <= 0 {
		return nil, failf(exitError, "-serve-wait is a length of time above zero, such as 30m")
	}
	if f.address == "" {
		return func() {}, nil
	}
	if f.answers && c.flags.json {
		return nil, failf(exitError, "-serve-answers prints a token for a person, and -json is for programs: use "+
			"-json-into=FILE, which keeps the token out of the events")
	}
	l, open, err := serve.Listen(ctx, f.address)
	if err != nil {
		return nil, failf(exitError, "-serve: %w", err)
	}
	release = func() { _ = l.Close() } // it may be closed already
	if open && f.answers {
		release()
		return nil, failf(exitError, "-serve-answers: %s can be reached from other machines, and what is sent there can be "+
			"read on the way. Serve at 127.0.0.1, and let others in through a tunnel, such as `ssh -L 8080:127.0.0.1:PORT`",
			f.address)
	}
	if open {
		c.warn("the live page can be reached from other machines, and is not encrypted: whoever sees its address on the way "+
			"can read the run. %s", "Serve at 127.0.0.1 if that is not meant")
	}
	f.listener = l
	return release, nil
}

// livePage is the page of the run that this process carries out.
type livePage struct {
	*serve.Page

	c     *command
	over  atomic.Bool
	ended bool
}

// openPage starts to serve the page of a run. It returns nil if none is requested.
func (c *command) openPage(
	ctx context.Context, a *application, f *serveFlags, entries executor.Journal, progress view.Progress,
) (*livePage, error) {
	if f.listener == nil {
		return nil, nil
	}
	l := &livePage{c: c}
	p, err := serve.New(f.listener, serve.Options{
		Report: func() (*report.Report, error) { return l.report(a, entries) },
		Clock:  c.app.clock, Random: c.app.random, Secrets: c.redactor, Answers: f.answers,
		Numbers: view.Numbers(a.plan),
		Opened:  func(name string) { progress.Urgent("A session was opened on the live page, by " + name + ".") },
	})
	if err != nil {
		return nil, err
	}
	l.Page = p
	c.sayPage(p)
	p.Start(context.WithoutCancel(ctx)) // the first interrupt does not stop the run
	return l, nil
}

// sayPage prints the address of the page, and once its token. Events are kept in files that others read, so they
// contain the address without its path, which grants access.
func (c *command) sayPage(p *serve.Page) {
	if c.events != nil {
		c.events.Write("info", "the run is shown on a live page", view.ServingEvent{Address: p.Host()})
	}
	if c.flags.json {
		fmt.Fprintln(c.err, c.errStyle.Bold("Live page:"), p.Address())
		return
	}
	c.say("%s %s", c.outStyle.Bold("Live page:"), p.Address())
	if token := p.Token(); token != "" {
		c.say("%s %s\n  It opens one session on the page, in which the steps for a person are answered. "+
			"It is shown only here.\n", c.outStyle.Bold("Token:"), token)
	}
}

// report returns the current state of the run.
func (l *livePage) report(a *application, j executor.Journal) (*report.Report, error) {
	entries, over := j.Entries(), l.over.Load()
	d := executor.Next(a.plan, entries, a.run.Site, l.c.app.clock.Now())
	state := "under way"
	switch {
	case d.Finished && over:
		state = "finished"
	case over:
		state = "unfinished"
	}
	return report.New(a.plan, &report.Run{ID: a.run.ID, State: state, Live: !over, Decision: d, Entries: entries})
}

// close shows how the run ended, and closes the page. It may be called more than once.
func (l *livePage) close() {
	if l == nil || l.ended {
		return
	}
	l.ended = true
	l.over.Store(true)
	err := l.Close()
	fault.Raise(err)
	if err != nil {
		l.c.warn("the live page could not be served to the end: %v", err)
	}
}

// beside returns a view that also shows progress on the page.
func (l *livePage) beside(p view.Progress) view.Progress {
	if l == nil {
		return p
	}
	return shownLive{p, l.Page}
}

// shownLive forwards to a page what a view is told.
type shownLive struct {
	view.Progress

	page *serve.Page
}

func (s shownLive) Observe(ev executor.Event) {
	if ev.Step != nil {
		s.page.Doing(ev.Step.ID, view.Doing(ev))
	}
	s.Progress.Observe(ev)
}

func (s shownLive) Note(line string) {
	s.page.Note(line)
	s.Progress.Note(line)
}

// fitsPage returns an error if steps are to be answered on the page but no person is asked.
func (c *command) fitsPage(s schema.Settings, f *serveFlags) error {
	switch address, _ := c.app.env(sandbox.EnvPerson); {
	case !f.answers:
		return nil
	case address != "":
		return failf(exitError, "-serve-answers: the sandbox has a stand-in for the person, so that nothing would be asked "+
			"on the page. Start the sandbox with -no-person")
	case s.Operator != nil:
		return failf(exitError, "-serve-answers: an operator command is declared, which is given a person's steps: "+
			"nothing would be asked on the page")
	}
	return nil
}

// operator returns an operator that also asks on the page, if a person is asked.
func (l *livePage) operator(o executor.Operator, f *serveFlags, plan *planner.Plan) executor.Operator {
	if l == nil {
		return o
	}
	switch o := o.(type) {
	case *terminalOperator:
		if f.answers {
			o.elsewhere, o.wait = view.Numbers(plan), f.wait
		}
		return &onPage{Operator: o, person: o.person, page: l.Page}
	case nobody:
		if f.answers {
			o.say(func(w *output.Buffer) {
				fmt.Fprintf(w, "Nobody is at a terminal here. A step for a person waits for an answer on the page for %s "+
					"(-serve-wait); then it is left for later.\n", report.Length(f.wait))
			})
			return &onPage{Operator: waiting{o.person, f.wait}, person: o.person, page: l.Page}
		}
	}
	return o
}

// waiting shows a step if nobody can answer it here, and defers it if nobody has answered elsewhere in time.
type waiting struct {
	person

	wait time.Duration
}

func (o waiting) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	if o.events == nil || !o.flags.json {
		o.say(func(w *output.Buffer) { o.instructions(w, ask) })
	}
	return o.later(ctx, o.wait)
}

// later defers a step after some time.
func (p person) later(ctx context.Context, wait time.Duration) (executor.Reply, error) {
	select {
	case <-p.app.clock.After(wait):
		p.progress.Note("Nobody has answered for " + report.Length(wait) + ".")
		return executor.Deferred, nil
	case <-ctx.Done():
		return executor.Reply{}, ctx.Err()
	}
}

// onPage asks on the page, and at the terminal if there is one. The first answer counts.
type onPage struct {
	executor.Operator // at the terminal, or of nobody

	person person
	page   *serve.Page
}

type answered struct {
	reply executor.Reply
	err   error
}

func (o *onPage) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	there := answering(func() (executor.Reply, error) { return o.page.Ask(ctx, ask) })
	here := answering(func() (executor.Reply, error) { return o.Operator.Perform(ctx, ask) })
	var first answered
	select {
	case first = <-there:
		cancel()
		late := <-here
		fault.Raise(late.err)
		if first.err == nil {
			o.fromPage(ask, first, late)
		}
	case first = <-here:
		cancel()
		there := <-there
		fault.Raise(there.err)
		if there.err == nil { // the browser was told that the answer is recorded
			o.fromPage(ask, there, first)
			first = there
		}
	}
	fault.Raise(first.err)
	return first.reply, first.err
}

// fromPage says at the terminal that the page's answer counts, and that another answer does not.
func (o *onPage) fromPage(ask executor.Ask, counts, other answered) {
	text := ask.Step.ID + ": answered by " + counts.reply.By
	if other.err == nil {
		text += "; the answer at the terminal came at the same time, and does not count"
	}
	o.person.progress.Note(text)
}

// answering asks a question in a goroutine of its own.
func answering(ask func() (executor.Reply, error)) <-chan answered {
	out := make(chan answered, 1)
	go func() {
		var a answered
		defer func() { out <- a }()
		defer fault.Catch(&a.err)
		a.reply, a.err = ask()
	}()
	return out
}
