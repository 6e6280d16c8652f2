package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/reference"
)

// TestCancelled checks that a question that the editor cancels ends, and is answered as cancelled.
func TestCancelled(t *testing.T) {
	begun := make(chan bool)
	questions["test/wait"] = func(ctx context.Context, _ *view, _ json.RawMessage) (any, error) {
		begun <- true
		<-ctx.Done()
		return nil, nil
	}
	defer delete(questions, "test/wait")
	c := newClient(t, nil)
	c.initialize("{}")
	c.send(map[string]any{"id": 77, "method": "test/wait"})
	<-begun
	c.notify("$/cancelRequest", map[string]any{"id": 77})
	if got := string(c.await(77)); !strings.Contains(got, "-32800") {
		t.Error(got)
	}
}

// TestFaultOfAQuestion checks that a panic in a question is reported, and that the next question is answered.
func TestFaultOfAQuestion(t *testing.T) {
	questions["test/fault"] = func(context.Context, *view, json.RawMessage) (any, error) { panic("of the test") }
	defer delete(questions, "test/fault")
	c := newClient(t, map[string]string{"main.sync.hcl": "server "})
	c.initialize("{}")
	c.open("main.sync.hcl", "server ")
	if got := string(c.call("test/fault", nil)); !strings.Contains(got, "-32803") {
		t.Error(got)
	}
	if len(c.said) != 1 || !strings.HasPrefix(c.said[0], "window/showMessage") ||
		strings.Contains(c.said[0], "of the test") {
		t.Error(c.said)
	}
	if got := string(c.at("textDocument/completion", "main.sync.hcl", "server |")); !strings.Contains(got, "depot") {
		t.Error(got)
	}
}

// TestEnds checks what happens when the editor disconnects, with or without shutdown, and the answers before
// initialize.
func TestEnds(t *testing.T) {
	for _, say := range []bool{false, true} {
		c := newClient(t, nil)
		if got := string(c.call("textDocument/hover", nil)); !strings.Contains(got, "-32002") {
			t.Error(got)
		}
		c.initialize("{}")
		if say {
			c.call("shutdown", nil)
			if got := string(c.call("textDocument/hover", nil)); !strings.Contains(got, "-32601") {
				t.Error(got)
			}
			c.notify("exit", nil)
		} else {
			c.in.Close()
		}
		if err := <-c.done; (err == nil) != say {
			t.Error(say, err)
		}
	}
}

