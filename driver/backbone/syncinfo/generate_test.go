package syncinfo

import (
	"bytes"
	"fmt"
	"io"
)

// generator writes an export of n pairs as Backbone would, for side "SAM" (with partner "PAR"), or mirrored.
type generator struct {
	n, i    int
	mirror  bool
	mixed   bool // IDs are in no order
	buf     bytes.Buffer
	started bool
}

func (g *generator) Read(p []byte) (int, error) {
	for g.buf.Len() < len(p) && g.i <= g.n {
		g.more()
	}
	if g.buf.Len() == 0 {
		return 0, io.EOF
	}
	return g.buf.Read(p)
}

func (g *generator) more() {
	if !g.started {
		g.started = true
		g.buf.WriteString("{\n  \"firstConnector\": [")
	}
	if g.i == g.n {
		g.buf.WriteString("\n  ]\n}\n")
		g.i++
		return
	}
	sep := ",\n    "
	if g.i == 0 {
		sep = "\n    "
	}
	g.buf.WriteString(sep)
	local, remote, key := "SAM", "PAR", "CON-4-SAM"
	out, in := g.i%7, g.i%5
	if g.mirror {
		local, remote, key, out, in = remote, local, "CON-5-PAR", in, out
	}
	id := g.i
	if g.mixed {
		id = g.i * 7919 % 1_000_003
	}
	g.buf.WriteString("{\n")
	fmt.Fprintf(&g.buf, `      "id": %d,
      "connectorKey": "%s",
      "localIssueKey": "%s-%d",
      "remoteIssueKey": "%s-%d",
      "firstSyncDate": 1604663032918,
      "lastOutgoingChange": 1604663098456,
      "lastChangeSeen": 1604654096519,
      "outgoingMessageSequenceId": %d,
      "lastIncomingChange": 1604663109653,
      "incomingMessageSequenceId": %d,
`, id, key, local, g.i+1, remote, g.i+1, out, in)
	if g.i%3 != 0 {
		g.buf.WriteString("      \"comments\": [")
		for c := range g.i % 4 {
			if c > 0 {
				g.buf.WriteByte(',')
			}
			if g.mirror {
				fmt.Fprintf(&g.buf, "\n        {\n          \"remoteId\": \"%d\",\n          \"localId\": \"%d\"\n        "+
					"}", g.i*10+c, g.i*10+c+5)
			} else {
				fmt.Fprintf(&g.buf, "\n        {\n          \"localId\": \"%d\"\n        }", g.i*10+c)
			}
		}
		g.buf.WriteString("\n      ],\n")
	}
	g.buf.WriteString("      \"incomingChangesIgnored\": false\n    }")
	g.i++
}
