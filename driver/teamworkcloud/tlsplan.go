package teamworkcloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The verbs of a server, in their order.
const (
	opEncryptedPort = "encrypted_port" //
	opSettings      = "settings_"      // + the file's name
	opTrust         = "trust_"         // + which store
	opByHand        = "by_hand_"       // + what it is about: a person does the machine's part, where no host is declared
	opPresented     = "presented"      //

	atServer    = "server" // the end that a server's own idle_, stop_ and start_ are about
	argFile     = "file"
	argPort     = "port"
	argFactFile = "file:" // + path: SHA-256 of the file, or absent
	factPort    = "client_tls"
)

// encrypting is a server's encryption beside what is there.
type encrypting struct {
	r         *schema.Resource
	f         *encryptionFacts
	recipe    recipe
	confirmed map[string]planner.Confirmation
	l         *planner.Sequence
	out       []planner.Finding
}

func newEncrypting(r *schema.Resource, f *encryptionFacts, confirmed map[string]planner.Confirmation) *encrypting {
	e := &encrypting{r: r, f: f, confirmed: confirmed, l: &planner.Sequence{Addr: r.Addr.String()}}
	e.recipe, _ = recipeFor(r, f.Server.Release)
	return e
}

// planServer brings a server's encryption to what is declared.
func (d *Driver) planServer(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	if !encrypts(c.Resource) {
		return planner.Outline{Action: planner.NoChange}, nil
	}
	v := survey.NewView(c.Seen)
	f := d.lookAtEncryption(v, connect.Declared(c.Resource))
	if err := v.Err(); err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(c.Resource, "Cannot plan", err.Error())}
	}
	e := newEncrypting(c.Resource, f, c.Confirmed)
	if e.recipe.Name != "" {
		e.steps()
	}
	e.findings()
	for i := range e.l.Steps {
		if s := &e.l.Steps[i]; len(s.Servers) == 0 {
			s.Servers = []string{e.addr(), keystoreOf(e.r).Addr.String()}
		}
	}
	out := planner.Outline{Action: planner.Update, Steps: e.l.Steps, Findings: e.out}
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out, nil
}

// steps follow the vendor's order: the port first, then what connects to it, then the services start anew, once.
func (e *encrypting) steps() {
	if e.uploads() {
		e.l.Then(e.portStep())
	}
	switch {
	case e.f.Machine != "":
		e.machineSteps()
	case e.leftToPerson():
		e.l.Then(e.byHandStep())
	}
	if len(e.l.Steps) > 0 {
		e.l.Then(e.presentedStep())
	}
}

// uploads: the port is not open, or presents another certificate than one of the keystore's.
func (e *encrypting) uploads() bool {
	p := &e.f.Port
	return !p.Enabled || p.Port != p.Want || e.certificate() == presentsOther
}

// What the port presents.
const (
	presentsOwn   = "own"   // a certificate of the keystore
	presentsOther = "other" // another one, or none
)

// certificate tells whether the port presents one of the keystore's certificates, "" where nothing shows it.
func (e *encrypting) certificate() string {
	prints := e.f.Keystore.prints()
	switch leaf := e.f.Port.Shown.leaf(); {
	case len(prints) == 0:
		return presentsOther // it is only to be made
	case leaf != nil && slices.Contains(prints, leaf.Print) && len(e.f.Port.Lacks) == 0:
		return presentsOwn
	case leaf != nil:
		return presentsOther
	case len(e.f.Port.Uploaded) == 0:
		return ""
	case slices.ContainsFunc(e.f.Port.Uploaded, func(u string) bool { return slices.Contains(prints, u) }):
		return presentsOwn
	}
	return presentsOther
}

// rereads: the web application reads its keystore when it starts, and that is to change.
func (e *encrypting) rereads() bool { return e.recipe.Settings && len(e.f.Keystore.Pending) > 0 }

// changes: something is to change, at the server or on its machine.
func (e *encrypting) changes() bool { return e.uploads() || e.rereads() || len(e.edits()) > 0 }

// edits are the steps that change files on the machine.
func (e *encrypting) edits() []planner.Step {
	var edits []planner.Step
	for i := range e.f.Files {
		if f := &e.f.Files[i]; f.Problem == "" && len(f.changes()) > 0 {
			edits = append(edits, e.settingsStep(f))
		}
	}
	for i := range e.f.Stores {
		if s := &e.f.Stores[i]; s.Problem == "" && len(s.Missing) > 0 {
			edits = append(edits, e.trustStep(s))
		}
	}
	return edits
}

// machineSteps edit what has to be edited and start the services again, once, whatever it was.
func (e *encrypting) machineSteps() {
	edits := e.edits()
	e.l.Then(edits...)
	if len(edits) == 0 && !e.rereads() {
		return
	}
	w := windowOf(e.r, atServer, e.f.Server.Release)
	if (len(e.f.In.Users) > 0 || !e.f.In.Known) && !isTrue(e.r, "sync_tls", "allow_logged_in") {
		e.l.Then(w.AnnounceStep(e.f.In))
	}
	e.l.Then(e.idleStep(w))
	what := "settings and trust stores are read when they start"
	if len(edits) == 0 {
		what = "the web application reads the keystore when it starts"
	}
	stop, start := w.StopStep(what), w.StartStep(what)
	stop.Args, stop.Guards = e.args(), []string{e.l.ID(opIdle + atServer)}
	start.Args = e.args()
	e.l.Then(stop)
	e.l.Then(start)
}

// args are what a step at the machine needs beyond the declaration: a server that stands still cannot be asked for its version.
func (e *encrypting) args() map[string]string {
	args := map[string]string{argRelease: "", argPort: strconv.Itoa(e.f.Port.Want)}
	if !e.f.Server.Release.IsZero() {
		args[argRelease] = e.f.Server.Release.String()
	}
	return args
}

