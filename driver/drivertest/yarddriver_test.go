package drivertest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/crypto/ssh"
)

// yardDriver is the yard's driver. Its defect is what a test of the kit breaks in it, or "".
type yardDriver struct {
	env    driver.Env
	defect string

	mu     sync.Mutex
	within map[*schema.Resource]bool // servers with a session
	hidden bool                      // what a driver remembers beside its observations
}

func newYard(defect string) func(driver.Env) driver.Driver {
	return func(env driver.Env) driver.Driver {
		return &yardDriver{env: env, defect: defect, within: map[*schema.Resource]bool{}}
	}
}

// yardServer is what a yard's server declares.
type yardServer struct {
	URL        declare.Secret `decl:"url"`
	Password   declare.Secret `decl:"password"`
	CA         string         `decl:"ca_file"`
	SSH        string         `decl:"ssh"`
	Key        declare.Secret `decl:"key"`
	KnownHosts string         `decl:"known_hosts"`
}

// yardBox is what a box declares.
type yardBox struct {
	declare.Block
	Server   *schema.Resource `decl:"server"`
	Box      string           `decl:"box"`
	Label    string           `decl:"label"`
	Replaces string           `decl:"replaces"`
}

func boxOf(r *schema.Resource) (yardBox, error) {
	b, diags := declare.Decode[yardBox](r)
	if diags.HasErrors() {
		return *b, diags
	}
	return *b, nil
}

const (
	yardExample = "server \"yard\" \"north\" {}\n"
	boxExample  = yardExample + "\nsync \"yard\" \"a\" {\n  server = server.yard.north\n}\n"
)

func (d *yardDriver) Types() []schema.Type {
	text := func(name string, secret bool) schema.Attribute {
		return schema.Attribute{Name: name, Doc: "Some text.", Type: cty.String, Secret: secret}
	}
	return []schema.Type{
		declare.Type[yardServer](schema.Type{Kind: schema.Server, Name: "yard", Summary: "A " +
			"yard.", Example: yardExample, Body: schema.Body{
			Attributes: []schema.Attribute{
				text("url", false), text("password", true), text("ca_file", false), text("ssh", false), text("key", true),
				text("known_hosts", false),
			},
		}}, nil),
		declare.Type[yardBox](schema.Type{Kind: schema.Sync, Name: "yard", Summary: "A " +
			"box.", Example: boxExample, Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "server", Doc: "Where.", Required: true, Ref: &schema.Ref{Kind: schema.Server, Type: "yard"}},
				text("box", false), text("label", false), text("replaces", false),
			},
		}}, nil),
	}
}

// Rules returns none, as the yard's one finding is in no case of the kit.
func (d *yardDriver) Rules() []planner.Rule { return nil }

// Verbs returns those of the yard's steps.
func (d *yardDriver) Verbs() []string {
	verbs := []string{"add", "arrived", "finished", "label", "purge", "start", "stop"}
	switch d.defect {
	case "lacks a verb":
		return verbs[1:]
	case "has a verb too many":
		return append(verbs, "dance")
	}
	return verbs
}

// Close ends the sessions.
func (d *yardDriver) Close(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for server := range d.within {
		if d.defect == "keeps sessions" {
			continue
		}
		if _, err := d.send(ctx, server, http.MethodGet, "/logout"); err != nil {
			return err
		}
		delete(d.within, server)
	}
	return nil
}

func (d *yardDriver) ask(ctx context.Context, server *schema.Resource, method, path string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.within[server] {
		if _, err := d.send(ctx, server, http.MethodGet, "/login"); err != nil {
			return nil, err
		}
		d.within[server] = true
	}
	return d.send(ctx, server, method, path)
}

func (d *yardDriver) send(ctx context.Context, server *schema.Resource, method, path string) ([]byte, error) {
	y, diags := declare.Decode[yardServer](server)
	if diags.HasErrors() {
		return nil, diags
	}
	req, err := http.NewRequestWithContext(ctx, method, y.URL.Reveal()+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	password := y.Password.Reveal()
	if d.defect == "logs a secret" {
		d.env.Log.Debug("asking", "password", password)
	}
	req.SetBasicAuth("keeper", password)
	roots := x509.NewCertPool()
	ca, err := declare.Contents(d.env, nil, y.CA, "ca_file")
	if err != nil {
		return nil, err
	}
	roots.AppendCertsFromPEM(ca)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the yard answered %d", resp.StatusCode)
	}
	return b, err
}

