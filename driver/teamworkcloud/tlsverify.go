package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// factsOfServer reads the facts of a server's steps again: "client_tls", and "file:" with a path.
func (d *Driver) factsOfServer(ctx context.Context, server *schema.Resource, names []string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range names {
		var err error
		file, isFile := strings.CutPrefix(name, argFactFile)
		switch {
		case isFile:
			out[name], err = d.fileFact(ctx, server, file)
		case name == factPort:
			out[name], err = d.portFact(ctx, server)
		default:
			err = errors.New("it is none of a server's")
		}
		if err != nil {
			return nil, fmt.Errorf("reading fact %q: %w", name, err)
		}
	}
	return out, nil
}

func (d *Driver) fileFact(ctx context.Context, server *schema.Resource, file string) (string, error) {
	h, err := d.machine(server)
	if err != nil {
		return "", err
	}
	if h == nil {
		return "", errors.New("its machine is not declared any more")
	}
	content, _, err := readWhole(h.Files(ctx), file, mostStore)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sumFact(file, "").Value, nil
	case err != nil:
		return "", err
	}
	return sumFact(file, host.Sum(content)).Value, nil
}

func (d *Driver) portFact(ctx context.Context, server *schema.Resource) (string, error) {
	c, err := d.reader(server)
	if err != nil {
		return "", err
	}
	p := portFacts{}
	state, err := c.ClientTLS(ctx)
	switch {
	case osmc.NotAllowed(err) || osmc.IsGone(err):
	case err != nil:
		return "", err
	default:
		p = portFacts{Known: true, Enabled: state.Enabled, Port: state.Port}
	}
	return p.fact(), nil
}

// verifyServer asks the server and its machine whether the end of one of its steps is reached.
func (d *Driver) verifyServer(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	server, op := t.Resource, t.Step.Op
	switch {
	case !encrypts(server):
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s declares no sync_tls any more", server.Addr))
	case op == opEncryptedPort:
		return d.verifyPort(ctx, t)
	case strings.HasPrefix(op, opSettings), strings.HasPrefix(op, opTrust):
		return d.verifyEdited(ctx, t)
	case strings.HasPrefix(op, opByHand):
		return d.verifyByHand(ctx, t)
	case op == opPresented:
		return d.verifyPresented(ctx, t)
	}
	return executor.Unknown.Because("a server has no such step"), nil
}

// verifyPort: the server says that the port is open, and a handshake shows whose certificate it presents.
func (d *Driver) verifyPort(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	server, port := t.Resource, atLeast(t.Step.Args[argPort])
	c, err := d.reader(server)
	if err != nil {
		return executor.Verdict{}, err
	}
	state, err := c.ClientTLS(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, fmt.Errorf("reading the encrypted port of %s: %w", server.Addr, err)
	case !state.Enabled:
		return executor.NotDone.Because("the encrypted port of %s is closed", server.Addr), nil
	case state.Port != port:
		return executor.NotDone.Because("the encrypted port of %s is %d", server.Addr, state.Port), nil
	}
	store, _, err := keystore.ReadFile(ctx, d.env, keystoreOf(server))
	if errors.Is(err, keystore.ErrNoFile) || errors.As(err, new(*keystore.Error)) {
		return executor.NotDone.Because("%s: %s", keystoreOf(server).Addr, wording.OneLine(err.Error())), nil
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	seen, err := d.shakeOwnHands(ctx, server, port)
	if err != nil {
		return executor.Verdict{}, err
	}
	leaf := seen.leaf()
	switch {
	case leaf == nil && t.Executed: // whether it can be seen from here is looked at last
		return executor.Done.Because("the server says that port %d is open", port), nil
	case leaf == nil:
		return executor.NotDone.Because("port %d shows no certificate: %s", port, seen.Why), nil
	}
	if why := seen.otherThan(store); why != "" {
		return executor.NotDone.Because("port %d presents %s, %s (%s)", port, leaf.Text, why, keystoreOf(server).Addr), nil
	}
	return executor.Done.Because("%s", seen.seen()), nil
}

// otherThan says why what a port shows is none of a keystore's entries, "" if it is one.
func (p *presented) otherThan(s *keystore.Store) string {
	for _, e := range s.Entries {
		if len(e.Chain) == 0 || e.Chain[0].Fingerprint() != p.Leaf.Print {
			continue
		}
		if lacks := p.lacks(e.Chain); len(lacks) > 0 {
			return "without the certificate of " + wording.QuotedList(lacks) + ", which is in the keystore"
		}
		return ""
	}
	return "which is not in the keystore"
}

func (d *Driver) verifyEdited(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	e, err := d.editOf(t)
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	h, err := d.machine(t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	if h == nil {
		return executor.Verdict{}, executor.Final(errors.New("its machine is not declared any more"))
	}
	content, _, err := readWhole(h.Files(ctx), e.path, mostStore)
	switch {
	case isNoFile(err):
		return executor.NotDone.Because("%s: %s", e.path, wordsOf(err)), nil
	case err != nil:
		return executor.Verdict{}, err
	}
	left, err := e.left(content)
	if err != nil {
		return executor.NotDone.Because("%s: %s", e.path, wording.OneLine(err.Error())), nil
	}
	if len(left) > 0 {
		return executor.NotDone.Because("%s: %s", e.path, wording.OneLine(strings.Join(left, ", "))), nil
	}
	return executor.Done.Because("%s says so", e.path), nil
}

// verifyByHand: what a person has set on a machine that is not declared nobody else can read. That the server is up again shows.
func (d *Driver) verifyByHand(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := d.healthy(ctx, t.Resource)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	return executor.Unknown.Because("%s; what is set on its machine cannot be read", v.Why), nil
}

// verifyPresented is the proof: a handshake with the server's own port.
func (d *Driver) verifyPresented(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	server, port := t.Resource, atLeast(t.Step.Args[argPort])
	store, _, err := keystore.ReadFile(ctx, d.env, keystoreOf(server))
	if err != nil {
		return executor.Verdict{}, err
	}
	seen, err := d.shakeOwnHands(ctx, server, port)
	if err != nil {
		return executor.Verdict{}, err
	}
	leaf := seen.leaf()
	if leaf == nil {
		return executor.NotDone.Because("port %d of %s (%s, seen from %s) shows no certificate: %s", port, server.Addr, seen.Address, seen.From, seen.Why), nil
	}
	if why := seen.otherThan(store); why != "" {
		return executor.NotDone.Because("%s, %s (%s)", seen.seen(), why, keystoreOf(server).Addr), nil
	}
	v := executor.Done.Because("%s", seen.seen())
	v.Outputs = map[string]string{"fingerprint": leaf.Print}
	return v, nil
}