func (e *encrypting) addr() string { return e.r.Addr.String() }

// portFact is how the port stands, in one word.
func (p *portFacts) fact() string {
	switch {
	case !p.Known:
		return "not shown"
	case !p.Enabled:
		return "off"
	}
	return "on:" + strconv.Itoa(p.Port)
}

func (e *encrypting) portStep() planner.Step {
	p := &e.f.Port
	s := planner.Step{
		Op: opEncryptedPort, Mark: planner.MarkAdd, Repeat: planner.CheckFirst, Within: planner.Duration(time.Minute), Exclusive: []string{"the encrypted port of " + e.addr()},
		Summary: fmt.Sprintf("open the encrypted port %d of %s, with the certificate of %s", p.Want, e.addr(), e.f.Keystore.Addr),
		Because: "it is closed, and encrypted clients, other servers among them, connect to it",
		Args:    e.args(),
		Facts:   []planner.Fact{{Name: factPort, Value: p.fact()}},
		Effect:  &planner.Effect{Add: 1},
		Undo:    "close it again in Settings, Server settings",
	}
	if !p.Enabled {
		return s
	}
	s.Mark, s.Effect, s.Undo = planner.MarkChange, &planner.Effect{Change: 1}, "give it its former keystore and port again in Settings, Server settings"
	if p.Port != p.Want {
		s.Summary = fmt.Sprintf("move the encrypted port of %s from %d to %d, with the certificate of %s", e.addr(), p.Port, p.Want, e.f.Keystore.Addr)
		s.Because = "it is declared so"
		return s
	}
	s.Summary = fmt.Sprintf("give the encrypted port %d of %s the certificate of %s", p.Want, e.addr(), e.f.Keystore.Addr)
	s.Because = "it presents another one"
	if leaf := p.Shown.leaf(); leaf != nil {
		s.Because = "it presents " + leaf.Text
		if len(p.Lacks) > 0 {
			s.Because += ", without the certificate of " + wording.QuotedList(p.Lacks)
		}
	}
	return s
}

func sumFact(path, sum string) planner.Fact {
	if sum == "" {
		return planner.Fact{Name: argFactFile + path, Value: "absent"}
	}
	return planner.Fact{Name: argFactFile + path, Value: "sha256:" + sum}
}

func (e *encrypting) settingsStep(f *fileFacts) planner.Step {
	name := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
	var what, why []string
	for _, v := range f.changes() {
		what = append(what, v.Key+" = "+v.Want)
		why = append(why, v.stands())
	}
	args := e.args()
	args[argFile] = f.Path
	return planner.Step{
		Op: opSettings + strings.Map(verbRune, strings.ToLower(name)), Mark: planner.MarkChange, Repeat: planner.CheckFirst, Exclusive: machine.Exclusive(e.addr()),
		Summary: wording.OneLine(fmt.Sprintf("in %s on %s set %s", f.Path, e.f.Machine, strings.Join(what, ", "))),
		Because: wording.OneLine(e.recipe.Page + "; now " + strings.Join(why, ", ")),
		Args:    args,
		Facts:   []planner.Fact{sumFact(f.Path, f.Sum)},
		Effect:  &planner.Effect{Change: 1},
		Undo:    "put the backup in its place that is beside it, named by the time, and start the services again",
	}
}

// stands says where a value stands and what it is.
func (v *valueFact) stands() string {
	switch {
	case v.Line == 0:
		return v.Key + " is not set"
	case v.Secret:
		return fmt.Sprintf("%s in line %d is another", v.Key, v.Line)
	}
	return fmt.Sprintf("%s in line %d is %q", v.Key, v.Line, v.Have)
}

// verbRune keeps what may be in a verb.
func verbRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

func (e *encrypting) trustStep(s *storeFacts) planner.Step {
	var what []string
	for _, t := range trusted(e.r) {
		if slices.Contains(s.Missing, t.Alias) {
			what = append(what, fmt.Sprintf("%q (%s)", t.Alias, t.Certificate))
		}
	}
	args := e.args()
	args[argFile] = s.Path
	return planner.Step{
		Op: opTrust + survey.Print(8, s.Path), Mark: planner.MarkChange, Repeat: planner.CheckFirst, Exclusive: machine.Exclusive(e.addr()),
		Summary: wording.OneLine(fmt.Sprintf("in %s on %s trust %s", s.Path, e.f.Machine, strings.Join(what, ", "))),
		Because: e.recipe.Page + ": a certificate of an authority of one's own, or a self-signed one, is put where Java looks for whom it trusts",
		Args:    args,
		Facts:   []planner.Fact{sumFact(s.Path, s.Sum)},
		Effect:  &planner.Effect{Change: 1},
		Undo:    "put the backup in its place that is beside it, named by the time, and start the services again",
	}
}

func (e *encrypting) idleStep(w *machine.Window) planner.Step {
	people := "nobody else is logged in to " + e.addr()
	switch {
	case isTrue(e.r, "sync_tls", "allow_logged_in"):
		people = fmt.Sprintf("%s answers; who is logged in is cut off (%s now)", e.addr(), e.f.In.Count())
	case e.f.In.Known:
		people += fmt.Sprintf(" (%s now)", e.f.In.Count())
	}
	s := w.IdleStep(people)
	s.Args = e.args()
	return s
}

func (e *encrypting) presentedStep() planner.Step {
	return planner.Step{
		Op: opPresented, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(2 * time.Minute),
		Summary: fmt.Sprintf("port %d of %s presents a certificate of %s in a TLS handshake", e.f.Port.Want, e.addr(), e.f.Keystore.Addr),
		Because: "what the server says of itself is not what others get to see",
		Args:    e.args(),
	}
}
