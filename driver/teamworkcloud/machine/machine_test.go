package machine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
)

// fakeHost answers command lines from a table; any other program does not exist.
type fakeHost struct {
	host.Host // other methods are not used

	answers map[string]host.Output
	fs      afero.Fs

	mu  sync.Mutex
	ran []string
}

func (h *fakeHost) Name() string                     { return "admin@twc" }
func (h *fakeHost) Files(context.Context) host.Files { return host.FilesOf(h.fs) }
func (h *fakeHost) Close() error                     { return nil }
func (h *fakeHost) lines() string                    { return strings.Join(h.ran, "\n") }

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

func TestCommandsOfReleases(t *testing.T) {
	for text, want := range map[string]string{
		"2021x Refresh2": "/opt/TeamworkCloud/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo " +
			"systemctl stop authserver && sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start " +
			"authserver && sudo systemctl start webapp",
		"2022x Refresh1": "/opt/TeamworkCloud/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo " +
			"systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
		"2022x Refresh2": "/opt/CATIANoMagicServices/Utilities/datamanager/datamanager; sudo systemctl stop webapp && " +
			"sudo systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
		"2026x": "/opt/CATIANoMagicServices/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo " +
			"systemctl stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
		"": "/opt/CATIANoMagicServices/Utilities/datamanager/datamanager; sudo systemctl stop webapp && sudo systemctl " +
			"stop twcloud; sudo systemctl start twcloud && sudo systemctl start webapp",
	} {
		r, _ := osmc.ParseRelease(text)
		c := CommandsOf("server.x.a", Declared{}, r)
		if got := strings.Join([]string{JoinLines(c.DataManager), JoinLines(c.Stop...), JoinLines(c.Start...)},
			"; "); got != want {
			t.Errorf("%s: %s\nwant %s", text, got, want)
		}
	}
}

func TestCommandsAsDeclared(t *testing.T) {
	c := CommandsOf("server.x.a", Declared{
		Home: "/srv/twc", Stop: [][]string{{"ssh", "n2", "stop it"}, {"stop"}}, Status: []string{"check"},
		Within: 90 * time.Second,
	}, osmc.Release{})
	if got := JoinLines(c.Stop...); got != "ssh n2 'stop it' && stop" {
		t.Error(got)
	}
	if got := JoinLines(c.Start...); got != "sudo systemctl start twcloud && sudo systemctl start webapp" {
		t.Error(got)
	}
	if c.Status[0] != "check" || c.Within.String() != "1m30s" ||
		c.DataManager[0] != "/srv/twc/Utilities/datamanager/datamanager" ||
		c.Database[0] != "nodetool" || c.Units != nil {
		t.Errorf("%+v", c)
	}
}

