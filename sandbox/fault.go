package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/lazyregexp"
)

// FaultKind is the kind of a fault.
type FaultKind string

// The kinds of faults. A request that is "not carried out" never reaches the simulated server.
const (
	// the answer is an error: a status, exit code 1 of a command, a failed file access; not carried out
	Fail FaultKind = "fail"
	Hang FaultKind = "hang" // no answer until the client gives up or the sandbox closes; not carried out
	Cut  FaultKind = "cut"  // the connection is closed; not carried out
	Lost FaultKind = "lost" // carried out, then the connection is closed without an answer
	Late FaultKind = "late" // carried out, and answered after a delay
)

var faultKinds = []FaultKind{Fail, Hang, Cut, Lost, Late}

// The defaults of a fault.
const (
	DefaultFaultStatus = http.StatusServiceUnavailable
	DefaultFaultDelay  = 2 * time.Second
)

// Fault is a deliberate error. Every fault counts the requests that match its Server, Method and Path, over all
// clients, from 1, and applies to those from First to Last. If several faults apply to a request, the first one is
// used.
//
// Commands on machines and accesses to their files count as requests, with the method names of the access log. Lost
// applies to a file that is read or written when it is closed.
//
// Connections to ports count, too. Their method is CONNECT, and their path is that of the access log: the address
// that a machine was asked to connect to, or on loopback the port's name. Fail refuses them (on loopback they are
// accepted and closed), Hang accepts them and sends nothing, Cut and Lost accept and close them, and Late serves them
// after the delay. Connections that lead nowhere are refused and not counted.
type Fault struct {
	Server string // the server's or machine's name; "" is any
	Method string // in capitals; "" is any
	// a glob for the URL's path, the file's name, the command line, or the address: * within a segment, ** across
	// segments; "" is any
	Path       string
	First      int // the first matching request that it applies to; 0 is 1
	Last       int // the last one, math.MaxInt for no end; 0 is First
	Kind       FaultKind
	Status     int           // of Fail, 400 to 599; 0 is DefaultFaultStatus
	RetryAfter string        // of Fail: the header, whole seconds; "" is none
	Delay      time.Duration // of Late; 0 is DefaultFaultDelay
}

var faultKeys = []string{"server", "method", "path", "nth", "kind", "status", "retry_after", "delay"}

// ParseFault parses a fault in the form for people: key=value, separated by commas.
//
//	server=b,method=POST,path=**/resync,nth=1,kind=lost
//	path=**/connectors/*,nth=2-4,kind=fail,status=429,retry_after=1
//	kind=late,delay=3s,nth=*
//	method=EXEC,path=**systemctl*stop*,kind=lost
//	method=CONNECT,path=*:443,kind=fail
//
// nth is a number, a range (2-4, or 3- without an end) or * for all; the default is the first matching request. Only
// kind is required. No value can contain a comma; the * of a glob matches one.
func ParseFault(text string) (Fault, error) {
	var f Fault
	seen := map[string]bool{}
	for _, item := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok || value == "" {
			return Fault{}, fmt.Errorf("fault %q: %q is not of the form key=value; the keys are %s", text, item,
				strings.Join(faultKeys, ", "))
		}
		if seen[key] {
			return Fault{}, fmt.Errorf("fault %q: %s is given twice", text, key)
		}
		seen[key] = true
		if err := f.set(key, value); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	f, _, err := f.complete()
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

// FaultWords returns what may follow in a fault that is not written to its end: it with each key that is left, or with
// each word that its last key can have.
func FaultWords(typed string) []string {
	at := strings.LastIndexByte(typed, ',') + 1
	before, last := typed[:at], typed[at:]
	key, _, given := strings.Cut(last, "=")
	var out []string
	if !given {
		for _, key := range faultKeys {
			if !strings.Contains(","+before, ","+key+"=") {
				out = append(out, before+key+"=")
			}
		}
		return out
	}
	var words []string
	switch key {
	case "kind":
		for _, kind := range faultKinds {
			words = append(words, string(kind))
		}
	case "method":
		words = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, MethodExec,
			MethodConnect, methodRead, methodWrite, methodRename, methodRemove}
	case "nth":
		words = []string{"*"}
	}
	for _, word := range words {
		out = append(out, before+key+"="+word)
	}
	return out
}

func (f *Fault) set(key, value string) (err error) {
	switch key {
	case "server":
		f.Server = value
	case "method":
		f.Method = strings.ToUpper(value)
	case "path":
		f.Path = value
	case "nth":
		f.First, f.Last, err = parseNth(value)
	case "kind":
		f.Kind = FaultKind(value)
	case "status":
		if f.Status, err = strconv.Atoi(value); err != nil || f.Status == 0 {
			err = fmt.Errorf("status is a number from 400 to 599, not %q", value)
		}
	case "retry_after":
		f.RetryAfter = value
	case "delay":
		if f.Delay, err = time.ParseDuration(value); err != nil || f.Delay <= 0 {
			err = fmt.Errorf("delay is a length of time above zero as 500ms or 3s, not %q", value)
		}
	default:
		err = fmt.Errorf("there is no key %q; the keys are %s", key, strings.Join(faultKeys, ", "))
	}
	return err
}

func parseNth(value string) (first, last int, err error) {
	if value == "*" {
		return 1, math.MaxInt, nil
	}
	from, to, isRange := strings.Cut(value, "-")
	first, err = strconv.Atoi(from)
	last = first
	if err == nil && isRange {
		if last = math.MaxInt; to != "" {
			last, err = strconv.Atoi(to)
		}
	}
	if err != nil || first < 1 || last < first {
		return 0, 0, fmt.Errorf("nth counts from 1: a number, a range as 2-4 or 3-, or * for every one, not %q", value)
	}
	return first, last, nil
}

