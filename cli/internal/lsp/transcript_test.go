package lsp

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var update = flag.Bool("update", false, "rewrite the golden parts of transcripts")

// catalog has types with everything that a type may have.
func catalog() schema.Catalog {
	ref := &schema.Ref{Kind: schema.Server, Type: "depot"}
	return schema.Catalog{
		{Kind: schema.Server, Name: "depot", Summary: "A depot.", Body: schema.Body{Attributes: []schema.Attribute{
			{Name: "url", Type: cty.String, Required: true, Doc: "Where it is."},
			{Name: "user", Type: cty.String, Required: true, Doc: "Who logs in."},
			{Name: "password", Type: cty.String, Required: true, Secret: true, Doc: "The user's password."},
			{Name: "ca_file", Type: cty.String, Doc: "A file with certificates."},
		}}},
		{Kind: schema.Sync, Name: "depot", Summary: "A box that is kept equal.", Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "server", Ref: ref, Required: true, Doc: "Where the box is."},
				{Name: "color", Type: cty.String, OneOf: []string{"red", "green"}, Default: cty.StringVal("red"),
					Doc: "Its color."},
				{Name: "boxes", Type: cty.List(cty.String), Doc: "Their names."},
				{Name: "open", Type: cty.Bool, Default: cty.False, Doc: "Whether it is open."},
			},
			Blocks: []schema.Block{
				{Name: "field", Label: "name", Many: true, Doc: "A field.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "mapping", Type: cty.String, Required: true, Doc: "How it is copied."}}}},
				{Name: "window", Doc: "When.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "from", Type: cty.String, Doc: "The beginning."}}}},
			},
		}},
	}
}

// client is an editor that talks to a server in memory.
type client struct {
	t       *testing.T
	fs      afero.Fs
	stream  *stream
	in      *io.PipeWriter
	gate    chan time.Time
	settled chan bool
	inbox   chan json.RawMessage
	done    chan error
	texts   map[string]string
	id      int
	version int
	said    []string // notifications that have not been shown
}

const home = "/work"

func newClient(t *testing.T, files map[string]string) *client {
	t.Helper()
	c := &client{t: t, fs: afero.NewMemMapFs(), gate: make(chan time.Time), settled: make(chan bool),
		inbox: make(chan json.RawMessage, 1000), done: make(chan error, 1), texts: map[string]string{}}
	for name, text := range files {
		if err := afero.WriteFile(c.fs, filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	c.in, c.stream = toServer, newStream(fromServer, toServer)
	s := newServer(Options{Fs: c.fs, Catalog: catalog(), Pages: reference.Pages(catalog(), &reference.Program{}),
		Version: "1.0.0", Log: hclog.NewNullLogger(), After: func(time.Duration) <-chan time.Time { return c.gate }})
	s.settled = func() { c.settled <- true }
	ctx, cancel := context.WithCancel(context.Background())
	go func() { c.done <- s.serve(ctx, fromClient, toClient); toClient.Close() }()
	go func() {
		defer close(c.inbox)
		for {
			var m json.RawMessage
			if c.stream.ReadObject(&m) != nil {
				return
			}
			c.inbox <- m
		}
	}()
	t.Cleanup(func() { cancel(); toServer.Close() })
	return c
}

func (c *client) send(m map[string]any) {
	m["jsonrpc"] = "2.0"
	if err := c.stream.WriteObject(m); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) notify(method string, params any) {
	c.send(map[string]any{"method": method, "params": params})
}

// call asks and waits for the answer. What the server says before is kept.
func (c *client) call(method string, params any) json.RawMessage {
	c.t.Helper()
	c.id++
	c.send(map[string]any{"id": c.id, "method": method, "params": params})
	return c.await(c.id)
}

func (c *client) await(id int) json.RawMessage {
	c.t.Helper()
	for m := range c.inbox {
		var head struct {
			ID     *int            `json:"id"`
			Method string          `json:"method"`
			Result json.RawMessage `json:"result"`
			Error  json.RawMessage `json:"error"`
			Params json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal(m, &head); err != nil {
			c.t.Fatal(err)
		}
		switch {
		case head.Method != "":
			c.said = append(c.said, head.Method+" "+string(head.Params))
		case head.ID != nil && *head.ID == id && head.Error != nil:
			return json.RawMessage("error " + string(head.Error))
		case head.ID != nil && *head.ID == id:
			return head.Result
		}
	}
	c.t.Fatalf("the server has ended without answering %d", id)
	return nil
}

func (c *client) initialize(capabilities string) json.RawMessage {
	c.t.Helper()
	got := c.call("initialize", map[string]any{"rootUri": "file://" + home, "capabilities": json.RawMessage(capabilities)})
	c.notify("initialized", map[string]any{})
	return got
}

func uri(name string) string { return "file://" + home + "/" + name }

func (c *client) open(name, text string) {
	c.texts[name] = text
	c.version++
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri(name),
		"languageId": "hcl", "version": c.version, "text": text}})
}

