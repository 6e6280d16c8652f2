package depotsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sessionLasts is how long a session lasts that nobody ends.
const sessionLasts = 15 * time.Minute

// Handler is what a depot answers.
func (w *World) Handler(server string) http.Handler {
	d := w.depots[server]
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sessions", func(out http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "keeper" || password != d.Password {
			http.Error(out, fmt.Sprintf("wrong password: %s", password), http.StatusUnauthorized) // carelessly repeated
			return
		}
		w.issued++
		token := fmt.Sprintf("token-%d-of-%s", w.issued, server)
		d.sessions[token] = w.now.Add(sessionLasts)
		answer(out, map[string]string{"token": token})
	})
	mux.HandleFunc("DELETE /sessions", d.within(func(_ http.ResponseWriter, _ *http.Request, token string) {
		delete(d.sessions, token)
	}))
	mux.HandleFunc("GET /boxes", d.within(func(out http.ResponseWriter, _ *http.Request, _ string) {
		answer(out, d.Boxes)
	}))
	mux.HandleFunc("GET /boxes/{name}", d.within(func(out http.ResponseWriter, r *http.Request, _ string) {
		if b := d.Boxes[r.PathValue("name")]; b != nil {
			answer(out, b)
			return
		}
		http.NotFound(out, r)
	}))
	mux.HandleFunc("PUT /boxes/{name}", d.within(d.paint))
	mux.HandleFunc("DELETE /boxes/{name}", d.within(func(out http.ResponseWriter, r *http.Request, _ string) {
		if d.Boxes[r.PathValue("name")] == nil {
			http.NotFound(out, r)
			return
		}
		delete(d.Boxes, r.PathValue("name"))
	}))
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		mux.ServeHTTP(out, r)
	})
}

// within answers those who have a session.
func (d *depot) within(handle func(out http.ResponseWriter, r *http.Request, token string)) http.HandlerFunc {
	return func(out http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if d.sessions[token].IsZero() {
			http.Error(out, "no session", http.StatusUnauthorized)
			return
		}
		handle(out, r, token)
	}
}

func (d *depot) paint(out http.ResponseWriter, r *http.Request, _ string) {
	var wanted struct {
		Color string `json:"color"`
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&wanted); err != nil || wanted.Color == "" {
		http.Error(out, "a color is needed, and nothing else", http.StatusBadRequest)
		return
	}
	name := r.PathValue("name")
	if d.Boxes[name] == nil {
		d.Boxes[name] = &box{}
	}
	d.Boxes[name].Color = wanted.Color
}

func answer(out http.ResponseWriter, v any) {
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(v) // a client that has gone away needs no answer
}
