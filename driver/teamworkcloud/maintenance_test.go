package teamworkcloud

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// fakeHost answers command lines from a table; what is not in it is not there.
type fakeHost struct {
	host.Host // what is not below is asked of no fake

	answers map[string]host.Output
	fs      afero.Fs

	mu  sync.Mutex
	ran []string
}

func (h *fakeHost) Name() string      { return "admin@twc" }
func (h *fakeHost) Files() host.Files { return host.FilesOf(h.fs) }
func (h *fakeHost) Close() error      { return nil }
func (h *fakeHost) lines() string     { return strings.Join(h.ran, "\n") }

func (h *fakeHost) Run(ctx context.Context, c host.Command) (host.Output, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := strings.Join(c.Args, " ")
	h.ran = append(h.ran, line)
	if out, ok := h.answers[line]; ok {
		return out, nil
	}
	return host.Output{Code: 127, Stderr: c.Args[0] + ": not found\n"}, nil
}

// serverWith is a server with a host block, which has what is given.
func serverWith(block map[string]cty.Value) *schema.Resource {
	v := map[string]cty.Value{"url": cty.StringVal("https://twc.example:8111"), "host": cty.NullVal(cty.EmptyObject)}
	if block != nil {
		v["host"] = cty.ObjectVal(block)
	}
	return &schema.Resource{Addr: schema.Addr{Kind: schema.Server, Type: product, Name: "a"}, Value: cty.ObjectVal(v)}
}

func words(all ...string) cty.Value {
	var out []cty.Value
	for _, w := range all {
		out = append(out, cty.StringVal(w))
	}
	return cty.ListVal(out)
}

func TestUpkeepOfReleases(t *testing.T) {
	for text, want := range map[string]string{
		"2021x Refresh2": "/opt/TeamworkCloud/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo systemctl stop authserver && sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start authserver && sudo systemctl start webapp",
		"2022x Refresh1": "/opt/TeamworkCloud/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
		"2022x Refresh2": "/opt/CATIANoMagicServices/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
		"2026x":          "/opt/CATIANoMagicServices/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
		"":               "/opt/CATIANoMagicServices/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
	} {
		r, _ := osmc.ParseRelease(text)
		u := upkeepOf(serverWith(nil), r)
		if got := strings.Join([]string{joined([][]string{u.dataManager}), joined(u.stop), joined(u.start)}, "; "); got != want {
			t.Errorf("%s: %s\nwant %s", text, got, want)
		}
	}
}

func TestUpkeepAsDeclared(t *testing.T) {
	u := upkeepOf(serverWith(map[string]cty.Value{
		"home": cty.StringVal("/srv/twc"), "stop": cty.ListVal([]cty.Value{words("ssh", "n2", "stop it"), words("stop")}),
		"start": cty.NullVal(cty.List(cty.List(cty.String))), "status": words("check"), "within": cty.StringVal("90s"),
	}), osmc.Release{})
	if got := joined(u.stop); got != "ssh n2 'stop it' && stop" {
		t.Error(got)
	}
	if got := joined(u.start); got != "sudo systemctl start twcloud && sudo systemctl start webapp" {
		t.Error(got)
	}
	if u.status[0] != "check" || u.within.String() != "1m30s" || u.dataManager[0] != "/srv/twc/Utilities/datamanager/datamanager" || u.database[0] != "nodetool" {
		t.Errorf("%+v", u)
	}
}

