package share

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var configure = driver.Verb[*Sharing]{Name: VerbConfigure, Verify: (*Sharing).verifyConfigured}

// ConfigureStep returns the step in which a person creates a configuration. The only documented interface for remote
// resource configurations is the page, whose fields are listed in their order.
func (p *Plan) ConfigureStep(s *Standing) planner.Step {
	because := "it does not exist, and only the web page creates it (" + WizardPage + ")"
	switch {
	case s.Again:
		because = madeAgain
	case s.Replaces && s.Appeared > 0:
		because = "the existing one has other values, and a configuration cannot be edited"
	case s.Unconfigured:
		because = "the previous one was removed"
	case s.Asked:
		because = "an earlier run had it created, and nothing has arrived"
	}
	step := planner.Step{
		Op: s.Op, Verb: VerbConfigure, Servers: p.servers(), Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Within: min(planner.Duration(p.Sync.Within()), planner.Duration(configuredWithin)), Exclusive: p.page(),
		Summary: fmt.Sprintf("on %s, create the remote resource configuration of %s %q of %s: into %q, %s",
			p.Facts.Target.Addr, s.Kind, s.Path, p.Facts.Source.Addr, p.Facts.Category.Path, p.triggerWords()),
		Because: because,
		Args:    map[string]string{"key": s.Key(), "seen": strconv.FormatBool(s.Appeared > 0)},
		Facts:   p.releaseFacts(atSource, atTarget),
		Manual:  p.wizard(s),
		Effect:  &planner.Effect{Add: 1},
		Undo:    "delete the configuration, and with it the copies or not, on the same page",
	}
	if s.Appeared > 0 || p.Sync.Trigger != survey.EveryCommit || len(s.Expected()) == 0 { // the servers will not show it
		step.Manual.Attest = fmt.Sprintf("the configuration of %s %q is there exactly as described", s.Kind, s.Path)
	}
	return p.compares(step)
}

// configuredWithin is how long a configuration may take until something arrives: several may be in the queue.
const configuredWithin = 5 * time.Minute

func (p *Plan) triggerWords() string {
	switch p.Sync.Trigger {
	case survey.CommitTag:
		return fmt.Sprintf("on commits tagged %q", p.Sync.Tag)
	case survey.Manual:
		return "by hand"
	}
	return "on every new commit"
}

