package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// notifyFile says how the user wants to be notified when a person is asked. It is in the user's configuration folder;
// configurations have no influence on it.
const notifyFile = "notify.hcl"

const (
	notifyWithin = 10 * time.Second // timeout of a notification
	notifyGrace  = 3 * time.Second  // how long the end of the run waits for notifications in progress
	mostNotices  = 4                // at a time; others are dropped
)

// notifier notifies the user when a person is asked. It does not block anything.
type notifier struct {
	*command

	argv    []string
	env     []string
	webhook *url.URL
	bell    bool
	run     string
	number  map[string]int
	note    func(string)

	client *http.Client
	ctx    context.Context //nolint:containedctx // of notifications in progress; it ends with the run
	cancel func()
	places chan struct{}
	doing  sync.WaitGroup
}

// openNotifier reads notifyFile, before anything is carried out.
func (c *command) openNotifier() (*notifier, error) {
	n := &notifier{command: c, bell: true, places: make(chan struct{}, mostNotices), note: func(string) {}}
	dir := c.configDir()
	if c.app.scratch || dir == "" {
		return n, nil
	}
	name := filepath.Join(dir, notifyFile)
	src, err := schema.ReadBounded(c.app.fs, name, mostOfPolicy)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return nil, failf(exitError, "reading how you are notified: %w", err)
	}
	// It usually holds a secret, so only the user may be able to read it; and it runs a program.
	if err := errors.Join(c.comesAlong(c.dir), files.Private(c.app.fs, name)); err != nil {
		return nil, failf(exitError, "%s cannot be used: %w", name, err)
	}
	if err := n.read(src, name); err != nil {
		return nil, failf(exitError, "%s cannot be used: %w", name, err)
	}
	return n, nil
}

var notifySchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "command"}, {Name: "environment"}, {Name: "webhook"}, {Name: "bell"},
}}

// read parses the file. Its errors name positions and never quote the text, because an address may contain a secret.
func (n *notifier) read(src []byte, name string) error {
	file, diags := hclparse.NewParser().ParseHCL(src, name)
	if diags.HasErrors() {
		return wrongAt(diags[0].Subject, "this is not HCL")
	}
	content, diags := file.Body.Content(notifySchema)
	if diags.HasErrors() {
		return wrongAt(diags[0].Subject, "only command, environment, webhook and bell are known")
	}
	var names []string
	var webhook string
	for _, one := range []struct {
		name string
		want cty.Type
		take func(cty.Value)
	}{
		{"command", cty.List(cty.String), func(v cty.Value) { n.argv = texts(v) }},
		{"environment", cty.List(cty.String), func(v cty.Value) { names = texts(v) }},
		{"webhook", cty.String, func(v cty.Value) { webhook = v.AsString() }},
		{"bell", cty.Bool, func(v cty.Value) { n.bell = v.True() }},
	} {
		attr := content.Attributes[one.name]
		if attr == nil {
			continue
		}
		v, diags := attr.Expr.Value(nil)
		if !diags.HasErrors() {
			v, _ = convert.Convert(v, one.want)
		}
		if diags.HasErrors() || v == cty.NilVal || !v.IsWhollyKnown() || v.IsNull() || one.want.IsListType() && anyNull(v) {
			return wrongAt(&attr.Range, one.name+" must be a "+one.want.FriendlyName())
		}
		one.take(v)
	}
	if attr := content.Attributes["command"]; attr != nil && len(n.argv) == 0 {
		return wrongAt(&attr.Range, "command is the program and its arguments")
	}
	n.env = host.PlainEnvironment(n.app.env)
	for _, name := range names {
		if value, set := n.app.env(name); set && !host.IsPlain(name) {
			n.env = append(n.env, name+"="+value)
		}
	}
	if attr := content.Attributes["webhook"]; attr != nil {
		to, err := url.Parse(webhook)
		if err != nil || to.Host == "" || to.Scheme != "https" && !(to.Scheme == "http" && isLoopback(to.Hostname())) {
			return wrongAt(&attr.Range, "webhook is an address that begins with https://")
		}
		n.webhook = to
	}
	return nil
}

func isLoopback(name string) bool {
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

func wrongAt(at *hcl.Range, what string) error {
	if at == nil {
		return errors.New(what)
	}
	return fmt.Errorf("line %d: %s", at.Start.Line, what)
}

func texts(v cty.Value) []string {
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, e.AsString())
	}
	return out
}

func anyNull(v cty.Value) bool {
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); e.IsNull() {
			return true
		}
	}
	return false
}

// begin is called when a run is carried out. Notifications in progress end with the returned function, not with an
// interrupt.
func (n *notifier) begin(ctx context.Context, a *application, p view.Progress) (end func()) {
	if n == nil {
		return func() {}
	}
	n.run, n.number, n.note = a.run.ID, view.Numbers(a.plan), p.Note
	n.ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	n.client = &http.Client{
		Transport: &http.Transport{Proxy: quietly(http.ProxyFromEnvironment), DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it leads to another address, which is not followed")
		},
	}
	return n.close
}

