package teamworkcloud

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// verifySecured is the proof: a handshake with the port of each end, from where the other one stands, verified by whom it trusts.
func (d *Driver) verifySecured(ctx context.Context, sync *survey.Sync) (executor.Verdict, error) {
	v := executor.Verdict{State: executor.Done, Outputs: map[string]string{}}
	var seen []string
	for _, end := range []string{atSource, atTarget} {
		server, viewer := sync.Source, sync.Target
		if end == atTarget {
			server, viewer = sync.Target, sync.Source
		}
		if !encrypts(server) {
			continue
		}
		shown, problems, by, err := d.prove(ctx, server, viewer)
		switch {
		case isUnusable(err):
			return executor.NotDone.Because("whom %s trusts cannot be read: %s", viewer.Addr, wording.OneLine(err.Error())), nil
		case err != nil:
			return executor.Verdict{}, err
		case shown.leaf() == nil:
			return executor.NotDone.Because("%s of %s shows no certificate to %s: %s", shown.Address, server.Addr, shown.From, shown.Why), nil
		case len(problems) > 0:
			var why []string
			for _, p := range problems {
				why = append(why, p.Summary)
			}
			return executor.NotDone.Because("%s; %s does not accept it: %s", shown.seen(), viewer.Addr, wording.OneLine(strings.Join(why, "; "))), nil
		}
		seen = append(seen, fmt.Sprintf("%s; trusted by %s", shown.seen(), by))
		v.Outputs["fingerprint."+end] = shown.leaf().Print
	}
	v.Why = wording.OneLine(strings.Join(seen, "; "))
	return v, nil
}

// prove shakes hands with a server as another one will, and verifies by what that one trusts now.
func (d *Driver) prove(ctx context.Context, server, viewer *schema.Resource) (shown *presented, problems []problemFacts, by string, err error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, nil, "", err
	}
	facts, err := survey.ReadServer(ctx, c, connect.Declared(server))
	if err != nil {
		return nil, nil, "", err
	}
	vc, err := d.reader(viewer)
	if err != nil {
		return nil, nil, "", err
	}
	_, release, err := vc.Version(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	views, err := d.trustsOf(ctx, viewer, release, false)
	if err != nil {
		return nil, nil, "", err
	}
	name, _ := connect.Declared(server).Peer()
	if shown, err = d.shakeHands(ctx, viewer, net.JoinHostPort(name, otherPort(server, connect.Declared(server).EncryptedPort(facts.TLSPort))), name); err != nil {
		return nil, nil, "", err
	}
	if shown.leaf() == nil {
		return shown, nil, "", nil
	}
	var whose []string
	for _, t := range views {
		whose = append(whose, t.Whose)
	}
	var declared [][]keystore.Certificate
	if s, _, err := keystore.Declared(keystoreOf(server)); err == nil {
		for _, one := range s.Entries {
			declared = append(declared, one.Chain)
		}
	}
	return shown, mistrusted(views, shown.Chain, name, d.env.Now(), declared), strings.Join(whose, " and "), nil
}