// wizard describes the page's dialogue (the order of its fields is that since 2022x; the switch for TLS exists since
// 2024x Refresh1).
func (p *Plan) wizard(s *Standing) *planner.Manual {
	address, encrypted := p.SourceAddress()
	user := p.Facts.Source.User
	trigger := map[string]string{
		survey.EveryCommit: "On every new commit", survey.CommitTag: "On specific commit tag", survey.Manual: "Manual",
	}[p.Sync.Trigger]
	m := &planner.Manual{
		Where: p.where(), Action: "create_configuration",
		Do: []string{
			fmt.Sprintf("Log in as %s. If the list has a configuration of this %s with these values already, leave it as "+
				"it is and come back.", p.Facts.Target.User, s.Kind),
			"Press + and enter the source's address, user name and password.",
		},
		Values: []planner.Value{
			{Name: "target", Label: "Target server", Value: p.Sync.TargetServer().URL.String()},
			{Name: "source_address", Label: "Source Teamwork Cloud address", Value: address},
			{Name: "username", Label: "Username", Value: user},
			{Name: "password", Label: "Password", Value: fmt.Sprintf("the password of %s on %s", user, p.Facts.Source.Addr)},
		},
	}
	if !p.oldTarget() {
		m.Do = append(m.Do, fmt.Sprintf("Switch Use Secure Connection (TLS) %s.", onOff(encrypted)))
		m.Values = append(m.Values, planner.Value{Name: "tls", Label: "Use Secure Connection (TLS)",
			Value: strconv.FormatBool(encrypted), Shown: onOff(encrypted)})
	}
	m.Do = append(m.Do, fmt.Sprintf("Select the %s alone, then the target category and the synchronization trigger, "+
		"and press Create: it makes one configuration for each selected resource or category.", s.Kind))
	item, category := s.ID, p.Facts.Category.ID
	if item == "" {
		item = s.Path // it gets its ID when the hop before this one creates it
	}
	if category == "" {
		category = p.Facts.Category.Path
	}
	m.Values = append(m.Values,
		planner.Value{Name: "kind", Label: "Select", Value: s.Kind, Shown: "a " + s.Kind},
		planner.Value{Name: "item_name", Label: strings.ToUpper(s.Kind[:1]) + s.Kind[1:], Value: s.Name, Shown: s.Path},
		planner.Value{Name: "item", Label: "Its id", Value: item},
		planner.Value{Name: "target_category", Label: "Target category", Value: category, Shown: p.Facts.Category.Path},
		planner.Value{Name: "trigger", Label: "Synchronization trigger", Value: p.Sync.Trigger, Shown: trigger},
	)
	if tag := p.Sync.Tag; tag != "" {
		m.Values = append(m.Values, planner.Value{Name: "tag", Label: "Commit tag", Value: tag})
	}
	return m
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// configuration returns a fingerprint of the values in a remote resource configuration. It depends only on the
// declaration: it stays the same if a server is updated or a category gets its ID.
func (p *Plan) configuration() string {
	host, port := p.Sync.SourceServer().Peer()
	tls := ""
	switch encrypted := p.isEncrypted(); {
	case p.Sync.TLS != nil:
		tls = strconv.FormatBool(*p.Sync.TLS)
	case encrypted && p.Sync.SourceServer().SyncTLS != nil:
		tls = "true"
	}
	return survey.Print(6, host, port, p.Facts.Source.User, tls, p.Sync.TargetCategory, p.Sync.Trigger, p.Sync.Tag)
}

// SourceAddress returns the address that the wizard asks for first, and whether the connection is encrypted. Before
// 2024x Refresh1 the wizard also needs the port (MCS2022xR1, Creating remote resource configurations). Later releases
// use the target's own port for encrypted clients if none is given (seed). ASSUMED: they do the same without
// encryption, so a port that differs is given.
func (p *Plan) SourceAddress() (address string, encrypted bool) {
	host, port := p.Sync.SourceServer().Peer()
	encrypted = p.isEncrypted()
	src, tgt := &p.Facts.Source, &p.Facts.Target
	if port == "" && !encrypted && (p.oldTarget() || src.Ports && tgt.Ports && src.PlainPort != tgt.PlainPort) {
		port = strconv.Itoa(cmp.Or(src.PlainPort, connect.PlainPort))
	}
	if port == "" {
		return host, encrypted
	}
	return net.JoinHostPort(host, port), encrypted
}

// verifyConfigured looks for what the configuration brings, because no interface shows the configuration itself. If
// something was there before, or the configuration brings nothing by itself, only the person can tell.
func (w *Sharing) verifyConfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	f, err := w.copies(ctx, time.Time{})
	if err != nil {
		return executor.Verdict{}, err
	}
	at := slices.IndexFunc(f.Items, func(i survey.Item) bool { return i.Key() == t.Step.Args["key"] })
	if at < 0 {
		return executor.NotDone.Because("what is to be configured is not selected any more"), nil
	}
	item := &f.Items[at]
	if item.Problem != "" {
		return executor.NotDone.Because("%s", item.Problem), nil
	}
	appeared, expected := tally(item)
	switch {
	case t.Step.Args["seen"] == "true":
		return executor.Unknown.Because("some of it was on %s before, so nothing shows whether there is a configuration "+
			"for it", f.Target.Addr), nil
	case appeared > 0 && item.Kind == survey.KindResource:
		return executor.Done.Because("resource %q is on %s", item.Path, f.Target.Addr), nil
	case appeared > 0:
		return executor.Done.Because("%d of %s of category %q on %s", appeared, wording.Plural(expected, "resource"),
			item.Path, f.Target.Addr), nil
	case w.Sync.Trigger != survey.EveryCommit:
		return executor.Unknown.Because("nothing of it has come to %s; with this trigger it need not yet",
			f.Target.Addr), nil
	case expected == 0:
		return executor.Unknown.Because("there is nothing yet that could come to %s", f.Target.Addr), nil
	}
	return executor.NotDone.Because("nothing of %s %q has come to %s yet: its status on the page says whether it is "+
		"In queue, or why there is an Error", item.Kind, item.Path, f.Target.Addr), nil
}

// tally counts the resources of an item that have arrived, and those that can arrive. Whether they are complete is
// verified by the next step.
func tally(s *survey.Item) (appeared, expected int) {
	for i := range s.Resources {
		r := &s.Resources[i]
		if r.Target.Exists && !r.Target.Removed {
			appeared++
		}
		if r.Readable && !r.Coming {
			expected++
		}
	}
	return appeared, expected
}

// isEncrypted reports whether the target connects to the source with encryption.
func (p *Plan) isEncrypted() bool { return IsEncrypted(p.Sync, &p.Facts.Source) }

// IsEncrypted reports whether the target of a synchronization connects to the source with encryption.
func IsEncrypted(s *survey.Sync, source *survey.Server) bool {
	if s.TLS != nil {
		return *s.TLS
	}
	server := s.SourceServer()
	_, port := server.Peer()
	if server.SyncTLS != nil {
		return port == "" || port == strconv.Itoa(server.EncryptedPort(source.TLSPort))
	}
	return port != "" && source.TLSPort != 0 && port == strconv.Itoa(source.TLSPort)
}