// TestMessagesThatCannotBeRead checks that an invalid message is answered, and the next one is read. A header without
// a length ends the connection.
func TestMessagesThatCannotBeRead(t *testing.T) {
	framed := func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }
	for _, c := range []struct{ say, want string }{
		{framed(`{"jsonrpc":"2.0","id":1,"met`) + framed(`{"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}`),
			`"id":2,"result"`},
		{framed(`{"jsonrpc":"2.0","id":1,"met`), "-32700"},
		{framed(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}`), "-32602"},
		{"Content-Length: 99999999999\r\n\r\n{}", ""},
		{strings.Repeat("a", 10_000), ""},
		{strings.Repeat("a: b\r\n", 100), ""},
	} {
		var out bytes.Buffer
		err := Serve(t.Context(), strings.NewReader(c.say), &out, hostileOptions(afero.NewMemMapFs()))
		if err == nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%.80q: %v, %s", c.say, err, out.String())
		}
	}
}

func hostileOptions(fs afero.Fs) Options {
	return Options{Fs: fs, Catalog: catalog(), Pages: reference.Pages(catalog(), &reference.Program{}), Version: "1.0.0",
		Log: hclog.NewNullLogger(), After: func(time.Duration) <-chan time.Time {
			now := make(chan time.Time, 1)
			now <- time.Time{}
			return now
		}}
}

// FuzzSession checks that the server ends when the editor does, without a panic, whatever messages and texts it gets.
func FuzzSession(f *testing.F) {
	f.Add("server \"depot\" \"a\" {\n  url = upper(var.x)\n}\n", 1, 10, "x")
	f.Add("module \"m\" {\n  source = \".\"\n  size = [for a in module.m : a.b]\n}\n"+
		"output \"o\" { value = module.m.o }\n", 2, 9, "y")
	f.Add("sync \"depot\" \"t\" {\n  dynamic \"field\" {\n    iterator = server\n    content {\n"+
		"      mapping = server.value\n", 4, 18, "z")
	f.Fuzz(func(t *testing.T, text string, line, character int, to string) {
		var in bytes.Buffer
		say := newStream(nil, &in)
		id := 0
		send := func(method string, question bool, params any) {
			m := map[string]any{"jsonrpc": "2.0", "method": method, "params": params}
			if id++; question {
				m["id"] = id
			}
			if err := say.WriteObject(m); err != nil {
				t.Fatal(err)
			}
		}
		send("initialize", true, map[string]any{"rootUri": "file:///depot"})
		for _, name := range []string{"main.sync.hcl", "more.sync.hcl.json", "a.syncvars.hcl", "a.synctest.hcl"} {
			send("textDocument/didOpen", false, map[string]any{"textDocument": map[string]any{"uri": uri(name), "text": text}})
		}
		at := map[string]int{"line": line, "character": character}
		for _, name := range []string{"main.sync.hcl", "more.sync.hcl.json", "a.syncvars.hcl", "a.synctest.hcl"} {
			for method := range questions {
				send(method, true, map[string]any{"textDocument": documentID{uri(name)}, "position": at, "newName": to,
					"query": to, "range": map[string]any{"start": at, "end": at}})
			}
			send("textDocument/didChange", false, map[string]any{"textDocument": documentID{uri(name)},
				"contentChanges": []any{map[string]any{"text": to, "range": map[string]any{"start": at, "end": at}}}})
		}
		send("shutdown", true, nil)
		send("exit", false, nil)
		var out bytes.Buffer
		open := io.MultiReader(&in, neverEnding{t.Context()})
		if err := Serve(t.Context(), open, &out, hostileOptions(afero.NewMemMapFs())); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "A fault of syncctl") || strings.Contains(out.String(), "a fault of the program") {
			t.Fatalf("%q %d %d %q: %s", text, line, character, to, out.String())
		}
	})
}

// neverEnding is a stream from which nothing more comes.
type neverEnding struct{ ctx context.Context }

func (n neverEnding) Read([]byte) (int, error) {
	<-n.ctx.Done()
	return 0, io.EOF
}

// TestNothingIsEvaluated checks that expressions are not evaluated, since evaluation would have no limits here.
func TestNothingIsEvaluated(t *testing.T) {
	list := "[" + strings.Repeat("0,", 1000) + "]"
	endless := strings.ReplaceAll("[for a in LIST : [for b in LIST : [for c in LIST : [for d in LIST : 0]]]]",
		"LIST", list)
	for before, after := range map[string]string{
		"local.x.|": "locals {\n  x = {\n    a = 1, \"b\" = 2, (" + endless + ") = 3\n  }\n}\n",
		"var.x.|": "variable \"x\" {\n  type = object({\n    a = string, b = optional(any, " + endless +
			")\n  })\n}\n",
	} {
		text := "output \"o\" {\n  value = " + strings.TrimSuffix(before, "|") + "\n}\n"
		c := newClient(t, map[string]string{"more.sync.hcl": after})
		c.initialize("{}")
		c.open("main.sync.hcl", text)
		got := string(c.at("textDocument/completion", "main.sync.hcl", before))
		if !strings.Contains(got, `"label":"a"`) || !strings.Contains(got, `"label":"b"`) {
			t.Errorf("%s: %s", before, got)
		}
	}
}

// TestTextsOfOthersAreNoMarkdown checks that texts from files make no picture, and stay inside their code blocks.
func TestTextsOfOthersAreNoMarkdown(t *testing.T) {
	const picture = "![](https://evil.example/x)"
	text := "variable \"x\" {\n  description = \"" + picture + "\"\n  type = object({ /*\n```\n" + picture +
		"\n*/ a = string })\n}\noutput \"o\" {\n  description = \"" + picture + "\"\n  value = var.x\n}\n" +
		"module \"m\" {\n  source = \"./m" + picture + "`\"\n}\nmodule \"n\" {\n  source = \"./n\"\n  y = module.n.p\n}\n"
	c := newClient(t, map[string]string{"n/n.sync.hcl": "variable \"y\" {\n  description = \"" + picture + "\"\n}\n" +
		"output \"p\" {\n  description = \"" + picture + strings.Repeat("long ", 100_000) + "\"\n}\n"})
	c.initialize("{}")
	c.open("main.sync.hcl", text)
	shown := 0
	check := func(md string) {
		if shown++; len(md) > 2*maxShown {
			t.Errorf("%d bytes are shown", len(md))
		}
		fence := ""
		for line := range strings.Lines(md) {
			switch mark := line[:len(line)-len(strings.TrimLeft(line, "`"))]; {
			case fence == "" && len(mark) >= 3:
				fence = mark
			case fence != "" && len(mark) >= len(fence):
				fence = ""
			case fence == "" && strings.Contains(line, picture) && !strings.Contains(line, "source = `"):
				t.Errorf("a picture in\n%s", md)
			}
		}
	}
	for _, place := range []string{"var.|x", "variable \"|x\"", "module \"|m\"", "module.n.|p", "|y = mod"} {
		var h hover
		c.decode(c.at("textDocument/hover", "main.sync.hcl", place), &h)
		check(h.Contents.Value)
	}
	for _, place := range []string{"  |y = mod", "module.n.|p", "var.|x"} {
		var list completionList
		c.decode(c.at("textDocument/completion", "main.sync.hcl", place), &list)
		for _, i := range list.Items {
			if i.Documentation != nil {
				check(i.Documentation.Value)
			}
		}
	}
	if shown < 8 {
		t.Errorf("only %d texts are shown", shown)
	}
}

// TestLinkToElsewhere checks that a module's folder is not read if it is a link that leads out of the open folders.
func TestLinkToElsewhere(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(dir, "main.sync.hcl"): "module \"m\" {\n  source = \"./m\"\n}\n" +
			"module \"n\" {\n  source = \"./n\"\n}\n",
		filepath.Join(dir, "n", "n.sync.hcl"):  "output \"o\" {}\n",
		filepath.Join(elsewhere, "m.sync.hcl"): "output \"o\" {}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "m")); err != nil {
		t.Fatal(err)
	}
	s := newServer(hostileOptions(afero.NewOsFs()))
	s.folders = []string{dir}
	v := s.view()
	f := v.file(filepath.Join(dir, "main.sync.hcl"))
	for i, want := range []bool{false, true} {
		if at, ok := v.moduleDir(f, f.tree.File.Blocks[i]); ok != want {
			t.Errorf("%q: %t", at, ok)
		}
	}
}

