// Package lsp is the language server for editors: what is wrong in a configuration, what can be written at a position,
// what a word means and where it is used. It speaks the Language Server Protocol on two streams. The files in an
// editor may come from anybody. So it contacts no server, reads no environment, runs nothing, and reads only files in
// the folders that are open.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/sourcegraph/jsonrpc2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
)

// Options configure a language server.
type Options struct {
	Fs      afero.Fs // with absolute names
	Catalog schema.Catalog
	Pages   []*reference.Page
	Version string // of the program
	Log     hclog.Logger

	// After is time.After, used to wait until nothing has been typed for a while.
	After func(time.Duration) <-chan time.Time
}

// errNoShutdown is returned by Serve if the editor disconnected, or sent exit, without shutdown before.
var errNoShutdown = errors.New("the editor has ended without saying shutdown")

// Serve answers an editor until it sends exit or disconnects, or until ctx ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, opts Options) error {
	return newServer(opts).serve(ctx, in, out)
}

type server struct {
	opts    Options
	conn    *jsonrpc2.Conn
	checker *checker
	ended   chan struct{} // closed by exit
	slots   chan struct{} // holds a value for each question that is being answered

	mu       sync.Mutex
	began    bool // initialize was received
	shutdown bool // shutdown was received
	enc      source.Encoding
	snippets bool                 // the editor supports snippets
	folders  []string             // folders that the editor has open, absolute
	docs     map[string]*document // open documents, by path
	size     int                  // total size of their texts, in bytes
	running  map[jsonrpc2.ID]context.CancelFunc
	asked    int           // number of questions that are not answered yet
	idle     chan struct{} // closed when all are answered
	cache    *cache
	loading  chan struct{} // see view
	settled  func()        // for tests: called when changes have been checked
}

// maxRunning is the maximum number of questions that are answered at a time. Others wait.
const maxRunning = 8

// maxAsked is the maximum number of questions that are not answered yet.
const maxAsked = 1_000

var errTooMany = fmt.Errorf("more than %d questions wait for their answers", maxAsked)

func newServer(opts Options) *server {
	s := &server{opts: opts, ended: make(chan struct{}), slots: make(chan struct{}, maxRunning), enc: source.UTF16,
		docs: map[string]*document{}, running: map[jsonrpc2.ID]context.CancelFunc{}, cache: newCache(),
		loading: make(chan struct{}, 1)}
	s.checker = &checker{server: s, changed: make(chan struct{}, 1), found: map[string]*findings{},
		published: map[string]string{}}
	return s
}

func (s *server) serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan struct{})
	quiet := jsonrpc2.SetLogger(log.New(io.Discard, "", 0))
	s.conn = jsonrpc2.NewConn(ctx, newStream(in, out), jsonrpc2Handler{s, ready}, quiet)
	close(ready)
	var err error
	checked := make(chan error, 1)
	go func() {
		var err error
		defer func() { checked <- err }()
		defer fault.Catch(&err)
		s.checker.run(ctx)
	}()
	select {
	case <-s.ended:
	case <-s.conn.DisconnectNotify():
	case err = <-checked:
		checked <- nil
	}
	cancel()
	if left := <-checked; err == nil {
		err = left
	}
	s.rest(context.WithoutCancel(ctx)) // questions end soon, since ctx has ended
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shutdown {
		return errNoShutdown
	}
	return nil
}

// jsonrpc2Handler passes messages to the server, in order.
type jsonrpc2Handler struct {
	*server

	ready <-chan struct{} // closed when server.conn is set
}

// Handle implements jsonrpc2.Handler.
func (h jsonrpc2Handler) Handle(ctx context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) {
	<-h.ready
	var err error
	func() {
		defer fault.Catch(&err)
		h.message(ctx, req)
	}()
	if err != nil {
		h.faulty(ctx, err)
		if !req.Notif {
			h.answer(ctx, req.ID, nil, err)
		}
	}
}