func TestReadStatus(t *testing.T) {
	for name, c := range map[string]struct {
		out  host.Output
		want running
	}{
		"active":              {host.Output{Stdout: "active\n"}, runningYes},
		"inactive":            {host.Output{Stdout: "inactive\n", Code: 3}, runningNo},
		"failed":              {host.Output{Stdout: "failed\n", Code: 3}, runningNo},
		"being stopped":       {host.Output{Stdout: "deactivating\n", Code: 3}, runningYes},
		"being started":       {host.Output{Stdout: "activating\n", Code: 3}, runningYes},
		"one of two":          {host.Output{Stdout: "inactive\nactive\n", Code: 0}, runningPartly},
		"two":                 {host.Output{Stdout: "active\nactivating\n", Code: 0}, runningYes},
		"neither":             {host.Output{Stdout: "inactive\nfailed\n", Code: 3}, runningNo},
		"no such unit":        {host.Output{Stdout: "inactive\n", Code: 4}, runningUnknown},
		"contradicts itself":  {host.Output{Stdout: "inactive\n", Code: 0}, runningUnknown},
		"another manager, up": {host.Output{Stdout: "twcloud (pid 17) is running...\n"}, runningYes},
		"and down":            {host.Output{Stdout: "twcloud is stopped\n", Code: 3}, runningNo},
		"and silent":          {host.Output{Code: 1}, runningNo},
		"no password":         {host.Output{Code: 1, Stderr: "sudo: a password is required\n"}, runningUnknown},
		"no bus":              {host.Output{Code: 1, Stderr: "Failed to connect to bus: Host is down\n"}, runningUnknown},
		"a banner":            {host.Output{Code: 3, Stdout: "Welcome to db1\ndeactivating\n"}, runningUnknown},
		"a banner, inactive":  {host.Output{Code: 3, Stdout: "Welcome to db1\ninactive\n"}, runningUnknown},
		"state unknown":       {host.Output{Code: 3, Stdout: "unknown\n"}, runningUnknown},
		"another code":        {host.Output{Code: 1, Stdout: "twcloud is dead and its pid file exists\n"}, runningUnknown},
		"no such command":     {host.Output{Stderr: "sh: systemctl: not found\n", Code: 127}, runningUnknown},
		"killed":              {host.Output{Code: 137}, runningUnknown},
		"cut off":             {host.Output{Stdout: "inactive\n", Code: 3, Truncated: true}, runningUnknown},
	} {
		if got := readStatus(c.out); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

const nodes = `Datacenter: datacenter1
=======================
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load      Tokens  Owns (effective)  Host ID                               Rack
`

func TestReadNodes(t *testing.T) {
	for name, c := range map[string]struct {
		out  host.Output
		want string
	}{
		"up":        {host.Output{Stdout: nodes + "UN  127.0.0.1  1 MiB  16  100.0%  0b0b0b0b-1111-4222-8333-444444444444  rack1\n"}, ""},
		"three up":  {host.Output{Stdout: nodes + "UN  10.0.0.1  x\nUN  10.0.0.2  x\n\nDatacenter: two\nUN  10.1.0.1  x\n"}, ""},
		"one down":  {host.Output{Stdout: nodes + "UN  10.0.0.1  x\nDN  10.0.0.2  x\n"}, "Cassandra's node 10.0.0.2 is DN, and must be UN (up and normal)"},
		"joining":   {host.Output{Stdout: nodes + "UJ  10.0.0.1  x\n"}, "Cassandra's node 10.0.0.1 is UJ, and must be UN (up and normal)"},
		"unknown":   {host.Output{Stdout: nodes + "?N  10.0.0.1  x\n"}, "Cassandra's node 10.0.0.1 is ?N, and must be UN (up and normal)"},
		"none":      {host.Output{Stdout: nodes}, `it shows no node of Cassandra: "--  Address    Load      Tokens  Owns (effective)  Host ID                               Rack"`},
		"nothing":   {host.Output{}, "it shows no node of Cassandra"},
		"refused":   {host.Output{Stderr: "nodetool: Failed to connect to '127.0.0.1:7199'\n", Code: 1}, `it ended with code 1: "nodetool: Failed to connect to '127.0.0.1:7199'"`},
		"not there": {host.Output{Code: 127}, "it ended with code 127"},
	} {
		if got := readNodes(c.out); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func FuzzMaintenance(f *testing.F) {
	f.Add(nodes+"UN  127.0.0.1  x\n", 0)
	f.Add("inactive\n", 3)
	f.Add("DN\xff 1", 0)
	f.Fuzz(func(t *testing.T, text string, code int) {
		out := host.Output{Stdout: text, Code: code}
		if why := readNodes(out); why == "" && (code != 0 || !strings.Contains(text, "UN")) {
			t.Errorf("%q is taken for a database that is up", text)
		} else if strings.ContainsAny(why, "\n\x00\x1b") {
			t.Errorf("%q is not fit to be shown", why)
		}
		if readStatus(out) == runningNo && code == 0 {
			t.Errorf("%q with code 0 is taken for stopped", text)
		}
	})
}

func TestRunAllStopsAtTheFirstFailure(t *testing.T) {
	h := &fakeHost{answers: map[string]host.Output{"stop webapp": {}, "stop twcloud": {Code: 1, Stderr: "sudo: a password is required\n"}}}
	err := runAll(t.Context(), h, [][]string{{"stop", "webapp"}, {"stop", "twcloud"}, {"stop", "zookeeper"}}, func(int) {})
	if err == nil || err.Error() != `stop twcloud on admin@twc ended with code 1: "sudo: a password is required"` || nothingBegun(err) {
		t.Error(err)
	}
	if h.lines() != "stop webapp\nstop twcloud" {
		t.Errorf("ran %s", h.lines())
	}
	broken := &brokenHost{err: &host.Error{Started: host.StartedNo}}
	if err := runAll(t.Context(), broken, [][]string{{"stop"}}, func(int) {}); !nothingBegun(err) {
		t.Errorf("%v: nothing has begun", err)
	}
	broken.err = &host.Error{Started: host.StartedMaybe}
	if err := runAll(t.Context(), broken, [][]string{{"stop"}}, func(int) {}); nothingBegun(err) {
		t.Errorf("%v: something may have begun", err)
	}
	if nothingBegun(errors.New("x")) {
		t.Error("of any error it is not known")
	}
}

// brokenHost cannot be reached.
type brokenHost struct {
	fakeHost

	err error
}

func (h *brokenHost) Run(context.Context, host.Command) (host.Output, error) {
	return host.Output{}, h.err
}