// change replaces a text that stands in a document once.
func (c *client) change(name, from, to string) {
	c.t.Helper()
	text := c.texts[name]
	if strings.Count(text, from) != 1 {
		c.t.Fatalf("%q stands %d times in %s", from, strings.Count(text, from), name)
	}
	at := strings.Index(text, from)
	lines := source.NewText(text)
	c.version++
	c.notify("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": uri(name), "version": c.version},
		"contentChanges": []any{map[string]any{"text": to, "range": textRange{lines.Position(at, source.UTF16),
			lines.Position(at+len(from), source.UTF16)}}}})
	c.texts[name] = text[:at] + to + text[at+len(from):]
}

// tick lets the pause pass, and waits until what was changed has been checked.
func (c *client) tick() {
	c.call("barrier", nil) // what was changed before is known
	c.gate <- time.Time{}
	<-c.settled
	c.call("barrier", nil) // what was said before is here
}

// place finds a text with a | in it, which is the cursor, and stands in the document once without it.
func (c *client) place(name, text string) source.Position {
	c.t.Helper()
	before, after, _ := strings.Cut(text, "|")
	src := c.texts[name]
	if strings.Count(src, before+after) != 1 {
		c.t.Fatalf("%q stands %d times in %s", before+after, strings.Count(src, before+after), name)
	}
	return source.NewText(src).Position(strings.Index(src, before+after)+len(before), source.UTF16)
}

func (c *client) at(method, name, text string) json.RawMessage {
	c.t.Helper()
	return c.call(method, map[string]any{"textDocument": documentID{uri(name)}, "position": c.place(name, text)})
}

// TestTranscripts: what the server answers to what an editor says. The comment of a file is what the editor says, a
// line each; "want" is what comes back.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { runTranscript(t, path) })
	}
}

func runTranscript(t *testing.T, path string) {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range ar.Files {
		if f.Name != "want" {
			files[f.Name] = string(f.Data)
		}
	}
	c := newClient(t, files)
	var out strings.Builder
	for line := range strings.Lines(string(ar.Comment)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fmt.Fprintf(&out, "> %s\n", line)
		c.say(&out, files, line)
		for _, said := range c.said {
			out.WriteString("  " + said + "\n")
		}
		c.said = nil
	}
	got := out.String()
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want" })
	if *update {
		if i < 0 {
			ar.Files = append(ar.Files, txtar.File{Name: "want"})
			i = len(ar.Files) - 1
		}
		ar.Files[i].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 || string(ar.Files[i].Data) != got {
		t.Errorf("%s: got\n%s\nwant what it says; -update rewrites it", path, got)
	}
}

// say says one line of a transcript, and writes what comes back.
func (c *client) say(out *strings.Builder, files map[string]string, line string) {
	c.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	name, text, _ := strings.Cut(rest, " ")
	text = strings.ReplaceAll(text, `\n`, "\n")
	switch word {
	case "initialize":
		fmt.Fprintf(out, "  %s\n", c.initialize(rest))
	case "open":
		c.open(name, files[name])
	case "change":
		from, to, _ := strings.Cut(text, " => ")
		c.change(name, from, to)
	case "close":
		c.notify("textDocument/didClose", map[string]any{"textDocument": documentID{uri(name)}})
	case "tick":
		c.tick()
	case "complete":
		var list completionList
		c.decode(c.at("textDocument/completion", name, text), &list)
		c.showItems(out, list.Items)
	case "hover":
		var h *hover
		if c.decode(c.at("textDocument/hover", name, text), &h); h == nil {
			out.WriteString("  nothing\n")
			return
		}
		fmt.Fprintf(out, "  %s\n", show(h.Range))
		for line := range strings.Lines(h.Contents.Value) {
			out.WriteString("  | " + line)
		}
		out.WriteString("\n")
	case "raw":
		var m map[string]any
		c.decode(json.RawMessage(rest), &m)
		c.send(m)
		if id, ok := m["id"].(float64); ok {
			fmt.Fprintf(out, "  %s\n", c.await(int(id)))
		}
	default:
		c.t.Fatalf("%q: nobody understands that", line)
	}
}

func (c *client) decode(m json.RawMessage, into any) {
	c.t.Helper()
	if err := json.Unmarshal(m, into); err != nil {
		c.t.Fatalf("%s: %v", m, err)
	}
}

func show(r textRange) string {
	return fmt.Sprintf("%d:%d-%d:%d", r.Start.Line, r.Start.Character, r.End.Line, r.End.Character)
}

// showItems writes completions, a line each; functions are counted where there are many.
func (c *client) showItems(out *strings.Builder, items []completionItem) {
	slices.SortStableFunc(items, func(a, b completionItem) int { return strings.Compare(a.SortText, b.SortText) })
	calls := 0
	for _, i := range items {
		if i.Kind == kindFunction && len(items) > 40 {
			calls++
			continue
		}
		fmt.Fprintf(out, "  %s  %q at %s", i.Label, i.TextEdit.NewText, show(i.TextEdit.Range))
		if i.Detail != "" {
			out.WriteString("  " + i.Detail)
		}
		out.WriteString("\n")
	}
	if calls > 0 {
		out.WriteString("  and the functions\n")
	}
	if len(items) == 0 {
		out.WriteString("  nothing\n")
	}
}
