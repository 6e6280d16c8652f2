package teamworkcloud

import (
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// leftToPerson: there is work on a machine that is not declared, which no earlier run has had done.
func (e *encrypting) leftToPerson() bool {
	if !e.recipe.Settings && len(e.f.Trust) == 0 {
		return false
	}
	var last string
	var at planner.Confirmation
	for op, c := range e.confirmed {
		if strings.HasPrefix(op, opByHand) && (last == "" || c.After(at)) {
			last, at = op, c
		}
	}
	return last != e.byHandOp() || e.rereads()
}

// byHandOp stands for all that a person is to bring about, without what is secret.
func (e *encrypting) byHandOp() string {
	k := &e.f.Keystore
	words := []string{e.recipe.Name, k.Path, k.Type, strconv.Itoa(e.f.Port.Want)}
	for _, t := range trusted(e.r) {
		words = append(words, t.Alias, t.Certificate.Fingerprint())
	}
	return opByHand + survey.Print(8, words...)
}

// handiwork is what a person does at a machine: for people, and for programs.
type handiwork struct {
	do                         []string
	properties, appended, cert []string
}

// byHandStep is the machine's part for a person: no host is declared.
func (e *encrypting) byHandStep() planner.Step {
	w := &handiwork{}
	e.settingsByHand(w)
	e.trustByHand(w)
	u := commandsOf(e.r, e.f.Server.Release)
	w.do = append(w.do, "Have everybody commit and log out, then start the services again:")
	w.do = append(w.do, append(machine.Lines(u.Stop...), machine.Lines(u.Start...)...)...)
	url := e.r.Text("url")
	return planner.Step{
		Op: e.byHandOp(), Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(u.Within), Exclusive: machine.Exclusive(e.addr()),
		Summary: fmt.Sprintf("on the machine of %s, set what encrypts synchronization, and start its services again", e.addr()),
		Because: e.recipe.Page + "; the machine is not declared (host), so a person does it",
		Args:    e.args(),
		Effect:  &planner.Effect{Change: 1},
		Undo:    "take back what was set, and start the services again",
		Manual: &planner.Manual{
			Where: "the machine of " + url + ", as somebody who may administrate it", Action: "configure_encryption", Do: w.do,
			Values: []planner.Value{
				{Name: "server", Label: "Server", Value: url},
				{Name: "properties", Label: "Of the web application", Value: strings.Join(w.properties, "\n"), Shown: shownAbove(w.properties)},
				{Name: "appended", Label: "Of Teamwork Cloud", Value: strings.Join(w.appended, "\n"), Shown: shownAbove(w.appended)},
				{Name: "trust", Label: "Certificates", Value: strings.Join(w.cert, "\n"), Shown: strings.Join(e.f.Trust, ", ")},
				{Name: "restart", Label: "Start the services again", Value: "true", Shown: "yes"},
			},
			Attest: "all of it is set as described, and the services were started again after that",
		},
	}
}

func shownAbove(lines []string) string {
	if len(lines) == 0 {
		return "nothing"
	}
	return "as above"
}

func (e *encrypting) settingsByHand(w *handiwork) {
	for _, f := range settingsOf(e.r, e.recipe, e.f.Server.Release, e.f.Port.Want) {
		if f.hocon {
			w.do = append(w.do, fmt.Sprintf("Append to the end of %s:", f.path))
		} else {
			w.do = append(w.do, fmt.Sprintf("In %s set these, each beside its comment where it is commented out. The password is that of %s; it may be written encrypted, as ENC(...).", f.path, e.f.Keystore.Addr))
		}
		for _, s := range f.want {
			line := s.key + "=" + s.value
			switch {
			case f.hocon:
				line = s.key + " = " + s.value
				w.appended = append(w.appended, line)
			case s.secret:
				line = s.key + "=(the password of " + e.f.Keystore.Addr + ")"
			default:
				w.properties = append(w.properties, line)
			}
			w.do = append(w.do, line)
		}
	}
}

func (e *encrypting) trustByHand(w *handiwork) {
	all := trusted(e.r)
	if len(all) == 0 {
		return
	}
	w.do = append(w.do, "Have these certificates trusted. Save each as the file that is named, compare its fingerprint, and run the lines:")
	for _, t := range all {
		file := t.Alias + ".pem"
		w.do = append(w.do, wording.OneLine(fmt.Sprintf("%s: %s, SHA-256 %s", file, t.Certificate.Name(), t.Certificate.Fingerprint())))
		w.do = append(w.do, e.importLines(t.Alias, file)...)
		w.cert = append(w.cert, "alias "+t.Alias, strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.Certificate.DER}))))
	}
}

// importLines are the documented ones (TWCloud2024x 137986642, MCS 247046793). keytool asks for the password.
func (e *encrypting) importLines(alias, file string) []string {
	tail := []string{"-file", file, "-alias", alias}
	var out []string
	if e.recipe.Keystore {
		out = append(out, host.Quote(append([]string{"keytool", "-import", "-keystore", filesOf(e.r, e.f.Server.Release).keystore}, tail...)))
	}
	if e.recipe.Javas {
		line := host.Quote(append([]string{"keytool", "-import", "-cacerts"}, tail...))
		out = append(out, line+"    (with the keytool of Teamwork Cloud's Java)", line+"    (with the keytool of the web application's Java)")
	}
	return out
}
