package backbonesim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

const backboneAPI = "/plugins/servlet/backbone-issue-sync/api/1/"

// example opens the seed of an example. replace has pairs of old and new text.
func example(t testing.TB, name string, replace ...string) *World {
	t.Helper()
	data, err := os.ReadFile("../../../examples/" + name + "/sandbox.json")
	if err != nil {
		t.Fatal(err)
	}
	var envelope struct {
		Backbone json.RawMessage `json:"backbone"`
	}
	if err := json.Unmarshal(data, &envelope); err != nil {
		t.Fatal(err)
	}
	text := string(envelope.Backbone)
	for n := 0; n < len(replace); n += 2 {
		if !strings.Contains(text, replace[n]) {
			t.Fatalf("the seed of %s has no %s", name, replace[n])
		}
		text = strings.ReplaceAll(text, replace[n], replace[n+1])
	}
	return open(t, text)
}

func open(t testing.TB, text string) *World {
	t.Helper()
	w, err := Open([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range w.Servers() {
		w.SetURL(name, "https://"+name+".example")
	}
	return w
}

// answer is the result of a call.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) into(t testing.TB, out any) {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), out); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// caller sends requests to one server as its administrator, with the required headers unless they are changed.
type caller struct {
	w      *World
	server string
	change func(*http.Request)
}

func (c caller) do(method, path, body string) answer {
	r := httptest.NewRequest(method, "https://"+c.server+".example"+path, strings.NewReader(body))
	s := c.w.Named[c.server]
	if u := s.Admin(); s.Cloud {
		r.SetBasicAuth(u.Email, u.Token)
	} else {
		r.SetBasicAuth(u.Name, u.Password)
	}
	r.Header.Set("X-Atlassian-Token", "nocheck")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.change != nil {
		c.change(r)
	}
	rec := httptest.NewRecorder()
	c.w.Handler(c.server).ServeHTTP(rec, r)
	out, _ := io.ReadAll(rec.Body)
	return answer{rec.Code, rec.Header(), string(out)}
}

func (c caller) backbone(method, path, body string) answer {
	return c.do(method, backboneAPI+path, body)
}

func (c caller) must(t testing.TB, method, path, body string) string {
	t.Helper()
	a := c.backbone(method, path, body)
	if a.status != http.StatusOK {
		t.Fatalf("%s %s on %s: %d %s", method, path, c.server, a.status, a.body)
	}
	return a.body
}

func on(w *World, server string) caller { return caller{w: w, server: server} }

func byPerson(t testing.TB, w *World, action string, values ...string) string {
	t.Helper()
	done, err := w.Person(t.Context(), action, valuesOf(values))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func valuesOf(list []string) map[string]string {
	out := map[string]string{}
	for n := 0; n < len(list); n += 2 {
		out[list[n]] = list[n+1]
	}
	return out
}

// ticks lets the world work until no message is in flight.
func ticks(w *World) {
	for range 100 {
		w.Tick(w.Now.Add(20 * time.Millisecond))
	}
}

func stateOf(t testing.TB, w *World) string {
	t.Helper()
	out, err := json.MarshalIndent(w.State(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func pairsOf(t testing.TB, c caller, connector, query string) []map[string]any {
	t.Helper()
	var out []map[string]any
	c.backbone("GET", "connectors/"+connector+"/syncInformation"+query, "").into(t, &out)
	return out
}

// sequences returns the pairs, by their key on one end, for which the one end has sent another number than the other
// has received.
func sequences(t testing.TB, from, to []map[string]any) (disagreeing []string) {
	t.Helper()
	received := map[string]any{}
	for _, p := range to {
		received[fmt.Sprint(p["remoteIssueKey"])] = p["incomingMessageSequenceId"]
	}
	for _, p := range from {
		if key := fmt.Sprint(p["localIssueKey"]); received[key] != p["outgoingMessageSequenceId"] {
			disagreeing = append(disagreeing, key)
		}
	}
	return disagreeing
}

func sameJSON(t testing.TB, got, want string) bool {
	t.Helper()
	var a, b bytes.Buffer
	if json.Compact(&a, []byte(got)) != nil || json.Compact(&b, []byte(want)) != nil {
		t.Fatalf("not JSON: %s", got)
	}
	return a.String() == b.String()
}
