package lsp

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var update = flag.Bool("update", false, "rewrite the golden parts of transcripts")

// catalog returns types with everything that a type may have.
func catalog() schema.Catalog {
	ref := &schema.Ref{Kind: schema.Server, Type: "depot"}
	return schema.Catalog{
		{Kind: schema.Server, Name: "depot", Summary: "A depot.", Body: schema.Body{Attributes: []schema.Attribute{
			{Name: "url", Type: cty.String, Required: true, Doc: "Where it is."},
			{Name: "user", Type: cty.String, Required: true, Doc: "Who logs in."},
			{Name: "password", Type: cty.String, Required: true, Secret: true, Doc: "The user's password."},
			{Name: "ca_file", Type: cty.String, Doc: "A file with certificates."},
		}}},
		{Kind: schema.Sync, Name: "depot", Summary: "A box that is kept equal.", Check: checkOpen, Body: schema.Body{
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

// checkOpen says that the open sync "ajar" needs boxes or a window.
func checkOpen(r *schema.Resource) hcl.Diagnostics {
	if r.Addr.Name != "ajar" || !r.Value.GetAttr("open").RawEquals(cty.True) ||
		!r.Value.GetAttr("boxes").IsNull() ||
		!r.Value.GetAttr("window").IsNull() {
		return nil
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Open, and nothing in it", Subject: r.RangeOf("open")}
	return hcl.Diagnostics{schema.WithMissing(d, r.RangeOf("open"), []string{"boxes"}, []string{"window", "boxes"},
		[]string{"server"}, []string{"unknown"})}
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
	said    []string                     // notifications that have not been shown
	found   map[string][]json.RawMessage // the diagnostics of each file, by URI
}

const home = "/depot"

func newClient(t *testing.T, files map[string]string) *client {
	t.Helper()
	c := &client{t: t, fs: afero.NewMemMapFs(), gate: make(chan time.Time), settled: make(chan bool),
		inbox: make(chan json.RawMessage, 1000), done: make(chan error, 1), texts: map[string]string{},
		found: map[string][]json.RawMessage{}}
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

// call sends a request and waits for the answer. Notifications that come before it are kept.
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
			if head.Method == "textDocument/publishDiagnostics" {
				var p struct {
					URI         string
					Diagnostics []json.RawMessage
				}
				c.decode(head.Params, &p)
				c.found[p.URI] = p.Diagnostics
			}
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

// change replaces a text that occurs once in a document.
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

// tick lets the pause pass, and waits until the changes have been checked.
func (c *client) tick() {
	c.call("barrier", nil) // what was changed before is known
	c.gate <- time.Time{}
	<-c.settled
	c.call("barrier", nil) // what was said before is here
}

// place returns the position of the cursor, which is a | in text. text without it is searched in the document.
func (c *client) place(name, text string) source.Position {
	c.t.Helper()
	before, after, _ := strings.Cut(text, "|")
	src := c.texts[name]
	if !strings.Contains(src, before+after) {
		c.t.Fatalf("%q does not stand in %s", before+after, name)
	}
	return source.NewText(src).Position(strings.Index(src, before+after)+len(before), source.UTF16)
}

func (c *client) at(method, name, text string) json.RawMessage {
	c.t.Helper()
	return c.call(method, map[string]any{"textDocument": documentID{uri(name)}, "position": c.place(name, text)})
}

// TestTranscripts checks the server's answers. The comment of a file holds what the editor says, one message per line;
// "want" holds the answers.
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

// say carries out one line of a transcript, and writes the answer.
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
	case "signature":
		var h *signatureHelp
		if c.decode(c.at("textDocument/signatureHelp", name, text), &h); h == nil {
			out.WriteString("  nothing\n")
			return
		}
		sig := h.Signatures[0]
		fmt.Fprintf(out, "  %s: %s\n", sig.Label, sig.Documentation.Value)
		if h.ActiveParameter < len(sig.Parameters) {
			fmt.Fprintf(out, "  at %s\n", sig.Parameters[h.ActiveParameter].Label)
		}
	case "links":
		var all []documentLink
		c.decode(c.call("textDocument/documentLink", map[string]any{"textDocument": documentID{uri(name)}}), &all)
		for _, l := range all {
			fmt.Fprintf(out, "  %s %s\n", show(l.Range), short(l.Target))
		}
	case "definition", "references", "highlight":
		c.showPlaces(out, word, name, text)
	case "rename", "renamed": // the second with the changes made
		if changed := c.showRename(out, name, text); word == "renamed" {
			c.replace(changed)
		}
	case "prepare":
		fmt.Fprintf(out, "  %s\n", c.at("textDocument/prepareRename", name, text))
	case "outline", "tokens", "format":
		c.showFile(out, word, name)
	case "fixes":
		c.fixes(out, name)
	case "actions":
		at := c.place(name, text)
		c.showActions(out, name, textRange{at, at})
	case "search":
		var all []symbolInformation
		c.decode(c.call("workspace/symbol", map[string]any{"query": name}), &all)
		for _, s := range all {
			fmt.Fprintf(out, "  %s at %s %s\n", s.Name, short(s.Location.URI), show(s.Location.Range))
		}
	case "save": // to the disk, behind the editor's back
		if err := afero.WriteFile(c.fs, filepath.Join(home, name), []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
		c.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{documentID{uri(name)}}})
	case "store": // to the disk, as the editor has it
		if err := afero.WriteFile(c.fs, filepath.Join(home, name), []byte(c.texts[name]), 0o644); err != nil {
			c.t.Fatal(err)
		}
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

// showItems writes completions, one per line. If there are many functions, it writes only their number.
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

func short(u string) string { return strings.TrimPrefix(u, uri("")) }

// showPlaces writes where a name is declared or used.
func (c *client) showPlaces(out *strings.Builder, word, name, text string) {
	c.t.Helper()
	method := map[string]string{"definition": "textDocument/definition", "references": "textDocument/references",
		"highlight": "textDocument/documentHighlight"}[word]
	var all []location
	c.decode(c.call(method, map[string]any{"textDocument": documentID{uri(name)}, "position": c.place(name, text),
		"context": map[string]any{"includeDeclaration": true}}), &all)
	for _, l := range all {
		fmt.Fprintf(out, "  %s %s\n", short(l.URI), show(l.Range))
	}
	if len(all) == 0 {
		out.WriteString("  nothing\n")
	}
}

// rename asks for a new name. It returns the documents with the edits applied, or the server's error.
func (c *client) rename(name string, at source.Position, to string) (map[string]string, string) {
	c.t.Helper()
	answer := c.call("textDocument/rename", map[string]any{"textDocument": documentID{uri(name)}, "position": at,
		"newName": to})
	if text, ok := strings.CutPrefix(string(answer), "error "); ok {
		var wrong struct {
			Message string `json:"message"`
		}
		c.decode(json.RawMessage(text), &wrong)
		return nil, wrong.Message
	}
	var edit workspaceEdit
	c.decode(answer, &edit)
	changed := map[string]string{}
	for u, edits := range edit.Changes {
		changed[short(u)] = apply(c.text(short(u)), edits)
	}
	return changed, ""
}

// text returns a file as the editor sees it.
func (c *client) text(name string) string {
	if text, ok := c.texts[name]; ok {
		return text
	}
	text, err := afero.ReadFile(c.fs, filepath.Join(home, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// apply applies edits to a text, the last first.
func apply(text string, edits []textEdit) string {
	lines := source.NewText(text)
	slices.SortStableFunc(edits, func(a, b textEdit) int {
		return lines.Offset(b.Range.Start, source.UTF16) - lines.Offset(a.Range.Start, source.UTF16)
	})
	for _, e := range edits {
		text = text[:lines.Offset(e.Range.Start, source.UTF16)] + e.NewText + text[lines.Offset(e.Range.End, source.UTF16):]
	}
	return text
}

// showRename writes the lines that change, and returns the documents with the edits applied.
func (c *client) showRename(out *strings.Builder, name, text string) map[string]string {
	c.t.Helper()
	text, to, _ := strings.Cut(text, " => ")
	changed, wrong := c.rename(name, c.place(name, text), to)
	if wrong != "" {
		fmt.Fprintf(out, "  refused: %s\n", wrong)
	}
	for _, file := range slices.Sorted(maps.Keys(changed)) {
		before, after := strings.Split(c.text(file), "\n"), strings.Split(changed[file], "\n")
		if len(before) != len(after) {
			for line := range strings.Lines(udiff.Unified("", "", c.text(file), changed[file])) {
				if strings.HasPrefix(line, "+") && line != "+++ \n" || strings.HasPrefix(line, "-") && line != "--- \n" {
					fmt.Fprintf(out, "  %s: %s\n", file, strings.TrimSuffix(line, "\n"))
				}
			}
			continue
		}
		for i := range after {
			if before[i] != after[i] {
				fmt.Fprintf(out, "  %s:%d %s\n", file, i, strings.TrimSpace(after[i]))
			}
		}
	}
	return changed
}

// showFile writes what is in a file.
func (c *client) showFile(out *strings.Builder, word, name string) {
	c.t.Helper()
	id := map[string]any{"textDocument": documentID{uri(name)}}
	switch word {
	case "outline":
		var all []documentSymbol
		c.decode(c.call("textDocument/documentSymbol", id), &all)
		var walk func(all []documentSymbol, indent string)
		walk = func(all []documentSymbol, indent string) {
			for _, s := range all {
				fmt.Fprintf(out, "%s%s %s\n", indent, s.Name, show(s.Range))
				walk(s.Children, indent+"  ")
			}
		}
		walk(all, "  ")
	case "tokens":
		var tokens semanticTokens
		c.decode(c.call("textDocument/semanticTokens/full", id), &tokens)
		lines := strings.Split(c.text(name), "\n")
		line, character := 0, 0
		for t := range slices.Chunk(tokens.Data, 5) {
			if line += t[0]; t[0] > 0 {
				character = 0
			}
			character += t[1]
			units := utf16.Encode([]rune(lines[line]))
			fmt.Fprintf(out, "  %d:%d %s %s\n", line, character, tokenTypes[t[3]],
				string(utf16.Decode(units[character:character+t[2]])))
		}
	case "format":
		var edits []textEdit
		c.decode(c.call("textDocument/formatting", id), &edits)
		for _, e := range edits {
			fmt.Fprintf(out, "  %s %q\n", show(e.Range), e.NewText)
		}
		c.texts[name] = apply(c.text(name), edits)
		c.version++
		c.notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri(name),
			"version": c.version}, "contentChanges": []any{map[string]any{"text": c.texts[name]}}})
	}
}

// fixes checks a file, and writes the fixes that are offered for each mistake.
func (c *client) fixes(out *strings.Builder, name string) {
	c.t.Helper()
	c.tick()
	c.said = nil
	for _, found := range c.found[uri(name)] {
		var d diagnostic
		c.decode(found, &d)
		fmt.Fprintf(out, "  %d: %s\n", d.Range.Start.Line, d.Message)
		c.showActions(out, name, d.Range, found)
	}
}

// showActions writes the fixes that are offered in a range with a diagnostic, with the lines that each adds.
func (c *client) showActions(out *strings.Builder, name string, at textRange, found ...json.RawMessage) {
	c.t.Helper()
	var all []codeAction
	answer := c.call("textDocument/codeAction", map[string]any{"textDocument": documentID{uri(name)},
		"range": at, "context": map[string]any{"diagnostics": append([]json.RawMessage{}, found...)}})
	if string(answer) == "null" {
		c.t.Error("no fixes are a list too")
	}
	c.decode(answer, &all)
	for _, a := range all {
		fmt.Fprintf(out, "  %s\n", a.Title)
		for _, e := range a.Edit.Changes[uri(name)] {
			fmt.Fprintf(out, "    %s %q\n", show(e.Range), e.NewText)
		}
	}
	if len(all) == 0 {
		out.WriteString("  nothing\n")
	}
}