// TestCancelledInTheQueue checks that messages are read even while the maximum number of questions is being answered,
// since the next message may cancel one.
func TestCancelledInTheQueue(t *testing.T) {
	begun := make(chan bool, 2*maxRunning)
	questions["test/wait"] = func(ctx context.Context, _ *view, _ json.RawMessage) (any, error) {
		begun <- true
		<-ctx.Done()
		return nil, nil
	}
	defer delete(questions, "test/wait")
	c := newClient(t, nil)
	c.initialize("{}")
	for i := range maxRunning + 2 {
		c.send(map[string]any{"id": 100 + i, "method": "test/wait"})
	}
	for range maxRunning {
		<-begun
	}
	for i := maxRunning + 1; i >= 0; i-- {
		c.notify("$/cancelRequest", map[string]any{"id": 100 + i})
		if got := string(c.await(100 + i)); !strings.Contains(got, "-32800") {
			t.Error(got)
		}
	}
	c.call("shutdown", nil) // all are answered
}

// TestFolderWithoutEnd checks that one question reads, and the cache keeps, no more of many files than fits into the
// limit, and that a rename is refused then: uses may be in the files that were left out.
func TestFolderWithoutEnd(t *testing.T) {
	fs := afero.NewMemMapFs()
	text := "locals {\n  a = [" + strings.Repeat("b.c,", 1000) + "]\n}\n"
	for i := range 50 {
		if err := afero.WriteFile(fs, fmt.Sprintf("/depot/f%02d.sync.hcl", i), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(hostileOptions(fs))
	s.cache.most = 4 * source.Cost(text)
	variable := "variable \"x\" {\n}\n"
	s.put(newDocument("file:///depot/a.sync.hcl", "/depot/a.sync.hcl", 1, source.NewText(variable)))
	for range 2 {
		v := s.view()
		if n := len(v.in("/depot", configuration)); n > 7 || !errors.Is(v.unread, errTooMuch) {
			t.Errorf("%d files were read; some are left out: %v", n, v.unread)
		}
		if len(s.cache.files) > 5 || s.cache.cost > s.cache.most {
			t.Errorf("%d files are kept, of %d bytes", len(s.cache.files), s.cache.cost)
		}
	}
	p := &renameParams{NewName: "y"}
	p.TextDocument.URI, p.Position.Character = "file:///depot/a.sync.hcl", 10
	if _, err := s.view().rename(t.Context(), p); err == nil || !strings.Contains(err.Error(), errTooMuch.Error()) {
		t.Error(err)
	}
}

// slowFs blocks whoever opens a file named slow.sync.hcl, as a parser would that cannot be interrupted.
type slowFs struct {
	afero.Fs

	opened, open chan bool
}

func (s slowFs) Open(name string) (afero.File, error) {
	if filepath.Base(name) == "slow.sync.hcl" {
		s.opened <- true
		<-s.open
	}
	return s.Fs.Open(name)
}

func (s slowFs) OpenFile(name string, _ int, _ os.FileMode) (afero.File, error) { return s.Open(name) }

// TestLoadsDoNotPileUp checks that no load begins while one goes on that nobody waits for any more.
func TestLoadsDoNotPileUp(t *testing.T) {
	fs := slowFs{afero.NewMemMapFs(), make(chan bool, 10), make(chan bool)}
	if err := afero.WriteFile(fs.Fs, "/depot/slow.sync.hcl", []byte("locals {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	v := newServer(hostileOptions(fs)).view()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan bool)
	go func() {
		v.load(ctx, "/depot")
		left <- true
	}()
	<-fs.opened
	cancel()
	<-left
	if len(v.loading) != 1 {
		t.Error("another load may begin")
	}
	close(fs.open)
	if read, diags := v.load(t.Context(), "/depot"); len(read) != 1 || diags.HasErrors() {
		t.Error(read, diags)
	}
}