// faulty reports a panic to the editor. The server goes on: each question is answered from an immutable view.
func (s *server) faulty(ctx context.Context, err error) {
	var f *fault.Error
	if errors.As(err, &f) {
		s.opts.Log.Error("a fault of the language server", "stack", f.Stack)
	}
	s.show(ctx, "A fault of syncctl: this was not answered. Please report it.")
}

func (s *server) show(ctx context.Context, text string) {
	_ = s.conn.Notify(ctx, "window/showMessage", showMessageParams{1, text}) // an error means that the editor is gone
}

// The error codes of the protocol.
const (
	codeNotInitialized = -32002
	codeCancelled      = -32800
	codeFailed         = -32803
)

// message handles one message. Changes of documents are applied at once. Questions are answered in goroutines.
func (s *server) message(ctx context.Context, req *jsonrpc2.Request) {
	var params json.RawMessage
	if req.Params != nil {
		params = *req.Params
	}
	s.mu.Lock()
	began, down := s.began, s.shutdown
	s.mu.Unlock()
	switch {
	case req.Method == "exit":
		s.end()
	case req.Notif && req.Method == "$/cancelRequest":
		s.cancel(params)
	case req.Notif:
		if change := changes[req.Method]; change != nil && began && !down {
			change(s, ctx, params)
		}
	case req.Method == "initialize" && !began:
		result, err := s.initialize(params)
		s.answer(ctx, req.ID, result, err)
	case !began:
		s.answer(ctx, req.ID, nil, &jsonrpc2.Error{Code: codeNotInitialized, Message: "initialize comes first"})
	case req.Method == "shutdown":
		s.mu.Lock()
		s.shutdown = true
		s.mu.Unlock()
		s.rest(ctx)
		s.answer(ctx, req.ID, nil, nil)
	case down || questions[req.Method] == nil:
		s.answer(ctx, req.ID, nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound,
			Message: fmt.Sprintf("there is no method %q here", req.Method)})
	default:
		s.ask(ctx, req.ID, questions[req.Method], params)
	}
}

