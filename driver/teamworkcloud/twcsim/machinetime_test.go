package twcsim

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// started returns when a unit was started, as a client finds it out: from the machine's start and systemctl show.
func (x *site) started(machine, unit string) time.Time {
	x.t.Helper()
	boot := regexp.MustCompile(`(?m)^btime (\d+)$`).FindStringSubmatch(x.runs(machine, "cat /proc/stat"))
	shown := regexp.MustCompile(`^Id=` + unit + `\.service\nActiveEnterTimestampMonotonic=(\d+)\n$`).
		FindStringSubmatch(x.runs(machine, "systemctl show --property=Id,ActiveEnterTimestampMonotonic "+unit))
	if boot == nil || shown == nil {
		x.t.Fatalf("%v %v", boot, shown)
	}
	seconds, _ := strconv.ParseInt(boot[1], 10, 64)
	micros, _ := strconv.ParseInt(shown[1], 10, 64)
	if micros == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, micros*1000)
}

func (x *site) written(machine, name string) time.Time {
	x.t.Helper()
	info, err := x.Files(machine).Stat(name)
	if err != nil {
		x.t.Fatal(err)
	}
	return info.ModTime()
}

func TestWhenServicesStartedAndFilesWereWritten(t *testing.T) {
	x := onMachine(t, "2024xR3")
	conf := x.Named["src"].Desk.At.Conf
	check := func(when string) {
		t.Helper()
		if started, written := x.started("src", "twcloud"), x.written("src", conf); !written.Before(started) ||
			!started.Before(x.Now) || x.Now.Sub(started) > 2*state.UpFor {
			t.Errorf("%s: written %s, started %s, now %s", when, written, started, x.Now)
		}
	}
	check("at first")
	x.clock = x.clock.AddDate(0, 8, 0) // from the seed's time to the sandbox's time
	x.pass(1)
	check("once time passes")
	before := x.started("src", "twcloud")
	if err := afero.WriteFile(x.Files("src"), conf, []byte("a = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if at := x.written("src", conf); !at.Equal(x.Now) || !at.After(x.started("src", "twcloud")) {
		t.Errorf("written at %s, now it is %s", at, x.Now)
	}
	x.pass(5)
	x.runs("src", "sudo systemctl stop webapp")
	if x.started("src", "webapp").IsZero() {
		t.Error("a stopped unit never ran")
	}
	x.runs("src", "sudo systemctl restart twcloud")
	if at := x.started("src", "twcloud"); at.Sub(x.Now).Abs() > time.Millisecond || !at.After(before) ||
		!x.started("src", "webapp").Before(at) {
		t.Errorf("started at %s, now it is %s", at, x.Now)
	}
	f, err := x.Files("src").OpenFile("/etc/new", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Files("src").Rename("/etc/new", "/etc/newer"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("a file that was renamed meanwhile: %v", err)
	}
	if f, err := x.Files("src").Open("/etc/motd"); err != nil || f.Close() != nil ||
		!x.written("src", "/etc/motd").Before(before) {
		t.Errorf("looking at a file changes its time: %v", err)
	}
}

func TestShow(t *testing.T) {
	servers := two("2024xR3", "2024xR3")
	servers["src"].(fields)["machine"] = fields{"services": []string{"twcloud"}}
	x := newSite(t, servers)
	for line, want := range map[string]string{
		"systemctl show --property=Id,ActiveEnterTimestampMonotonic twcloud webapp.service nothing": fmt.Sprintf(
			"Id=twcloud.service\nActiveEnterTimestampMonotonic=%d\n\nId=webapp.service\nActiveEnterTimestampMonotonic=0\n"+
				"\nId=nothing.service\nActiveEnterTimestampMonotonic=0\n", time.Hour.Microseconds()),
		"systemctl show --property=ActiveState,Id webapp": "Id=webapp.service\nActiveState=inactive\n",
	} {
		if got := x.runs("src", line); got != want || !x.Reads("src", line) {
			t.Errorf("%s: %q", line, got)
		}
	}
	for _, line := range []string{"systemctl show", "systemctl show twcloud", "systemctl show --property=Id",
		"systemctl show --property=Names twcloud", "systemctl show --all --property=Id twcloud"} {
		if code, out, errs := x.run("src", line); code != 1 || out != "" || !strings.Contains(errs, "show has only") {
			t.Errorf("%s: %d %q %q", line, code, out, errs)
		}
	}
}

func TestBrokenSettingsStopAService(t *testing.T) {
	for unit, broken := range map[string]string{state.UnitServer: "esi {\n", state.UnitPages: "a=\\u12\n"} {
		x := onMachine(t, "2024xR3")
		at := x.Named["src"].Desk.At
		name := map[string]string{state.UnitServer: at.Conf, state.UnitPages: at.Pages}[unit]
		good := x.runs("src", "cat "+name)
		x.do("edit_file", "server", "src", "path", name, "content", broken)
		if got := x.runs("src", "systemctl is-active "+unit); got != "active\n" ||
			machine.PagesTrouble(x.Named["src"], x.Now) != nil {
			t.Errorf("%s: a file that nobody has read: %s", unit, got)
		}
		for _, verb := range []string{"restart", "start"} {
			code, _, errs := x.run("src", "sudo systemctl "+verb+" "+unit)
			if code != 1 || !strings.Contains(errs, "Job for "+unit+".service failed") {
				t.Errorf("%s %s: %d %s", verb, unit, code, errs)
			}
			if code, out, _ := x.run("src", "systemctl is-active "+unit); code != 3 || out != "failed\n" {
				t.Errorf("%s: %d %s", unit, code, out)
			}
		}
		x.do("edit_file", "server", "src", "path", name, "content", good)
		x.runs("src", "sudo systemctl start "+unit)
		x.pass(1)
		if machine.PagesTrouble(x.Named["src"], x.Now) != nil {
			t.Errorf("%s does not run again: %v", unit, machine.PagesTrouble(x.Named["src"], x.Now))
		}
		x.do("edit_file", "server", "src", "path", name, "content", broken)
		x.run("src", "sudo systemctl restart "+unit)
		x.runs("src", "sudo systemctl stop "+unit)
		if _, out, _ := x.run("src", "systemctl is-active "+unit); out != "inactive\n" {
			t.Errorf("%s was stopped: %s", unit, out)
		}
	}
	refused(t, one(`"machine": {"files": `+
		`{"/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf": "esi {"}}`), "twcloud runs, and "+
		"cannot have read its settings")
	open(t, one(`"machine": {"services": [], "files": `+
		`{"/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf": "esi {"}}`))
}

func TestKeytool(t *testing.T) {
	servers := two("2024xR3", "2024xR3")
	a, _ := issueFor(t, false, "x.example")
	der := string(a.Root.Chain[0].Raw)
	servers["src"].(fields)["machine"] = fields{"files": fields{"/srv/ca.pem": keystore.InPEM(a.Root.Chain),
		"/srv/note": "hello"}}
	x := newSite(t, servers)
	s := x.Named["src"]
	if err := s.Desk.Write("/srv/ca.der", []byte(der)); err != nil {
		t.Fatal(err)
	}
	kt := state.ServerJava + "/bin/keytool -importcert -noprompt "
	for _, line := range []string{
		kt + "-cacerts -alias Acme -file /srv/ca.pem -storepass changeit",
		state.PagesJava + "/bin/keytool -import -trustcacerts -noprompt -cacerts -alias acme -file /srv/ca.der " +
			"-storepass changeit",
		"cd " + state.ServerJava + "/bin && ./keytool -importcert -noprompt -keystore " + s.Desk.At.Keystore +
			" -alias acme -file /srv/ca.pem -storepass nomagic",
		"keytool -importcert -noprompt -keystore /srv/new.p12 -alias acme -file /srv/ca.pem -storepass changeit",
	} {
		if code, _, errs := x.run("src", line); code != 0 || errs != "Certificate was added to keystore\n" {
			t.Errorf("%s: %d %s", line, code, errs)
		}
		if x.Reads("src", line) {
			t.Errorf("%s only looks", line)
		}
	}
	for _, name := range []string{s.Desk.At.ServerTrust, s.Desk.At.PagesTrust} {
		if data, _ := s.Desk.Read(name); !trusts(t, data, a) {
			t.Errorf("%s does not have it", name)
		}
		if !strings.Contains(x.dump(), `"`+name+`":{"aliases":["acme","`+keystore.PublicAlias+`"]`) {
			t.Errorf("%s does not show:\n%s", name, x.dump())
		}
	}
	before := x.dump()
	for line, want := range map[string]string{
		kt + "-cacerts -alias ACME -file /srv/ca.pem -storepass changeit": "alias <acme> already exists",
		kt + "-keystore " + s.Desk.At.Keystore +
			" -alias other -file /srv/ca.pem -storepass changeit": "password was incorrect",
		kt + "-cacerts -alias other -file /srv/ca.pem -storepass nomagic":              "password was incorrect",
		kt + "-cacerts -alias other -file /srv/none -storepass changeit":               "No such file",
		kt + "-cacerts -alias other -file /srv/note -storepass changeit":               "not an X.509 certificate",
		kt + "-cacerts -alias other -file /srv/ca.pem":                                 "at least 6 characters",
		kt + "-cacerts -file /srv/ca.pem -storepass changeit":                          "are needed",
		kt + "-cacerts -keystore x -alias other -file /srv/ca.pem -storepass changeit": "cannot be used with -keystore",
		kt + "-cacerts -alias": "needs an argument",
		kt + "-cacerts -v":     "Illegal option",
		state.ServerJava + "/bin/keytool -importcert -cacerts -alias other -file /srv/ca.pem -storepass changeit": "was " +
			"not added",
		state.ServerJava + "/bin/keytool -list -cacerts": "only " +
			"-importcert",
		"keytool": "only -importcert",
		"keytool -importcert -noprompt -cacerts -alias other -file /srv/ca.pem -storepass changeit": "called by its path",
		kt + "-keystore /srv/note -alias other -file /srv/ca.pem -storepass changeit":               "no PKCS#12 file",
	} {
		if code, out, _ := x.run("src", line); code != 1 || !strings.Contains(out, want) {
			t.Errorf("%s: %d %s", line, code, out)
		}
	}
	if code, _, _ := x.run("src", "/opt/java/other/bin/keytool -importcert"); code != 127 {
		t.Errorf("a Java that is not there: %d", code)
	}
	if after := x.dump(); after != before {
		t.Errorf("what was refused changed something:\n%s\n%s", before, after)
	}
}

func trusts(t *testing.T, store []byte, a *keystore.Authority) bool {
	t.Helper()
	list, err := keystore.TrustedIn(store)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Equal(a.Root.Chain[0]) {
			return true
		}
	}
	return false
}
