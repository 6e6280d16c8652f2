// Package depotsim simulates depots. It knows their documents and not the driver, whose errors it would share:
// it refuses what a depot refuses.
//
//	POST   /sessions        with the keeper's password: {"token": ...}, which what follows sends as a bearer token
//	DELETE /sessions        ends the session
//	GET    /boxes           all of them, by name
//	GET    /boxes/NAME      {"color": ..., "label": ...}
//	PUT    /boxes/NAME      {"color": ...} paints the box, which is added if it is missing
//	DELETE /boxes/NAME      scraps it
//
// Labels are stuck on by people.
package depotsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// World is a set of depots. It satisfies sandbox.World with the standard library alone.
type World struct {
	mu     sync.Mutex
	depots map[string]*depot // by server
	issued int               // tokens
	now    time.Time
}

// depot is one server.
type depot struct {
	Password string          `json:"password"`
	Boxes    map[string]*box `json:"boxes"`

	url      string
	sessions map[string]time.Time // token -> when it ends by itself
}

type box struct {
	Color string `json:"color"`
	Label string `json:"label"`
}

// Open makes a world from its part of a sandbox.json: server -> password and boxes.
func Open(seed []byte) (*World, error) {
	w := &World{now: time.Now()}
	dec := json.NewDecoder(bytes.NewReader(seed))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w.depots); err != nil {
		return nil, err
	}
	for name, d := range w.depots {
		if d == nil || d.Password == "" {
			return nil, fmt.Errorf("depot %s has no password", name)
		}
		if d.Boxes == nil {
			d.Boxes = map[string]*box{}
		}
		d.sessions = map[string]time.Time{}
	}
	return w, nil
}

// Servers are the names of the depots.
func (w *World) Servers() []string { return slices.Sorted(maps.Keys(w.depots)) }

// SetURL sets the address of a depot.
func (w *World) SetURL(server, url string) { w.depots[server].url = url }

// Environment is what an example's files read.
func (w *World) Environment(server string) map[string]string {
	prefix := "DEPOT_" + strings.ToUpper(server)
	return map[string]string{prefix + "_URL": w.depots[server].url, prefix + "_PASSWORD": w.depots[server].Password}
}

// Person sticks a label on.
func (w *World) Person(_ context.Context, action string, values map[string]string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if action != "label_box" {
		return "", errors.ErrUnsupported
	}
	for _, d := range w.depots {
		if b := d.Boxes[values["box"]]; b != nil {
			b.Label = values["label"]
			return "stuck the label " + b.Label + " on " + values["box"], nil
		}
	}
	return "", fmt.Errorf("there is no box %s", values["box"])
}

// Tick ends sessions that nobody has ended.
func (w *World) Tick(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
	for _, d := range w.depots {
		maps.DeleteFunc(d.sessions, func(_ string, ends time.Time) bool { return ends.Before(now) })
	}
}

// State is everything but the passwords.
func (w *World) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	type state struct {
		Boxes    map[string]box `json:"boxes"`
		Sessions int            `json:"sessions"`
	}
	out := map[string]state{}
	for name, d := range w.depots {
		s := state{map[string]box{}, len(d.sessions)}
		for b, v := range d.Boxes {
			s.Boxes[b] = *v
		}
		out[name] = s
	}
	return out
}
