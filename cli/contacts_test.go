package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/sandbox"
)

// TestCounter: the last line of a rehearsal counts requests, commands and file operations apart.
func TestCounter(t *testing.T) {
	for _, c := range []struct {
		asked    map[string]int // by protocol
		machines int
		want     string
	}{
		{map[string]int{"https": 12}, 0, "12 requests to 2 simulated servers, none to any other"},
		{map[string]int{"https": 1}, 2, "1 request to 2 simulated servers, none to any other"},
		{map[string]int{"https": 3, "ssh": 1}, 1,
			"3 requests to 2 simulated servers, 1 command on 1 simulated machine, nothing anywhere else"},
		{map[string]int{"https": 3, "sftp": 2}, 1,
			"3 requests to 2 simulated servers, 2 file operations on 1 simulated machine, nothing anywhere else"},
		{map[string]int{"https": 3, "ssh": 2, "sftp": 1}, 2,
			"3 requests to 2 simulated servers, 2 commands and 1 file operation " +
				"on 2 simulated machines, nothing anywhere else"},
	} {
		asked := &contacts{}
		for protocol, n := range c.asked {
			line, err := json.Marshal(sandbox.AccessLine{Protocol: protocol})
			if err != nil {
				t.Fatal(err)
			}
			for range n {
				if _, err := asked.Write(append(line, '\n')); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := asked.all.words(2, c.machines); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if _, err := new(contacts).Write([]byte("half a li")); err == nil {
		t.Error("an incomplete line is counted")
	}
}

// TestStrayed: what a site's process contacts that is not of its site is an error, also where it was cut off. What
// another's process began before does not count.
func TestStrayed(t *testing.T) {
	begun := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	asked := &contacts{}
	write := func(server string, at time.Duration) {
		line, err := json.Marshal(sandbox.AccessLine{Time: begun.Add(at), Server: server, Protocol: "tcp", Fault: "cut"})
		if err == nil {
			_, err = asked.Write(line)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	asked.begin(begun, &rehearsedSite{name: "acme", reaches: []string{"a", "both"}})
	asked.begin(begun.Add(time.Minute), &rehearsedSite{name: "globex", reaches: []string{"b", "both"}})
	write("a", time.Second)
	write("b", time.Minute)
	write("both", time.Hour)
	if err := asked.strayed(); err != nil {
		t.Error(err)
	}
	write("a", time.Hour)
	if err := asked.strayed(); err == nil || asked.by["globex"].connections != 3 || asked.by["acme"].connections != 1 {
		t.Errorf("%v, %+v", err, asked.by)
	}
}

// TestApart: what has one name in two products is not kept apart over sites, and is refused. A server may have the name
// of its machine.
func TestApart(t *testing.T) {
	servers := []sandbox.Server{{Product: "p", Name: "a"}, {Product: "q", Name: "b"}}
	for _, c := range []struct {
		machine sandbox.Machine
		refused bool
	}{
		{sandbox.Machine{Product: "p", Name: "a"}, false}, {sandbox.Machine{Product: "q", Name: "c"}, false},
		{sandbox.Machine{Product: "q", Name: "a"}, true},
	} {
		if err := apart(servers, []sandbox.Machine{c.machine}); (err != nil) != c.refused {
			t.Errorf("%v: %v", c.machine, err)
		}
	}
	if err := apart(append(servers, sandbox.Server{Product: "q", Name: "a"}), nil); err == nil {
		t.Error("two servers have one name")
	}
}

// TestOrWarn: what fails after a rehearsal has failed is said, and does not change how it has ended.
func TestOrWarn(t *testing.T) {
	var said bytes.Buffer
	c := &command{err: output.Guard(&said, func() *redact.Set { return nil })}
	ended, late := exitQuietly(exitWaiting), errors.New("the disk is full")
	if c.orWarn(nil, nil) != nil || !errors.Is(c.orWarn(nil, late), late) || said.Len() > 0 {
		t.Errorf("the only error is not the one: %s", &said)
	}
	if code, _ := codeOf(c.orWarn(ended, late)); code != exitWaiting || !strings.Contains(said.String(), late.Error()) {
		t.Errorf("exit code %d: %s", code, &said)
	}
}
