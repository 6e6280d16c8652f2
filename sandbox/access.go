package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// AccessLine is one line of the access log: one request to one simulated server, written when it has ended. Requests to the
// stand-in for a person are not in it.
type AccessLine struct {
	Time       time.Time `json:"time"` // when the request came; RFC 3339 with nanoseconds
	Server     string    `json:"server"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Query      string    `json:"query"`           // as sent, values of secret parameters replaced
	Status     int       `json:"status"`          // what the client got; 0: the connection was cut
	Fault      string    `json:"fault,omitempty"` // the kind of the fault that was applied
	CarriedOut bool      `json:"carried_out"`     // whether the simulated server got to see the request
	Product    string    `json:"product"`
	DurationMS int64     `json:"duration_ms"`
	BytesIn    int64     `json:"bytes_in"`  // of the request's body, as far as it was read
	BytesOut   int64     `json:"bytes_out"` // of the answer's body
}

// accessLog writes whole lines, one at a time: a reader that follows the file never sees half a line of one request within
// another's.
type accessLog struct {
	mu     sync.Mutex
	w      io.Writer // nil: none
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

var secretParameter = regexp.MustCompile(`(?i)pass|pwd|token|secret|credential|api_?key|auth|session|signature`)

// redactQuery keeps a query as it was sent, but for the values of parameters that are named like a secret.
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