// quietly finds a proxy. It does not show an invalid address, which may contain a password.
func quietly(find func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		proxy, err := find(r)
		if err != nil {
			return nil, errors.New("the proxy of the environment cannot be used")
		}
		return proxy, nil
	}
}

// close waits a little for notifications in progress, and then cancels them.
func (n *notifier) close() {
	ended := make(chan struct{})
	go func() { n.doing.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-n.app.clock.After(notifyGrace):
	}
	n.cancel()
	<-ended
}

// operator returns an operator that notifies the user when a person is asked, but not for a program or the sandbox's
// stand-in.
func (n *notifier) operator(o executor.Operator) executor.Operator {
	if n == nil {
		return o
	}
	switch o.(type) {
	case *terminalOperator, *onPage, nobody:
		return notifying{o, n}
	}
	return o
}

type notifying struct {
	executor.Operator

	n *notifier
}

func (o notifying) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	if ask.Attempt == 0 { // whoever answered is still there when it is asked again
		o.n.asked(ask)
	}
	return o.Operator.Perform(ctx, ask)
}

// notice is the input of a command, and the body for a webhook. Text is in our own words: names chosen by others may
// have a meaning where it is displayed.
type notice struct {
	Type    string `json:"type"`    // always person_asked
	Text    string `json:"text"`    // one line for people
	Run     string `json:"run"`     // the run
	Step    string `json:"step"`    // the step
	Number  int    `json:"number"`  // its number in the plan
	Of      int    `json:"of"`      // how many steps the plan has
	Summary string `json:"summary"` // what the step is
	Where   string `json:"where"`   // where the person goes
}

// asked notifies the user, and returns at once.
func (n *notifier) asked(ask executor.Ask) {
	if n.bell && n.app.tty.out && !n.flags.json {
		_, _ = n.out.WriteExact([]byte("\a")) // an output without a reader must not stop the run
	}
	number := n.number[ask.Step.ID]
	// Only the texts are redacted: a secret may be equal to a word of the notice itself.
	line := func(text string) string { return schema.SanitizeLine(n.redactor.String(text)) }
	doc, err := json.Marshal(notice{
		Type: "person_asked", Run: n.run, Step: line(ask.Step.ID), Number: number, Of: len(n.number),
		Text:    fmt.Sprintf("syncctl asks a person: step %d of %d of run %s", number, len(n.number), n.run),
		Summary: line(ask.Step.Summary), Where: line(ask.Step.Manual.Where),
	})
	if err != nil {
		return
	}
	doc = append(doc, '\n')
	if len(n.argv) > 0 {
		n.send("the command", func(ctx context.Context) error { return n.start(ctx, doc) })
	}
	if n.webhook != nil {
		n.send("the webhook", func(ctx context.Context) error { return n.post(ctx, doc) })
	}
}

// send makes one notification in a goroutine of its own.
func (n *notifier) send(what string, do func(context.Context) error) {
	select {
	case n.places <- struct{}{}:
	default:
		n.note("Notification dropped: earlier ones are still under way.")
		return
	}
	n.doing.Go(func() {
		defer func() { <-n.places }()
		ctx, cancel := context.WithTimeout(n.ctx, notifyWithin)
		defer cancel()
		var err error
		func() {
			defer fault.Catch(&err)
			err = do(ctx)
		}()
		if err != nil {
			n.note("Notification failed: " + what + ": " + err.Error())
		}
	})
}

// start runs the user's command in the user's configuration folder. Its output is dropped.
func (n *notifier) start(ctx context.Context, doc []byte) error {
	cmd := exec.CommandContext(ctx, n.argv[0], n.argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.WaitDelay = n.configDir(), n.env, bytes.NewReader(doc), time.Second
	if err := cmd.Run(); err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			return fmt.Errorf("it ended with exit code %d", ended.ExitCode())
		}
		return errors.New("it could not be run")
	}
	return nil
}

// keyOf returns what is secret of an address: all but the host.
func keyOf(u *url.URL) *redact.Set {
	parts := strings.FieldsFunc(u.RequestURI(), func(r rune) bool { return strings.ContainsRune("/?&=", r) })
	return redact.New("(address)", append(append(parts, u.RequestURI()), proxySecret(u)...)...)
}

// proxySecret returns what identifies the user to the proxy on the way to an address: its answer may repeat that.
func proxySecret(to *url.URL) []string {
	if to == nil {
		return nil
	}
	u, err := http.ProxyFromEnvironment(&http.Request{URL: to})
	if err != nil || u == nil || u.User == nil {
		return nil
	}
	if password, ok := u.User.Password(); ok {
		return []string{password}
	}
	return []string{u.User.Username()}
}

// post sends a notification to the webhook. Its address may be a secret, so no error shows it.
func (n *notifier) post(ctx context.Context, doc []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.webhook.String(), bytes.NewReader(doc))
	if err != nil {
		return errors.New("its address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := n.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s: %s", n.webhook.Host, keyOf(n.webhook).String(err.Error())) // an answer may repeat it
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %d", n.webhook.Host, res.StatusCode)
	}
	return nil
}
