package cli

import (
	"encoding/json"
	"testing"

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
		asked := &counter{}
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
		if got := asked.words(2, c.machines); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if _, err := new(counter).Write([]byte("half a li")); err == nil {
		t.Error("an incomplete line is counted")
	}
}
