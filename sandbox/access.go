package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/lazyregexp"
)

// The protocols of the access log.
const (
	ProtocolHTTPS = "https" // a request to a server
	ProtocolSSH   = "ssh"   // a command on a machine
	ProtocolSFTP  = "sftp"  // an access to a machine's files
	ProtocolTCP   = "tcp"   // a connection that is not HTTP, to a port of a Network
)

// MethodExec is the method of a command on a machine, in the access log and in faults. The methods of accesses to its
// files are READ and WRITE (for a file from its opening to its closing), STAT, LIST, SETSTAT, MKDIR, REMOVE, RENAME
// and LINK.
const MethodExec = "EXEC"

// MethodConnect is the method of a connection to a port, in the access log and in faults.
const MethodConnect = "CONNECT"

// noExitCode is the status of a command if its client got no exit code.
const noExitCode = -1

// AccessLine is one line of the access log: one request to a simulated server, one connection to a port, one command
// on a simulated machine, or one access to its files. It is written when that has ended, or, if a fault makes it
// hang, when it begins to hang. Requests to the stand-in for a person are not logged.
type AccessLine struct {
	Time     time.Time `json:"time"`   // when the request came; RFC 3339 with nanoseconds
	Server   string    `json:"server"` // for a connection that leads nowhere: the machine that was to make it
	Protocol string    `json:"protocol"`
	Method   string    `json:"method"`
	// Path is the command line of a command, with what looks like a secret replaced; the name of a file; the address
	// that a machine was asked to connect to; or, for a connection on loopback, the port's name.
	Path  string `json:"path"`
	Query string `json:"query"` // as sent, values of secret parameters replaced

	// Status is what the client got. For a request: the HTTP status, or 0 if the connection was cut. For a command:
	// the exit code, or -1 if the client got none. For a file and a connection: always 0.
	Status int `json:"status"`

	Fault string `json:"fault,omitempty"` // the kind of the fault that was applied
	// whether it only reads: GET, HEAD, OPTIONS; a command that the world knows as reading; READ, STAT, LIST; CONNECT
	Reading    bool   `json:"reading"`
	CarriedOut bool   `json:"carried_out"` // whether the request reached the simulated server
	OK         bool   `json:"ok"`          // carried out without an error, even if the answer was lost
	Product    string `json:"product"`
	DurationMS int64  `json:"duration_ms"`
	// of the request's body, as far as it was read; for a port, of what the client sent
	BytesIn  int64 `json:"bytes_in"`
	BytesOut int64 `json:"bytes_out"` // of the answer's body; for a port, of what the server sent
	// beginning of the SHA-256 of the request's body, to tell requests to the same path apart
	Body string `json:"body,omitempty"`
}

// accessLog writes whole lines, one at a time, so that a reader that follows the file never sees two lines mixed.
type accessLog struct {
	mu     sync.Mutex
	w      io.Writer // may be nil
	failed error     // the first failure; nothing is written after it
}

func (a *accessLog) write(line AccessLine) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.w == nil || a.failed != nil {
		return
	}
	line.Time = line.Time.UTC()
	b, err := json.Marshal(line)
	if err == nil {
		_, err = a.w.Write(append(b, '\n'))
	}
	if err != nil {
		a.failed = fmt.Errorf("writing the access log: %w", err)
	}
}

func (a *accessLog) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

var secretParameter = lazyregexp.New(`(?i)pass|pwd|token|secret|credential|api_?key|auth|session|signature`)

// redactQuery returns a query as it was sent, except for the values of parameters with names of secrets.
func redactQuery(query string) string {
	if query == "" {
		return ""
	}
	params := strings.Split(query, "&")
	for i, p := range params {
		name, _, hasValue := strings.Cut(p, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		if hasValue && secretParameter.MatchString(plain) {
			params[i] = name + "=REDACTED"
		}
	}
	return strings.Join(params, "&")
}

// secretWord matches the names of secrets in command lines. It is narrower than for queries: --author is not a
// secret.
var (
	secretWord     = lazyregexp.New(`(?i)pass|pwd|token|secret|credential|api[_-]?key`)
	shellWord      = lazyregexp.New(`(?s)(?:[^\s'"\\]|\\.|'[^']*'?|"(?:\\.|[^"\\])*"?)+`)
	assignment     = lazyregexp.New(`(?s)^(["']?)(-{0,2}[A-Za-z_][A-Za-z0-9_.-]*)=`)
	addressWithKey = lazyregexp.New(`(?i)([a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s@]+@`)
)

// redactCommand returns a command line as it was sent, except for the values of options and variables with names of
// secrets (NAME=VALUE, --name=VALUE, --name VALUE) and the password in a URL.
func redactCommand(line string) string {
	named := false // the previous word is an option with the name of a secret
	line = shellWord.ReplaceAllStringFunc(line, func(word string) string {
		value := named
		named = false
		quote := word[:1] // if the word is quoted
		switch m := assignment.FindStringSubmatch(word); {
		case len(m) > 2 && secretWord.MatchString(m[2]):
			return m[1] + m[2] + "=REDACTED" + m[1]
		case strings.HasPrefix(word, "-"):
			named = m == nil && secretWord.MatchString(word)
		case value:
			return "REDACTED"
		case strings.ContainsAny(quote, `'"`) && strings.ContainsAny(word, " \t\n"): // a command line within this one
			inner, closed := strings.CutSuffix(word[1:], quote)
			if !closed {
				return quote + redactCommand(inner)
			}
			return quote + redactCommand(inner) + quote
		}
		return word
	})
	return addressWithKey.ReplaceAllString(line, "${1}REDACTED@")
}