func TestReadStatus(t *testing.T) {
	for name, c := range map[string]struct {
		out  host.Output
		want Running
	}{
		"active":              {host.Output{Stdout: "active\n"}, RunningAll},
		"inactive":            {host.Output{Stdout: "inactive\n", Code: 3}, Stopped},
		"failed":              {host.Output{Stdout: "failed\n", Code: 3}, Stopped},
		"being stopped":       {host.Output{Stdout: "deactivating\n", Code: 3}, RunningAll},
		"being started":       {host.Output{Stdout: "activating\n", Code: 3}, RunningAll},
		"one of two":          {host.Output{Stdout: "inactive\nactive\n", Code: 0}, RunningPartly},
		"two":                 {host.Output{Stdout: "active\nactivating\n", Code: 0}, RunningAll},
		"neither":             {host.Output{Stdout: "inactive\nfailed\n", Code: 3}, Stopped},
		"no such unit":        {host.Output{Stdout: "inactive\n", Code: 4}, RunningUnknown},
		"contradicts itself":  {host.Output{Stdout: "inactive\n", Code: 0}, RunningUnknown},
		"another manager, up": {host.Output{Stdout: "twcloud (pid 17) is running...\n"}, RunningAll},
		"and down":            {host.Output{Stdout: "twcloud is stopped\n", Code: 3}, Stopped},
		"and silent":          {host.Output{Code: 1}, Stopped},
		"no password":         {host.Output{Code: 1, Stderr: "sudo: a password is required\n"}, RunningUnknown},
		"no bus":              {host.Output{Code: 1, Stderr: "Failed to connect to bus: Host is down\n"}, RunningUnknown},
		"a banner":            {host.Output{Code: 3, Stdout: "Welcome to db1\ndeactivating\n"}, RunningUnknown},
		"a banner, inactive":  {host.Output{Code: 3, Stdout: "Welcome to db1\ninactive\n"}, RunningUnknown},
		"state unknown":       {host.Output{Code: 3, Stdout: "unknown\n"}, RunningUnknown},
		"another code":        {host.Output{Code: 1, Stdout: "twcloud is dead and its pid file exists\n"}, RunningUnknown},
		"no such command":     {host.Output{Stderr: "sh: systemctl: not found\n", Code: 127}, RunningUnknown},
		"killed":              {host.Output{Code: 137}, RunningUnknown},
		"cut off":             {host.Output{Stdout: "inactive\n", Code: 3, Truncated: true}, RunningUnknown},
	} {
		if got := readStatus(c.out, 0); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestReadStatusOfUnits checks that if systemctl is asked about units, only one of its words for each counts as an
// answer.
func TestReadStatusOfUnits(t *testing.T) {
	for name, c := range map[string]struct {
		out  host.Output
		want Running
	}{
		"both run":             {host.Output{Stdout: "active\nactive\n"}, RunningAll},
		"neither":              {host.Output{Stdout: "inactive\nfailed\n", Code: 3}, Stopped},
		"one":                  {host.Output{Stdout: "inactive\nactive\n", Code: 3}, RunningPartly},
		"one is being stopped": {host.Output{Stdout: "inactive\ndeactivating\n", Code: 3}, RunningPartly},
		"one line":             {host.Output{Stdout: "inactive\n", Code: 3}, RunningUnknown},
		"three lines":          {host.Output{Stdout: "inactive\ninactive\ninactive\n", Code: 3}, RunningUnknown},
		"a banner":             {host.Output{Stdout: "Welcome to db1\ninactive\n", Code: 3}, RunningUnknown},
		"a banner above both":  {host.Output{Stdout: "Welcome to db1\ninactive\ninactive\n", Code: 3}, RunningUnknown},
		"nothing":              {host.Output{Code: 3}, RunningUnknown},
		"nothing, code 0":      {host.Output{}, RunningUnknown},
		"other words, code 0":  {host.Output{Stdout: "up\nup\n"}, RunningUnknown},
		"other words, code 3":  {host.Output{Stdout: "down\ndown\n", Code: 3}, RunningUnknown},
		"a password is asked":  {host.Output{Stderr: "sudo: a password is required\n", Code: 1}, RunningUnknown},
		"no bus": {host.Output{Stderr: "Failed to connect to bus: No such file or directory\n", Code: 1},
			RunningUnknown},
		"said, and complaining": {host.Output{Stdout: "inactive\ninactive\n", Stderr: "Failed to connect to bus\n",
			Code: 3}, RunningUnknown},
	} {
		if got := readStatus(c.out, 2); got != c.want {
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
		"up": {host.Output{Stdout: nodes +
			"UN  127.0.0.1  1 MiB  16  100.0%  0b0b0b0b-1111-4222-8333-444444444444  rack1\n"}, ""},
		"three up": {host.Output{Stdout: nodes +
			"UN  10.0.0.1  x\nUN  10.0.0.2  x\n\nDatacenter: two\nUN  10.1.0.1  x\n"}, ""},
		"one down": {host.Output{Stdout: nodes + "UN  10.0.0.1  x\nDN  10.0.0.2  x\n"},
			"Cassandra's node 10.0.0.2 is DN, and must be UN (up and normal)"},
		"joining": {host.Output{Stdout: nodes + "UJ  10.0.0.1  x\n"},
			"Cassandra's node 10.0.0.1 is UJ, and must be UN (up and normal)"},
		"unknown": {host.Output{Stdout: nodes + "?N  10.0.0.1  x\n"},
			"Cassandra's node 10.0.0.1 is ?N, and must be UN (up and normal)"},
		"none": {host.Output{Stdout: nodes},
			"it shows no node of Cassandra" + lastLine(host.Output{Stdout: nodes})},
		"nothing": {host.Output{}, "it shows no node of Cassandra"},
		"refused": {host.Output{Stderr: "nodetool: Failed to connect to '127.0.0.1:7199'\n", Code: 1},
			`it ended with code 1: "nodetool: Failed to connect to '127.0.0.1:7199'"`},
		"a banner": {host.Output{Stdout: "Welcome to db1\n" + nodes + "UN  10.0.0.1  x\n"},
			`it is not what nodetool status prints: "Welcome to db1"`},
		"other state": {host.Output{Stdout: nodes + "UN  10.0.0.1  x\nUX  10.0.0.2  x\n"},
			`it is not what nodetool status prints: "UX  10.0.0.2  x"`},
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
		if readStatus(out, 0) == Stopped && code == 0 {
			t.Errorf("%q with code 0 is taken for stopped", text)
		}
	})
}

func TestManageStopsAtTheFirstFailure(t *testing.T) {
	h := &fakeHost{answers: map[string]host.Output{"stop webapp": {},
		"stop twcloud": {Code: 1, Stderr: "sudo: a password is required\n"}}}
	m := New(h, Commands{Stop: [][]string{{"stop", "webapp"}, {"stop", "twcloud"}, {"stop", "zookeeper"}}})
	_, err := m.manage(t.Context(), task(""), m.Stop)
	if err == nil || err.Error() != `stop twcloud on admin@twc ended with code 1: "sudo: a password is required"` ||
		executor.WasNotSent(err) {
		t.Error(err)
	}
	if h.lines() != "stop webapp\nstop twcloud" {
		t.Errorf("ran %s", h.lines())
	}
	for started, notSent := range map[host.Started]bool{host.StartedNo: true, host.StartedMaybe: false} {
		m.Host = &brokenHost{err: &host.Error{Started: started}}
		if _, err := m.manage(t.Context(), task(""), m.Stop); executor.WasNotSent(err) != notSent {
			t.Errorf("started %s: %v", started, err)
		}
	}
}

// brokenHost is a machine that cannot be reached.
type brokenHost struct {
	fakeHost

	err error
}

func (h *brokenHost) Run(context.Context, host.Command) (host.Output, error) {
	return host.Output{}, h.err
}

// TestSince checks when the first service was started, from systemd's microseconds and the kernel's seconds. It is
// unknown in doubt.
func TestSince(t *testing.T) {
	const stat = "cpu  1 2 3\nbtime 1764000000\nprocesses 5\n"
	const show = "Id=twcloud.service\nActiveEnterTimestampMonotonic=7000000\n\n" +
		"Id=webapp.service\nActiveEnterTimestampMonotonic=5500000\n"
	for name, c := range map[string]struct {
		show, stat host.Output
		want       time.Time
	}{
		"both run": {host.Output{Stdout: show}, host.Output{Stdout: stat},
			time.Unix(1764000005, 500_000_000).UTC()},
		"one never ran": {host.Output{Stdout: strings.Replace(show, "5500000", "0", 1)}, host.Output{Stdout: stat},
			time.Unix(1764000007, 0).UTC()},
		"no systemd":        {host.Output{Code: 127}, host.Output{Stdout: stat}, time.Time{}},
		"no such file":      {host.Output{Stdout: show}, host.Output{Code: 1}, time.Time{}},
		"without boot time": {host.Output{Stdout: show}, host.Output{Stdout: "cpu 1\n"}, time.Time{}},
		"one is missing": {host.Output{Stdout: show[:strings.Index(show, "\n\n")]}, host.Output{Stdout: stat},
			time.Time{}},
		"one unreadable": {host.Output{Stdout: strings.Replace(show, "5500000", "now", 1)}, host.Output{Stdout: stat},
			time.Time{}},
		"two boot times": {host.Output{Stdout: show}, host.Output{Stdout: stat + "btime 1\n"}, time.Time{}},
		"other words":    {host.Output{Stdout: "hello\n"}, host.Output{Stdout: stat}, time.Time{}},
	} {
		if got := readSince(c.show, c.stat, 2); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestUnfitMachine(t *testing.T) {
	for name, c := range map[string]struct {
		spoil map[string]string // what commands print instead
		says  string
	}{
		"fits":          {nil, ""},
		"only some run": {map[string]string{"systemctl is-active webapp twcloud": "active\ninactive\n"}, ""},
		"no answer":     {map[string]string{"systemctl is-active webapp twcloud": "active\n"}, "does not say that it runs"},
		"another one's": {map[string]string{"dm -lr": idC + " Frame\n"},
			"does not list Engine (" + idA + "): is this the machine"},
		"a node is down": {map[string]string{"nodetool status": nodes + "DN  10.0.0.2  x\n"}, "10.0.0.2 is DN"},
		"unreadable":     {map[string]string{"dm -lr": "Invalid path.\n"}, "cannot be read"},
	} {
		answers := map[string]host.Output{
			"dm -lr": {Stdout: idA + "  Engine\n" + idC + "  Frame\n"}, "dm -lrd": {},
			"systemctl is-active webapp twcloud": {Stdout: "active\nactive\n"},
			"nodetool status":                    {Stdout: nodes + "UN  127.0.0.1  x\n"},
		}
		for line, stdout := range c.spoil {
			answers[line] = host.Output{Stdout: stdout}
		}
		m := New(&fakeHost{answers: answers}, CommandsOf("server.x.a", Declared{DataManager: []string{"dm"}},
			osmc.Release{}))
		why, err := m.Unfit(t.Context(), map[string]string{idA: "Engine"})
		if err != nil || (why == "") != (c.says == "") || !strings.Contains(why, c.says) {
			t.Errorf("%s: %q, %v; want %q", name, why, err, c.says)
		}
	}
}

// TestNamesInScripts checks that a name in a comment executes nothing, even in shells without comments.
func TestNamesInScripts(t *testing.T) {
	var script Script
	script.Note("%s, branch %s: %s", "Wing", "b", "3 revisions")
	script.Note("%s: %s", "x; touch '$(id)' `id` !rm", "1 branch")
	want := Script{
		"# Wing, branch b: 3 revisions", `# 'x; touch '\''$(id)'\'' ` + "`id`" + ` !rm: 1 branch'`,
	}
	if !slices.Equal(script, want) || len(script.Lines()) != 0 {
		t.Errorf("got %q", script)
	}
}
