package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/lazyregexp"
)

// Part is one piece of an answer or a command's output: a member of a JSON document, or a word of any other text. A
// Part without either stands for a whole command.
type Part struct {
	Server string // the server or machine; "" is any
	Method string // as in the access log: GET, EXEC
	Route  string // the path or the command line without its IDs, see RouteOf
	Member string // "firstConnector.issuesInError"; "[]" for the elements of a list, "*" for a name that is an ID
	Word   int    // the number of the word in the text, from 1
}

// String returns the part for people: "a GET /api/*/status: firstConnector.issuesInError".
func (p Part) String() string {
	text := strings.TrimSpace(fmt.Sprintf("%s %s %s", p.Server, p.Method, p.Route))
	switch {
	case p.Member != "":
		return text + ": " + p.Member
	case p.Word > 0:
		return fmt.Sprintf("%s: word %d", text, p.Word)
	}
	return text
}

func comparePart(a, b Part) int {
	return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Server, b.Server),
		cmp.Compare(a.Member, b.Member), cmp.Compare(a.Word, b.Word))
}

// Way is how a part is hidden.
type Way string

// The ways of hiding. Members and words can be Removed or Renamed, members also Null, whole commands Denied or
// Bannered.
const (
	Removed  Way = "removed"  // it is left out
	Renamed  Way = "renamed"  // the member has another name, the word is a question mark
	Null     Way = "null"     // the member has no value
	Denied   Way = "denied"   // the command is not carried out, because sudo asks for a password
	Bannered Way = "bannered" // a login banner comes before the output of the command
)

// Ways returns the ways in which the part can be hidden.
func (p Part) Ways() []Way {
	switch {
	case p.Member != "":
		return []Way{Removed, Renamed, Null}
	case p.Word > 0:
		return []Way{Removed, Renamed}
	}
	return []Way{Denied, Bannered}
}

// Hidden is a part that is missing in answers and outputs, or is changed in them.
type Hidden struct {
	Part

	Way Way
}

// String returns the part and the way.
func (h Hidden) String() string { return h.Part.String() + " " + string(h.Way) }

// Parts collects the parts of answers and outputs. The zero value is empty and ready to use, by several goroutines.
type Parts struct {
	mu   sync.Mutex
	seen map[Part]bool
}

func (p *Parts) add(part Part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[Part]bool{}
	}
	p.seen[part] = true
}

// List returns each part once, sorted.
func (p *Parts) List() []Part {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Part, 0, len(p.seen))
	for part := range p.seen {
		out = append(out, part)
	}
	slices.SortFunc(out, comparePart)
	return out
}

var (
	withDigit = lazyregexp.New(`[^/]*[0-9][^/]*`)
	longID    = lazyregexp.New(`[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|` +
		`\b[0-9a-f]{16,}\b|[0-9]{6,}|:[0-9]{4,5}\b`)
)

// RouteOf returns a path or command line without what differs between things and between runs. "*" replaces segments
// of a URL's path with a digit, and UUIDs, long numbers and ports in command lines. What looks like a secret is also
// replaced.
func RouteOf(method, path string) string {
	if method == MethodExec {
		return longID.ReplaceAllString(redactCommand(path), "*")
	}
	return withDigit.ReplaceAllString(path, "*")
}

// bannerText is the text with which a machine greets every login.
const bannerText = "*** Authorized users only. 3 updates can be installed. ***\n"

// hiding changes answers and outputs on their way to the client.
type hiding struct {
	hidden []Hidden
	seen   *Parts // may be nil
}

func newHiding(o Options) (*hiding, error) {
	for _, h := range o.Hide {
		if !slices.Contains(h.Ways(), h.Way) {
			return nil, fmt.Errorf("hiding %s: such a part is hidden in one of the ways %q", h, h.Ways())
		}
	}
	return &hiding{hidden: o.Hide, seen: o.Parts}, nil
}

func (h *hiding) active() bool { return len(h.hidden) > 0 || h.seen != nil }

