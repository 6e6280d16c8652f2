package drivertest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/sandbox"
)

// yardWorld is a made-up product for the kit's own tests. It has a server that keeps boxes and gives out sessions.
// Only a person can label boxes. A machine behind the server purges them while its service is stopped.
type yardWorld struct {
	mu       sync.Mutex
	url      string
	ssh      [3]string
	boxes    map[string]string // name -> label
	running  bool
	now      time.Time
	sessions []time.Time // when each ends by itself
}

const yardPassword = "keeper-4711"

func openYard(seed []byte) (sandbox.World, error) {
	w := &yardWorld{running: true, now: time.Now()}
	return w, json.Unmarshal(seed, &w.boxes)
}

func (w *yardWorld) Servers() []string  { return []string{"north"} }
func (w *yardWorld) Machines() []string { return []string{"north"} }

func (w *yardWorld) SetURL(_, url string) { w.url = url }
func (w *yardWorld) SetSSH(_, address string, key, hosts []byte) {
	w.ssh = [3]string{address, string(key), string(hosts)}
}

func (w *yardWorld) Environment(string) map[string]string {
	return map[string]string{
		"YARD_URL": w.url, "YARD_PASSWORD": yardPassword, "YARD_SSH": w.ssh[0], "YARD_KEY": w.ssh[1],
		"YARD_KNOWN_HOSTS": w.ssh[2],
	}
}

func (w *yardWorld) Files(string) afero.Fs { return afero.NewMemMapFs() }

// Tick ends old sessions.
func (w *yardWorld) Tick(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
	w.sessions = slices.DeleteFunc(w.sessions, func(until time.Time) bool { return until.Before(now) })
}

func (w *yardWorld) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{"boxes": maps.Clone(w.boxes), "running": w.running, "sessions": len(w.sessions)}
}

func (w *yardWorld) Handler(string) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, password, _ := r.BasicAuth(); password != yardPassword {
			http.Error(out, "wrong password", http.StatusUnauthorized)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/boxes/")
		switch {
		case r.URL.Path == "/login":
			w.sessions = append(w.sessions, w.now.Add(15*time.Minute))
		case r.URL.Path == "/logout" && len(w.sessions) > 0:
			w.sessions = w.sessions[1:]
		case r.Method == http.MethodPut:
			w.boxes[name] = cmp.Or(w.boxes[name], "none")
		default:
			list := []map[string]string{}
			for _, name := range slices.Sorted(maps.Keys(w.boxes)) {
				list = append(list, map[string]string{"name": name, "label": w.boxes[name]})
			}
			_ = json.NewEncoder(out).Encode(map[string]any{"boxes": list})
		}
	})
}

func (w *yardWorld) Person(_ context.Context, action string, values map[string]string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if action != "label" {
		return "", errors.ErrUnsupported
	}
	if w.boxes[values["box"]] == "" {
		return "", errors.New("there is no box " + values["box"])
	}
	w.boxes[values["box"]] = values["text"]
	return "labelled it", nil
}

func (w *yardWorld) Reads(_, command string) bool { return command == "service status" }

func (w *yardWorld) Run(_ context.Context, _, command string, _ io.Reader, stdout, stderr io.Writer) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	word, arg, _ := strings.Cut(command, " ")
	arg, _, _ = strings.Cut(arg, " ")
	switch {
	case command == "service status":
		_, _ = fmt.Fprintf(stdout, "running: %v\n", w.running)
	case command == "service drain":
	case command == "service stop":
		w.running = false
	case command == "service start":
		w.running = true
	case word == "purge" && w.running:
		_, _ = io.WriteString(stderr, "the service is running\n")
		return 1
	case word == "purge":
		delete(w.boxes, arg)
	default:
		return 127
	}
	return 0
}