// run runs a command on the server's machine. A code other than 0 is an error.
func (d *yardDriver) run(ctx context.Context, server *schema.Resource, command string) (string, error) {
	y, diags := declare.Decode[yardServer](server)
	if diags.HasErrors() {
		return "", diags
	}
	signer, err := ssh.ParsePrivateKey([]byte(y.Key.Reveal()))
	if err != nil {
		return "", err
	}
	_, _, host, _, _, err := ssh.ParseKnownHosts([]byte(y.KnownHosts))
	if err != nil {
		return "", err
	}
	user, address, _ := strings.Cut(y.SSH, "@")
	conn, err := ssh.Dial("tcp", address, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(host),
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	session, err := conn.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	var out bytes.Buffer
	session.Stdout = &out
	err = session.Run(command)
	return out.String(), err
}

// yardState is the observation of a server and its machine.
type yardState struct {
	Boxes   map[string]string `json:"boxes"`
	Running bool              `json:"running"`
}

func (d *yardDriver) look(ctx context.Context, server *schema.Resource) (yardState, error) {
	var s yardState
	b, err := d.ask(ctx, server, http.MethodGet, "/boxes/")
	if err != nil {
		return s, err
	}
	if s.Boxes, err = d.boxes(b); err != nil {
		return s, err
	}
	if d.defect == "looking changes" {
		if _, err := d.run(ctx, server, "service drain"); err != nil {
			return s, err
		}
	}
	out, err := d.run(ctx, server, "service status")
	s.Running = strings.Contains(out, "true")
	return s, err
}

// unlabelled stands for the label of a box whose label the yard does not tell, in a driver that trusts silence.
const unlabelled = "?"

// boxes reads the yard's list: name -> label.
func (d *yardDriver) boxes(answer []byte) (map[string]string, error) {
	var list struct {
		Boxes *[]struct{ Name, Label *string }
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	if list.Boxes == nil {
		return nil, errors.New("the yard does not list its boxes")
	}
	out := map[string]string{}
	for _, b := range *list.Boxes {
		switch {
		case b.Name != nil && b.Label != nil:
			out[*b.Name] = *b.Label
		case b.Name != nil && d.defect == "trusts silence":
			out[*b.Name] = unlabelled
		default:
			return nil, errors.New("the yard does not tell a box's name or label")
		}
	}
	return out, nil
}

func (d *yardDriver) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	if r.Addr.Kind == schema.Server {
		return nil, nil
	}
	b, err := boxOf(r)
	if err != nil {
		return nil, hcl.Diagnostics{b.Problem("Cannot plan", err.Error())}
	}
	return []planner.Need{{Server: b.Server.Addr.String(), What: "boxes"}}, nil
}

// Examine implements driver.Doctor.
func (d *yardDriver) Examine(ctx context.Context, server *schema.Resource,
	_ []*schema.Resource) []driver.Examination {
	_, err := d.look(ctx, server)
	if d.defect == "examining changes" && err == nil {
		_, err = d.run(ctx, server, "service drain")
	}
	if err != nil {
		return []driver.Examination{{What: driver.WhatReached, State: driver.Fail, Seen: err.Error(), Advice: "See there."}}
	}
	return []driver.Examination{{What: driver.WhatReached, State: driver.OK, Seen: "it answers"}}
}

func (d *yardDriver) Observe(ctx context.Context, server *schema.Resource, _ planner.Need) (any, error) {
	s, err := d.look(ctx, server)
	if d.defect == "observes a secret" && err == nil {
		s.Boxes[yardPassword] = ""
	}
	d.hidden = d.defect == "remembers"
	return &s, err
}

func (d *yardDriver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	r := c.Resource
	if r.Addr.Kind == schema.Server {
		return planner.Outline{Action: planner.NoChange}, nil
	}
	b, err := boxOf(r)
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{b.Problem("Cannot plan", err.Error())}
	}
	s, err := planner.Observed[yardState](c.Seen, planner.Need{Server: b.Server.Addr.String(), What: "boxes"})
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{b.Problem("Cannot plan", err.Error())}
	}
	actual := cty.ObjectVal(map[string]cty.Value{"label": cty.StringVal(s.Boxes[b.Box])})
	if s.Boxes[b.Box] == b.Label && s.Boxes[b.Replaces] == "" && s.Running {
		return planner.Outline{Action: planner.NoChange, Actual: actual}, nil
	}
	if b.Label == "forbidden" {
		return planner.Outline{Action: planner.Update, Actual: actual, Findings: []planner.Finding{
			{Rule: "yard/label", Severity: planner.Refuse, Summary: "no box may say so", Detail: "Choose another label."},
		}}, nil
	}
	servers := []string{b.Server.Addr.String()}
	if d.defect == "names no server" {
		servers = nil
	}
	because := "it is to move"
	if d.hidden {
		because = "something is remembered"
	}
	id := func(op string) string { return planner.StepID(r.Addr.String(), op) }
	step := func(op string, mark planner.Mark, repeat planner.Repeat, needs ...string) planner.Step {
		s := planner.Step{Op: op, Mark: mark, Repeat: repeat, Summary: op + " it", Because: because, Servers: servers}
		for _, n := range needs {
			s.Needs = append(s.Needs, id(n))
		}
		return s
	}
	label := step("label", planner.MarkPerson, planner.CheckFirst, "add")
	label.Manual = &planner.Manual{Where: "the yard", Do: []string{"Label it."}, Action: "label",
		Values: []planner.Value{
			{Name: "box", Label: "Box", Value: b.Box}, {Name: "text", Label: "Text", Value: b.Label},
		}}
	purge := step("purge", planner.MarkFinal, planner.Once, "stop")
	purge.Guards = []string{id("arrived")}
	purge.Effect = &planner.Effect{Destroy: 1, Irreversible: true, Loses: "the box"}
	purge.Facts = []planner.Fact{{Name: "old", Value: "there"}}
	start := step("start", planner.MarkChange, planner.Idempotent, "purge")
	start.Guards = []string{id("arrived")}
	return planner.Outline{Action: planner.Update, Actual: actual, Steps: []planner.Step{
		step("add", planner.MarkAdd, planner.CheckFirst), label,
		step("arrived", planner.MarkCheck, planner.Idempotent, "label"),
		step("stop", planner.MarkChange, planner.CheckFirst, "arrived"), purge, start,
		step("finished", planner.MarkCheck, planner.Idempotent, "start"),
	}}, nil
}