// ways returns the ways in which a part is hidden.
func (h *hiding) ways(p Part) []Way {
	var out []Way
	for _, one := range h.hidden {
		one.Server = cmp.Or(one.Server, p.Server)
		if one.Part == p {
			out = append(out, one.Way)
		}
	}
	return out
}

// handler hides parts of what a server answers.
func (h *hiding) handler(server string, next http.Handler) http.Handler {
	if !h.active() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := newMemo()
		next.ServeHTTP(m, r)
		body := h.text(Part{Server: server, Method: r.Method, Route: RouteOf(r.Method, r.URL.Path)}, m.body.Bytes())
		m.body.Reset()
		_, _ = m.body.Write(body) // a buffer never fails
		m.header.Del("Content-Length")
		m.replay(w)
	})
}

// denies reports whether a command is not carried out.
func (h *hiding) denies(machine, command string) bool {
	whole := Part{Server: machine, Method: MethodExec, Route: RouteOf(MethodExec, command)}
	return h.active() && slices.Contains(h.ways(whole), Denied)
}

// output returns a writer that hides parts of what a command prints. done must be called when the command has ended.
func (h *hiding) output(machine, command string, stdout io.Writer) (w io.Writer, done func()) {
	if !h.active() {
		return stdout, func() {}
	}
	whole := Part{Server: machine, Method: MethodExec, Route: RouteOf(MethodExec, command)}
	var said bytes.Buffer
	return &said, func() {
		if h.seen != nil {
			h.seen.add(whole)
		}
		if slices.Contains(h.ways(whole), Bannered) {
			_, _ = io.WriteString(stdout, bannerText) // the client may be gone
		}
		_, _ = stdout.Write(h.words(whole, said.Bytes()))
	}
}

// text hides parts of an answer's body.
func (h *hiding) text(of Part, body []byte) []byte {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(body) {
		return h.members(of, trimmed)
	}
	return h.words(of, body)
}

var word = lazyregexp.New(`\S+`)

// words hides words of a text.
func (h *hiding) words(of Part, text []byte) []byte {
	n := 0
	return word.ReplaceAllFunc(text, func(w []byte) []byte {
		n++
		of.Word = n
		if h.seen != nil {
			h.seen.add(of)
		}
		ways := h.ways(of)
		switch {
		case slices.Contains(ways, Removed):
			return nil
		case slices.Contains(ways, Renamed):
			return []byte("?")
		}
		return w
	})
}

// members hides members of a JSON document, which must be valid. All other members keep their bytes and their order.
func (h *hiding) members(of Part, doc []byte) []byte {
	if len(doc) == 0 || doc[0] != '{' && doc[0] != '[' {
		return doc
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	opening, _ := dec.Token() // here and below: the document is valid
	out := bytes.NewBuffer([]byte{doc[0]})
	within := of.Member
	comma := func() {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
	}
	for dec.More() {
		var value json.RawMessage
		if opening == json.Delim('[') {
			_ = dec.Decode(&value)
			of.Member = within + "[]"
			comma()
			out.Write(h.members(of, value))
			continue
		}
		token, _ := dec.Token()
		name, _ := token.(string)
		_ = dec.Decode(&value)
		of.Member = strings.TrimPrefix(within+".", ".") + longID.ReplaceAllString(name, "*")
		h.member(of, name, value, out, comma)
	}
	out.WriteByte(doc[len(doc)-1])
	return out.Bytes()
}

func (h *hiding) member(of Part, name string, value json.RawMessage, out *bytes.Buffer, comma func()) {
	if h.seen != nil {
		h.seen.add(of)
	}
	ways := h.ways(of)
	value = h.members(of, value)
	switch {
	case slices.Contains(ways, Removed):
		return
	case slices.Contains(ways, Renamed):
		name = "renamed " + name
	case slices.Contains(ways, Null):
		value = json.RawMessage("null")
	}
	comma()
	quoted, _ := json.Marshal(name) // a string is always JSON
	out.Write(quoted)
	out.WriteByte(':')
	out.Write(value)
}