var httpMethod = lazyregexp.New(`^[A-Z]+$`)

// complete sets the defaults, checks the fault, and compiles its path.
func (f Fault) complete() (Fault, *regexp.Regexp, error) {
	if !slices.Contains(faultKinds, f.Kind) {
		kinds := fmt.Sprintf("%q", faultKinds)
		if f.Kind == "" {
			return f, nil, fmt.Errorf("it does not say its kind, one of %s", kinds)
		}
		return f, nil, fmt.Errorf("there is no kind %q; the kinds are %s", f.Kind, kinds)
	}
	for _, only := range []struct {
		set  bool
		key  string
		kind FaultKind
	}{{f.Status != 0, "status", Fail}, {f.RetryAfter != "", "retry_after", Fail}, {f.Delay != 0, "delay", Late}} {
		if only.set && f.Kind != only.kind {
			return f, nil, fmt.Errorf("%s belongs to kind=%s, not to kind=%s", only.key, only.kind, f.Kind)
		}
	}
	switch {
	case f.Kind == Fail && f.Status == 0:
		f.Status = DefaultFaultStatus
	case f.Kind == Late && f.Delay == 0:
		f.Delay = DefaultFaultDelay
	}
	f.First = max(f.First, 1)
	if f.Last == 0 {
		f.Last = f.First
	}
	switch {
	case f.Kind == Fail && (f.Status < 400 || f.Status > 599):
		return f, nil, fmt.Errorf("status is a number from 400 to 599, not %d", f.Status)
	case f.RetryAfter != "" && strings.Trim(f.RetryAfter, "0123456789") != "":
		return f, nil, fmt.Errorf("retry_after is in whole seconds, not %q", f.RetryAfter)
	case f.Method != "" && !httpMethod.MatchString(f.Method):
		return f, nil, fmt.Errorf("method is one of HTTP's, as GET or POST, EXEC for commands, CONNECT for "+
			"connections, or one for files, as WRITE, not %q", f.Method)
	case f.Path != "" && f.Path[0] != '/' && f.Path[0] != '*' && f.Method != MethodExec && f.Method != MethodConnect:
		return f, nil, fmt.Errorf("path begins with / or *, not as %q does", f.Path)
	}
	path, err := globPattern(f.Path)
	return f, path, err
}

// globPattern returns the regular expression for a glob over paths.
func globPattern(glob string) (*regexp.Regexp, error) {
	if glob == "" {
		glob = "**"
	}
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i := 0; i < len(glob); i++ {
		switch {
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(`.*`)
			i++
		case glob[i] == '*':
			b.WriteString(`[^/]*`)
		default:
			end := i + strings.IndexByte(glob[i:]+"*", '*')
			b.WriteString(regexp.QuoteMeta(glob[i:end]))
			i = end - 1
		}
	}
	b.WriteString(`$`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("path %q cannot be understood: %w", glob, err)
	}
	return re, nil
}

// String returns the fault in the form that ParseFault reads.
func (f Fault) String() string {
	var items []string
	add := func(key, value string) {
		if value != "" {
			items = append(items, key+"="+value)
		}
	}
	add("server", f.Server)
	add("method", f.Method)
	add("path", f.Path)
	switch {
	case f.First <= 1 && f.Last == math.MaxInt:
		add("nth", "*")
	case f.Last == math.MaxInt:
		add("nth", fmt.Sprintf("%d-", f.First))
	case f.Last > f.First:
		add("nth", fmt.Sprintf("%d-%d", max(f.First, 1), f.Last))
	default:
		add("nth", strconv.Itoa(max(f.First, 1)))
	}
	add("kind", string(f.Kind))
	if f.Status != 0 {
		add("status", strconv.Itoa(f.Status))
	}
	add("retry_after", f.RetryAfter)
	if f.Delay != 0 {
		add("delay", f.Delay.String())
	}
	return strings.Join(items, ",")
}

// injector counts requests and selects their faults.
type injector struct {
	mu     sync.Mutex
	faults []*countedFault
	only   map[string]bool // the servers that can be reached; nil for all
}

type countedFault struct {
	Fault

	path *regexp.Regexp
	seen int // matching requests so far
}

func newInjector(faults []Fault, products []product) (*injector, error) {
	in := &injector{}
	var names []string
	for _, p := range products {
		names = append(names, p.names()...)
	}
	for _, f := range faults {
		f, path, err := f.complete()
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", f, err)
		}
		if f.Server != "" && !slices.Contains(names, f.Server) {
			return nil, fmt.Errorf("fault %q: there is no server %q; the servers are %s", f, f.Server,
				strings.Join(names, ", "))
		}
		in.faults = append(in.faults, &countedFault{Fault: f, path: path})
	}
	return in, nil
}

// isolated reports whether a server cannot be reached.
func (in *injector) isolated(server string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.only != nil && !in.only[server]
}

// next counts a request and returns the fault that applies to it, or nil if there is none.
func (in *injector) next(server, method, path string) *Fault {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.only != nil && !in.only[server] {
		return &Fault{Kind: Cut}
	}
	var hit *Fault
	for _, f := range in.faults {
		if f.Server != "" && f.Server != server || f.Method != "" && f.Method != method || !f.path.MatchString(path) {
			continue
		}
		f.seen++
		if hit == nil && f.seen >= f.First && f.seen <= f.Last {
			hit = &f.Fault
		}
	}
	return hit
}
