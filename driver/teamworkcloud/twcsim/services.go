package twcsim

import (
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
	v := &services{running: map[string]bool{}}
	for _, unit := range unitsOf(r) {
		v.running[unit] = running == nil || slices.Contains(running, unit)
	}
	v.running[unitDatabase] = database
	return v
}

// answers: the server process runs and has come up. Without its database it answers all the same, with errors.
func (s *server) answers(now time.Time) bool {
	return s.services.running[unitServer] && !now.Before(s.services.readyAt)
}

// works: it answers and can reach its data. ASSUMED: Zookeeper is not needed by a cluster of one node.
func (s *server) works(now time.Time) bool {
	return s.answers(now) && s.services.running[unitDatabase]
}

// pagesWork: a person gets through to the web application. Before 2022x the login is a service of its own.
func (s *server) pagesWork(now time.Time) bool {
	login, apart := s.services.running[unitLogin]
	return s.works(now) && s.services.running[unitPages] && (login || !apart)
}

func (s *server) stopUnit(unit string) {
	s.services.running[unit] = false
	if unit == unitServer {
		clear(s.sessions) // they live in the process
	}
}

// startUnit starts what does not run. Who was told that the server goes down has been told once.
func (s *server) startUnit(unit string, now time.Time) {
	if s.services.running[unit] {
		return
	}
	s.services.running[unit] = true
	if unit == unitServer {
		s.services.readyAt = now.Add(startUp)
		s.services.announced = false
	}
}