func (d *yardDriver) Facts(ctx context.Context, r *schema.Resource, _ []string) (map[string]string, error) {
	b, err := boxOf(r)
	if err != nil {
		return nil, err
	}
	s, err := d.look(ctx, b.Server)
	if err != nil || s.Boxes[b.Replaces] == "" {
		return nil, err
	}
	return map[string]string{"old": "there"}, nil
}

func (d *yardDriver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	b, err := boxOf(t.Resource)
	if err != nil {
		return executor.Result{}, err
	}
	server := b.Server
	var commands []string
	switch t.Step.Op {
	case "add":
		_, err := d.ask(ctx, server, http.MethodPut, "/boxes/"+b.Box)
		return executor.Result{}, err
	case "stop":
		commands = []string{"service drain", "service stop"}
	case "purge":
		commands = []string{"purge " + b.Replaces}
		if d.defect == "secret in a command" {
			commands[0] += " --password=" + yardPassword
		}
	case "start":
		commands = []string{"service start"}
	}
	for _, c := range commands {
		_, err := d.run(ctx, server, c)
		if err != nil && d.defect == "repeats commands" {
			_, err = d.run(ctx, server, c)
		}
		if err != nil && d.defect != "trusts commands" {
			return executor.Result{}, err
		}
	}
	return executor.Result{}, nil
}

func (d *yardDriver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	b, err := boxOf(t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	s, err := d.look(ctx, b.Server)
	if err != nil {
		return executor.Verdict{}, err
	}
	box, old := s.Boxes[b.Box], s.Boxes[b.Replaces]
	done := map[string]bool{
		"add": box != "", "label": box == b.Label, "arrived": box == b.Label,
		"stop": !s.Running || t.IsDone("purge"), "purge": old == "", "start": s.Running, "finished": s.Running &&
			old == "" && box == b.Label,
	}[t.Step.Op]
	looksAtLabel := t.Step.Op == "label" || t.Step.Op == "arrived"
	if d.defect == "trusts commands" && t.Executed || looksAtLabel && box == unlabelled {
		done = true
	}
	v := executor.Verdict{State: executor.NotDone, Why: fmt.Sprintf("boxes %v, running: %v", s.Boxes, s.Running)}
	if done {
		v.State = executor.Done
	} else if t.Step.Op == "arrived" {
		err = executor.Final(fmt.Errorf("the label is %q", box))
	}
	return v, err
}
