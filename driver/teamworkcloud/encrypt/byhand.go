package encrypt

import (
	"context"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// byHand has a person do the work on the machine if no machine is declared.
var byHand = driver.Verb[*Encryption]{Name: "by_hand", Verify: (*Encryption).verifyByHand}

// byHandOp returns the name of the step, with a fingerprint of everything the person has to set, except secrets.
func (s *state) byHandOp() string {
	words := []string{s.recipe.Name, s.keystore.path, s.keystore.format.Java(), strconv.Itoa(s.want)}
	for _, t := range s.trust {
		words = append(words, t.Alias, t.Certificate.Fingerprint())
	}
	return byHand.Name + "_" + survey.Print(8, words...)
}

// instructions tell people, and programs, what to do on a machine.
type instructions struct {
	do                                 []string
	script                             machine.Script
	properties, appended, certificates []string
}

func (s *state) byHandStep() planner.Step {
	i := &instructions{}
	s.settingsByHand(i)
	s.trustByHand(i)
	c := machine.CommandsFor(s.server, s.about.Release)
	i.do = append(i.do, "Have everybody commit and log out, then run the commands. The last ones start the services "+
		"again.")
	i.script.Note("start the services again")
	i.script.Run(c.Stop...)
	i.script.Run(c.Start...)
	url := s.server.URL.String()
	var aliases []string
	for _, t := range s.trust {
		aliases = append(aliases, t.Alias)
	}
	step := planner.Person(s.byHandOp(), fmt.Sprintf(
		"on the machine of %s, make the settings that encrypt synchronization, and start its services again", s.addr()),
		planner.Manual{
			Where: "the machine of " + url + ", as somebody who may administrate it", Action: "configure_encryption", Do: i.do,
			Commands: i.script,
			Values: []planner.Value{
				{Name: "server", Label: "Server", Value: url},
				{Name: "properties", Label: "Of the web application", Value: strings.Join(i.properties, "\n"),
					Shown: above(i.properties)},
				{Name: "appended", Label: "Of Teamwork Cloud", Value: strings.Join(i.appended, "\n"), Shown: above(i.appended)},
				{Name: "trust", Label: "Certificates", Value: strings.Join(i.certificates, "\n"),
					Shown: strings.Join(aliases, ", ")},
				{Name: "restart", Label: "Start the services again", Value: "true", Shown: "yes"},
			},
			Attest: "all of it is set as described, and the services were started again after that",
		})
	step.Verb, step.Servers, step.Exclusive = byHand.Name, []string{s.addr()}, machine.Exclusive(s.addr())
	step.Because = s.recipe.Page + "; the machine is not declared (host), so a person does it"
	step.Within, step.Args, step.Effect = planner.Duration(c.Within), s.args(), &planner.Effect{Change: 1}
	step.Undo = "take the settings back, and start the services again"
	return step
}

func above(lines []string) string {
	if len(lines) == 0 {
		return "nothing"
	}
	return "as above"
}

func (s *state) settingsByHand(i *instructions) {
	for _, f := range settingsOf(s.server, s.recipe, s.about.Release, s.want) {
		if f.hocon {
			i.do = append(i.do, fmt.Sprintf("Append to the end of %s:", f.path))
		} else {
			i.do = append(i.do, fmt.Sprintf(
				"In %s set these, each next to its comment where it is commented out. The password is that of %s; it may be "+
					"written encrypted, as ENC(...).", f.path, s.keystore.addr))
		}
		for _, want := range f.want {
			line := want.key + "=" + want.value
			switch {
			case f.hocon:
				line = want.key + " = " + want.value
				i.appended = append(i.appended, line)
			case want.secret != "":
				line = want.key + "=(the password of " + want.secret + ")"
			default:
				i.properties = append(i.properties, line)
			}
			i.do = append(i.do, line)
		}
	}
}

func (s *state) trustByHand(i *instructions) {
	if len(s.trust) == 0 {
		return
	}
	i.do = append(i.do,
		"Save these certificates in the files named here, and compare their fingerprints. The commands add them to the "+
			"trust stores; keytool asks for the password:")
	if s.recipe.Javas {
		i.do = append(i.do, "Set TWC_JAVA and WEBAPP_JAVA, in the shell that runs the commands, to the folders of the "+
			"Javas "+
			"of Teamwork Cloud and of the web application: without them the commands refuse to run.")
	}
	if s.recipe.Settings {
		i.do = append(i.do, "The vendor's page names the operating system's path as well: have the operating system of the "+
			"machine trust those that no public authority has signed, as its own documents describe.")
	}
	for _, t := range s.trust {
		file := t.Alias + ".pem"
		i.do = append(i.do, wording.OneLine(fmt.Sprintf(
			"%s: %s, SHA-256 %s", file, t.Certificate.Name(), t.Certificate.Fingerprint())))
		s.importBy(&i.script, t.Alias, file)
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.Certificate.DER})
		i.certificates = append(i.certificates, "alias "+t.Alias, strings.TrimSpace(string(block)))
	}
}

// importBy adds the documented commands (TWCloud2024x 137986642, MCS 247046793). If both Javas get a certificate, each
// has its own keytool, and their folders are unknown: the shell stops at a variable that is not set.
func (s *state) importBy(script *machine.Script, alias, file string) {
	tail := []string{"-file", file, "-alias", alias}
	script.Note("trust the certificate %s", alias)
	if s.recipe.Keystore {
		into := placesOf(s.server, s.about.Release).keystore
		script.Run(append([]string{"keytool", "-import", "-keystore", into}, tail...))
	}
	if s.recipe.Javas {
		line := " " + host.Quote(append([]string{"-import", "-cacerts"}, tail...))
		*script = append(*script, `"${TWC_JAVA:?is not set}/bin/keytool"`+line,
			`"${WEBAPP_JAVA:?is not set}/bin/keytool"`+line)
	}
}

// verifyByHand verifies only that the server is up again. Settings on a machine that is not declared cannot be read.
func (e *Encryption) verifyByHand(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	release, _ := planned(t)
	w := machine.WindowOf(connect.Declared(t.Resource), End, release)
	w.Session = e.Servers.Session(t.Resource)
	v, err := w.VerifyHealthy(ctx)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	return executor.Unknown.Because("%s; the settings on its machine cannot be read", v.Why), nil
}
