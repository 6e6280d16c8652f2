package twcsim

import (
	"fmt"
	"slices"
	"time"
)

// The units of a machine. "systemd units: twcloud zookeeper webapp (+ authserver old, cassandra, lmadmin)", from the vendor's
// own scripts; the licence server is not simulated.
const (
	unitServer    = "twcloud"
	unitPages     = "webapp"
	unitZookeeper = "zookeeper"
	unitLogin     = "authserver"
	unitDatabase  = "cassandra"
)

// startUp is how long a started server takes until it answers. ASSUMED: any time will do, as long as a client has to wait.
const startUp = 300 * time.Millisecond

// upFor is how long what runs has done so when a world begins. Its machine was started an hour earlier.
const upFor = 24 * time.Hour

func bootBefore(now time.Time) time.Time { return now.Add(-upFor - time.Hour).Truncate(time.Second) }

// unitsOf are the units that a machine of this release has. The login server is part of the web application platform since
// 2022x: its properties lie in WebAppPlatform/shared/conf (MCS/pages/247048049).
func unitsOf(r release) []string {
	units := []string{unitDatabase, unitServer, unitPages, unitZookeeper}
	if r.year < 2022 {
		units = append(units, unitLogin)
	}
	slices.Sort(units)
	return units
}

// newServices is what runs on a machine of this release; without a list all of it does.
func newServices(r release, running []string, database bool) *services {
	v := &services{running: map[string]bool{}, started: map[string]time.Time{}, failed: map[string]bool{}}
	for _, unit := range unitsOf(r) {
		v.running[unit] = running == nil || slices.Contains(running, unit)
	}
	v.running[unitDatabase] = database
	return v
}

// begin: what runs when the world begins has read its settings long ago.
func (s *server) begin(now time.Time) error {
	v := s.services
	v.boot = bootBefore(now)
	for _, unit := range unitsOf(s.release) {
		if !v.running[unit] {
			continue
		}
		v.started[unit] = now.Add(-upFor)
		if err := s.load(unit); err != nil {
			return fmt.Errorf("%s runs, and cannot have read its settings: %w", unit, err)
		}
	}
	return nil
}

// putOff moves what was and will be.
func (s *server) putOff(by time.Duration) {
	v := s.services
	if !v.readyAt.IsZero() {
		v.readyAt = v.readyAt.Add(by)
	}
	for unit, at := range v.started {
		v.started[unit] = at.Add(by)
	}
	v.boot = v.boot.Add(by).Truncate(time.Second)
	s.desk.putOff(by, v.boot)
}

// answers: the server process runs and has come up. Without its database it answers all the same, with errors.
func (s *server) answers(now time.Time) bool {
	return s.services.running[unitServer] && !now.Before(s.services.readyAt)
}

// works: it answers and can reach its data. ASSUMED: Zookeeper is not needed by a cluster of one node.
func (s *server) works(now time.Time) bool {
	return s.answers(now) && s.services.running[unitDatabase]
}

// pagesTrouble says why a person does not get through, nil if one does.
func (s *server) pagesTrouble(now time.Time) error {
	login, apart := s.services.running[unitLogin]
	if !s.works(now) || !s.services.running[unitPages] || apart && !login {
		return fmt.Errorf("the web application of %s does not answer", s.name)
	}
	if reason := s.pagesDisconnected(); reason != "" {
		return fmt.Errorf("the web application of %s does not get through to Teamwork Cloud: %s", s.name, reason)
	}
	return nil
}

func (s *server) stopUnit(unit string) {
	s.services.running[unit] = false
	delete(s.services.failed, unit)
	if unit == unitServer {
		clear(s.sessions) // they live in the process
	}
}

// startUnit starts what does not run, which reads its settings then; what cannot read them fails. Who was told that the server
// goes down has been told once.
func (s *server) startUnit(unit string, now time.Time) error {
	if s.services.running[unit] {
		return nil
	}
	if err := s.load(unit); err != nil {
		s.services.failed[unit] = true
		return err
	}
	delete(s.services.failed, unit)
	s.services.running[unit], s.services.started[unit] = true, now
	if unit == unitServer {
		s.services.readyAt = now.Add(startUp)
		s.services.announced = false
	}
	return nil
}
