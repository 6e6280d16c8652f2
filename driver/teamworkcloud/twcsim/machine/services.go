package machine

import (
	"fmt"
	"slices"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// StartUp is how long a server takes to answer after it was started. ASSUMED: any time will do, as long as a client
// has to wait.
const StartUp = 300 * time.Millisecond

// UnitsOf returns the units on a machine of a release. Since 2022x the login server is part of the web application
// platform: its properties are in WebAppPlatform/shared/conf (MCS/pages/247048049).
func UnitsOf(r state.Release) []string {
	units := []string{state.UnitDatabase, state.UnitServer, state.UnitPages, state.UnitZookeeper}
	if r.Year < 2022 {
		units = append(units, state.UnitLogin)
	}
	slices.Sort(units)
	return units
}

// NewServices returns the services on a machine of a release. If running is nil, all of them run.
func NewServices(r state.Release, running []string, database bool) *state.Services {
	v := &state.Services{Running: map[string]bool{}, Started: map[string]time.Time{}, Failed: map[string]bool{}}
	for _, unit := range UnitsOf(r) {
		v.Running[unit] = running == nil || slices.Contains(running, unit)
	}
	v.Running[state.UnitDatabase] = database
	return v
}

// Begin loads the settings of the services that run when the world begins, as if they had been started before.
func Begin(s *state.Server, now time.Time) error {
	v := s.Services
	v.Boot = state.BootBefore(now)
	for _, unit := range UnitsOf(s.Release) {
		if !v.Running[unit] {
			continue
		}
		v.Started[unit] = now.Add(-state.UpFor)
		if err := load(s, unit); err != nil {
			return fmt.Errorf("%s runs, and cannot have read its settings: %w", unit, err)
		}
	}
	return nil
}

// Answers reports whether the server process runs and has come up. Without its database it answers too, but with
// errors.
func Answers(s *state.Server, now time.Time) bool {
	return s.Services.Running[state.UnitServer] && !now.Before(s.Services.ReadyAt)
}

// Works reports whether the server answers and can reach its data. ASSUMED: a cluster of one node does not need
// Zookeeper.
func Works(s *state.Server, now time.Time) bool {
	return Answers(s, now) && s.Services.Running[state.UnitDatabase]
}

// PagesTrouble returns why a person cannot use the web application, or nil.
func PagesTrouble(s *state.Server, now time.Time) error {
	login, apart := s.Services.Running[state.UnitLogin]
	if !Works(s, now) || !s.Services.Running[state.UnitPages] || apart && !login {
		return fmt.Errorf("the web application of %s does not answer", s.Name)
	}
	if reason := pagesDisconnected(s); reason != "" {
		return fmt.Errorf("the web application of %s does not get through to Teamwork Cloud: %s", s.Name, reason)
	}
	return nil
}

// StopUnit stops a service, whether it runs or not.
func StopUnit(s *state.Server, unit string) {
	s.Services.Running[unit] = false
	delete(s.Services.Failed, unit)
	if unit == state.UnitServer {
		clear(s.Sessions) // sessions exist only in the process
	}
}

// StartUnit starts a service unless it runs. The service then reads its settings, and fails if it cannot. After a
// start of the server, an earlier announcement no longer counts.
func StartUnit(s *state.Server, unit string, now time.Time) error {
	if s.Services.Running[unit] {
		return nil
	}
	if err := load(s, unit); err != nil {
		s.Services.Failed[unit] = true
		return err
	}
	delete(s.Services.Failed, unit)
	s.Services.Running[unit], s.Services.Started[unit] = true, now
	if unit == state.UnitServer {
		s.Services.ReadyAt = now.Add(StartUp)
		s.Services.Announced = false
	}
	return nil
}