// rest waits until all questions are answered.
func (s *server) rest(ctx context.Context) {
	for {
		s.mu.Lock()
		asked, idle := s.asked, s.idle
		s.mu.Unlock()
		if asked == 0 {
			return
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// changes holds the handlers of notifications.
var changes = map[string]func(*server, context.Context, json.RawMessage){
	"initialized":                         (*server).initialized,
	"textDocument/didOpen":                (*server).didOpen,
	"textDocument/didChange":              (*server).didChange,
	"textDocument/didClose":               (*server).didClose,
	"textDocument/didSave":                (*server).didSave,
	"workspace/didChangeWatchedFiles":     (*server).didChangeFiles,
	"workspace/didChangeWorkspaceFolders": (*server).didChangeFolders,
}

// question answers one kind of request.
type question func(context.Context, *view, json.RawMessage) (any, error)

var questions map[string]question

func init() {
	questions = map[string]question{
		"textDocument/codeAction":          with((*view).actions),
		"textDocument/completion":          with((*view).complete),
		"textDocument/definition":          with((*view).definition),
		"textDocument/documentHighlight":   with((*view).highlights),
		"textDocument/documentLink":        with((*view).links),
		"textDocument/documentSymbol":      with((*view).outline),
		"textDocument/formatting":          with((*view).format),
		"textDocument/hover":               with((*view).hover),
		"textDocument/prepareRename":       with((*view).prepareRename),
		"textDocument/references":          with((*view).references),
		"textDocument/rename":              with((*view).rename),
		"textDocument/semanticTokens/full": with((*view).tokens),
		"textDocument/signatureHelp":       with((*view).signature),
		"workspace/symbol":                 with((*view).search),
	}
}

// with returns a question that decodes its parameters and calls answer.
func with[P, R any](answer func(*view, context.Context, *P) (R, error)) question {
	return func(ctx context.Context, v *view, params json.RawMessage) (any, error) {
		p := new(P)
		if err := json.Unmarshal(params, p); err != nil {
			return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
		}
		return answer(v, ctx, p)
	}
}

// ask answers a question in a goroutine of its own, from the documents as they are now. ask itself does not wait for a
// slot, so that the editor can cancel the question meanwhile.
func (s *server) ask(ctx context.Context, id jsonrpc2.ID, q question, params json.RawMessage) {
	s.mu.Lock()
	if s.asked == maxAsked {
		s.mu.Unlock()
		s.answer(ctx, id, nil, errTooMany)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	if s.asked++; s.asked == 1 {
		s.idle = make(chan struct{})
	}
	s.running[id] = cancel
	v := s.view()
	s.mu.Unlock()
	go func() {
		defer s.answered()
		defer cancel()
		var result any
		var err error
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
			func() {
				defer fault.Catch(&err)
				result, err = q(ctx, v, params)
			}()
		case <-ctx.Done():
		}
		var f *fault.Error
		if errors.As(err, &f) {
			s.faulty(ctx, err)
		}
		if ctx.Err() != nil {
			err = &jsonrpc2.Error{Code: codeCancelled, Message: "cancelled"}
		}
		s.mu.Lock()
		delete(s.running, id)
		s.mu.Unlock()
		s.answer(ctx, id, result, err)
	}()
}

func (s *server) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked--; s.asked == 0 {
		close(s.idle)
	}
}

func (s *server) cancel(params json.RawMessage) {
	var p struct {
		ID jsonrpc2.ID `json:"id"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[p.ID]; cancel != nil {
		cancel()
	}
}

// answer sends an answer. It ignores errors, since they mean that the editor is gone.
func (s *server) answer(ctx context.Context, id jsonrpc2.ID, result any, err error) {
	if err == nil {
		_ = s.conn.Reply(ctx, id, result)
		return
	}
	var wrong *jsonrpc2.Error
	if !errors.As(err, &wrong) {
		wrong = &jsonrpc2.Error{Code: codeFailed, Message: err.Error()}
	}
	_ = s.conn.ReplyWithError(ctx, id, wrong)
}

func (s *server) initialize(params json.RawMessage) (any, error) {
	var p initializeParams
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = true
	for _, e := range p.Capabilities.General.PositionEncodings {
		if e == source.UTF8 {
			s.enc = e
		}
	}
	s.snippets = p.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport
	uris := []string{p.RootURI}
	if len(p.WorkspaceFolders) > 0 {
		uris = nil
	}
	for _, f := range p.WorkspaceFolders {
		uris = append(uris, f.URI)
	}
	for _, uri := range uris {
		s.addFolder(uri)
	}
	return map[string]any{"capabilities": capabilities(s.enc), "serverInfo": map[string]string{"name": "syncctl",
		"version": s.opts.Version}}, nil
}

func (s *server) addFolder(uri string) {
	if path, ok := pathOf(uri); ok && !slices.Contains(s.folders, path) {
		s.folders = append(s.folders, path)
	}
}

func (s *server) initialized(context.Context, json.RawMessage) {}

// view returns the documents as they are now. It must be called with mu held.
func (s *server) view() *view {
	docs := maps.Clone(s.docs)
	return &view{opts: &s.opts, enc: s.enc, snippets: s.snippets, folders: slices.Clone(s.folders), docs: docs,
		fs: newOverlay(s.opts.Fs, docs), cache: s.cache, loading: s.loading, files: map[string]*file{},
		declaredIn: map[string]*declarations{}, mayOpen: map[[2]string]bool{}}
}

func (s *server) didChangeFolders(_ context.Context, params json.RawMessage) {
	var p foldersParams
	if json.Unmarshal(params, &p) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range p.Event.Removed {
		if path, ok := pathOf(f.URI); ok {
			s.folders = slices.DeleteFunc(s.folders, func(f string) bool { return f == path })
		}
	}
	for _, f := range p.Event.Added {
		s.addFolder(f.URI)
	}
}

// inside reports whether a path is one of the folders, or below one of them.
func inside(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		rel, err := filepath.Rel(f, path)
		return err == nil && filepath.IsLocal(rel)
	})
}
