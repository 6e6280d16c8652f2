package twcsim

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// onMachine is two servers whose machines can be reached.
func onMachine(t testing.TB, version string) *site {
	t.Helper()
	servers := two(version, version)
	for _, s := range servers {
		s.(fields)["machine"] = fields{"files": fields{"/etc/motd": "hello\n"}}
	}
	return newSite(t, servers)
}

func (x *site) run(machine, line string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = x.Run(x.t.Context(), machine, line, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// runs runs a command line, and expects success.
func (x *site) runs(machine, line string) string {
	x.t.Helper()
	code, out, errs := x.run(machine, line)
	if code != 0 || errs != "" {
		x.t.Fatalf("%s: %d, %q, %q", line, code, out, errs)
	}
	return out
}

func TestShell(t *testing.T) {
	x := onMachine(t, "2024xR3")
	tests := []struct {
		line, out, errs string
		code            int
	}{
		{"true", "", "", 0},
		{"", "", "", 0},
		{"hostname", "src\n", "", 0},
		{"/usr/bin/hostname", "src\n", "", 0},
		{"'host'na\"me\" && h\\ostname", "src\nsrc\n", "", 0},
		{"exec hostname && hostname", "src\n", "", 0},
		{"cat /etc/motd /etc/motd", "hello\nhello\n", "", 0},
		{"cd /etc && cat motd", "hello\n", "", 0},
		{"cd ./../../etc && exec cat ./motd", "hello\n", "", 0},
		{"cd /nowhere && cat /etc/motd", "", "can't cd to /nowhere", 2},
		{"cd && cat ../../etc/motd", "hello\n", "", 0},
		{"cat /etc/nothing && hostname", "", "No such file", 1},
		{"test -e /etc/motd", "", "", 0},
		{"test -d /etc", "", "", 0},
		{"test -f /etc", "", "", 1},
		{"test -d /etc/motd", "", "", 1},
		{"test -e /etc/nothing", "", "", 1},
		{"test -x /etc", "", "only -e", 2},
		{"sudo -n -- hostname", "src\n", "", 0},
		{"sudo", "", "usage", 1},
		{"hostname other", "", "keeps its name", 1},
		{"rm -rf /", "", "rm: not found", 127},
		{"'' x", "", "not found", 127},
		{"datamanager -lr", "", "not found", 127},
		{"/opt/other/datamanager -lr", "", "not found", 127},
		{"hostname &&", "", "nothing follows", 2},
		{"&& hostname", "", "syntax error", 2},
		{"hostname && && hostname", "", "syntax error", 2},
		{"cat 'x", "", "not closed", 2},
		{`cat "x`, "", "not closed", 2},
		{`cat x\`, "", "backslash", 2},
		{"cat $HOME", "", "syntax error", 2},
		{`cat "$HOME"`, "", "syntax error", 2},
		{`cat "\$HOME"`, "", "cat: $HOME: No such", 1},
		{`cat "a\b"`, "", `cat: a\b: No such`, 1},
		{"hostname; hostname", "", "syntax error", 2},
		{"hostname\nhostname", "", "syntax error", 2},
		{"hostname | cat", "", "syntax error", 2},
		{"hostname &", "", "syntax error", 2},
		{"cat a#b ~", "", "syntax error", 2},
		{"cat a#b~", "", "cat: a#b~: No such", 1},
		{"systemctl is-active twcloud webapp.service", "active\nactive\n", "", 0},
		{"systemctl is-active nothing", "inactive\n", "", 3},
		{"systemctl is-active", "", "only start", 1},
		{"systemctl stop twcloud", "", "Interactive authentication required", 1},
		{"sudo systemctl stop authserver", "", "not found", 5},
		{"systemctl daemon-reload", "", "only start", 1},
		{"nodetool", "", "only status", 1},
	}
	for _, tt := range tests {
		code, out, errs := x.run("src", tt.line)
		if code != tt.code || out != tt.out || !strings.Contains(errs, tt.errs) || (tt.errs == "") != (errs == "") {
			t.Errorf("%q: %d, %q, %q", tt.line, code, out, errs)
		}
	}
	if code, _, errs := x.run("other", "hostname"); code != 255 || errs == "" {
		t.Errorf("another machine: %d, %q", code, errs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := x.Run(ctx, "src", "sudo systemctl stop twcloud", nil, &bytes.Buffer{},
		&bytes.Buffer{}); code != 130 || !x.Named["src"].Services.Running[state.UnitServer] {
		t.Errorf("interrupted: %d", code)
	}
}

func TestReads(t *testing.T) {
	x := onMachine(t, "2024xR3")
	dm := x.manager("src")
	for line, want := range map[string]bool{
		"systemctl is-active twcloud": true, "systemctl stop twcloud": false, "sudo systemctl start twcloud": false,
		"systemctl":       false,
		"nodetool status": true, "nodetool": false, "nodetool repair": false, "hostname": true, "hostname x": false,
		"true":          true,
		"cat /etc/motd": true, "test -e /etc/motd": true, "cd /etc && exec cat motd": true,
		"sudo cat /etc/motd": true, "sudo": false,
		dm: true, dm + " -lr": true, dm + " -lrd": true, dm + " -lcat": true, dm + " -lb resourceID=1": true,
		dm + " -lrv resourceID=1 branchID=2": true, dm + " --list-resources": true, dm + " -help": true, dm +
			" -version": true,
		dm + " -dr 1": false, dm + " -drd": false, dm + " -urd 1": false, dm + " -rrof --resourceID=1": false, dm +
			" -xyz": false,
		dm + " --delete-resource 1": false, "cat /etc/motd && " + dm + " -dr 1": false, "rm x": false, "": false,
		"cat $x": false, "cat 'x": false,
	} {
		if got := x.Reads("src", line); got != want {
			t.Errorf("%q: %t", line, got)
		}
		before := x.dump()
		x.run("src", line)
		if want && x.dump() != before {
			t.Errorf("%q changed something", line)
		}
	}
	if x.Reads("other", "hostname") {
		t.Error("there is no such machine")
	}
}

func TestServicesStopAndStart(t *testing.T) {
	for _, version := range releases {
		x := onMachine(t, version)
		units := []string{"cassandra", "twcloud", "webapp", "zookeeper"}
		if strings.HasPrefix(version, "2021x") {
			units = append([]string{"authserver"}, units...)
		}
		if got := machine.UnitsOf(x.Named["src"].Release); !slices.Equal(got, units) {
			t.Errorf("%s: units are %v", version, got)
		}
		now := func() string {
			_, out, _ := x.run("src", "systemctl is-active "+strings.Join(units, " "))
			return strings.ReplaceAll(out, "\n", " ")
		}
		x.do("login", "server", "src", "user", "boss")
		x.do("announce", "server", "src")
		x.do("login", "server", "src", "user", "boss")
		x.runs("src", "sudo systemctl stop webapp.service twcloud")
		if got := now(); strings.Count(got, "inactive") != 2 || len(x.Named["src"].Sessions) != 0 {
			t.Errorf("%s: %s, sessions %v", version, got, x.Named["src"].Sessions)
		}
		if code, out, _ := x.run("src", "systemctl is-active webapp"); code != 3 || out != "inactive\n" {
			t.Errorf("%s: %d %s", version, code, out)
		}
		x.runs("src", "sudo systemctl start twcloud webapp")
		s := x.Named["src"]
		if machine.Answers(s, x.clock) || s.Services.Announced || strings.Contains(now(), "inactive") {
			t.Errorf("%s: right after the start: %s", version, now())
		}
		x.pass(1)
		if !machine.Answers(s, x.clock) || machine.PagesTrouble(s, x.clock) != nil {
			t.Errorf("%s: does not answer", version)
		}
		if out := x.runs("src", "nodetool status"); !strings.Contains(out, "\nUN  127.0.0.1") {
			t.Error(out)
		}
		x.runs("src", "sudo systemctl stop cassandra")
		if code, _, errs := x.run("src", "nodetool status"); code != 1 || !strings.Contains(errs, "Connection refused") {
			t.Errorf("%d %s", code, errs)
		}
		if machine.Works(s, x.clock) || !machine.Answers(s, x.clock) {
			t.Error("a server without its database works")
		}
		if slices.Contains(units, state.UnitLogin) {
			x.runs("src", "sudo systemctl start cassandra && sudo systemctl stop authserver")
			x.fails("does not answer", "rename", "server", "src", "resource", "Gears", "name", "x")
		}
	}
}

func TestSudoMayBeRefused(t *testing.T) {
	servers := two("2024xR3", "2024xR3")
	servers["src"].(fields)["machine"] = fields{"sudo": false}
	x := newSite(t, servers)
	if code, _, errs := x.run("src", "sudo systemctl stop twcloud"); code != 1 ||
		!strings.Contains(errs, "a password is required") {
		t.Errorf("%d %s", code, errs)
	}
	x.do("run_maintenance", "server", "src", "commands", "sudo systemctl stop twcloud") // a person knows the password
}

func TestFilesOfAMachine(t *testing.T) {
	for version, paths := range map[string][]string{
		"2021xR2": {"/opt/TeamworkCloud/configuration/application.conf",
			"/opt/TeamworkCloud/AuthServer/config/authserver.properties", "/opt/TeamworkCloud/configuration/keystore.p12"},
		"2022xR2": {"/opt/CATIANoMagicServices/TeamworkCloud/configuration/application.conf",
			"/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/authserver.properties"},
		"2024xR3": {"/opt/CATIANoMagicServices/TeamworkCloud/configuration/keystore.p12", "/etc/twcloud/twcloud-env",
			"/etc/motd"},
		"2026x": {"/opt/CATIANoMagicServices/Certs/keystore.p12",
			"/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/webappplatform.properties"},
	} {
		x := onMachine(t, version)
		for _, name := range paths {
			if ok, _ := afero.Exists(x.Files("src"), name); !ok {
				t.Errorf("%s has no %s", version, name)
			}
		}
		if ok, _ := afero.Exists(x.Files("src"), x.manager("src")); !ok {
			t.Errorf("%s has no Data Manager", version)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"", "a 'b c' && d", `"a\"b" \ c`, "&&", "a&b", "'", "cd ./x && exec y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		list, err := machine.ParseLine(line)
		if err != nil {
			return
		}
		// What was read reads the same again after quoting and joining.
		var commands []string
		for _, args := range list {
			if len(args) == 0 {
				t.Fatalf("%q: an empty command", line)
			}
			words := make([]string, len(args))
			for i, a := range args {
				words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
			}
			commands = append(commands, strings.Join(words, " "))
		}
		again, err := machine.ParseLine(strings.Join(commands, " && "))
		if err != nil || !slices.EqualFunc(list, again, slices.Equal[[]string]) {
			t.Fatalf("%q: %q, again %q, %v", line, list, again, err)
		}
	})
}
