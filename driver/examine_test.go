package driver_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
)

var now = time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)

func TestExamineCertificate(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		from, until time.Duration
		want        driver.State
	}{
		"long":          {-day, 31 * day, driver.OK},
		"soon over":     {-day, 29 * day, driver.Warn},
		"expired":       {-2 * day, -time.Second, driver.Fail},
		"not yet valid": {time.Hour, 90 * day, driver.Fail},
	} {
		x := driver.ExamineCertificate("certificate", &x509.Certificate{
			Subject: pkix.Name{CommonName: "jira"}, NotBefore: now.Add(c.from), NotAfter: now.Add(c.until),
		}, now)
		if x.State != c.want || (x.Advice == "") != (x.State == driver.OK) {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func TestExamineEndpoint(t *testing.T) {
	t.Parallel()
	at := func(skew time.Duration) *rest.Endpoint {
		return &rest.Endpoint{Status: 200, Took: 2 * time.Second, At: now.Add(time.Second), Date: now.Add(skew)}
	}
	undated := &rest.Endpoint{Status: 200, At: now}
	for name, c := range map[string]struct {
		e    *rest.Endpoint
		want []driver.State // reached, clock
	}{
		"same clock":         {at(0), []driver.State{driver.OK, driver.OK}},
		"a minute":           {at(-time.Minute), []driver.State{driver.OK, driver.OK}},
		"ahead":              {at(61 * time.Second), []driver.State{driver.OK, driver.Warn}},
		"behind":             {at(-time.Hour), []driver.State{driver.OK, driver.Warn}},
		"says no time":       {undated, []driver.State{driver.OK, driver.Unknown}},
		"has never answered": {nil, []driver.State{driver.Fail}},
	} {
		found := driver.ExamineEndpoint(t.Context(), c.e, "https://x.example", errors.New("refused"), now)
		if len(found) != len(c.want) {
			t.Fatalf("%s: %+v", name, found)
		}
		for i, x := range found {
			if x.State != c.want[i] {
				t.Errorf("%s: %+v, want %s", name, x, c.want[i])
			}
		}
	}
	found := driver.ExamineEndpoint(t.Context(), at(0), "https://x.example", fmt.Errorf("x: %w", rest.ErrAddress), now)
	if found[0].State != driver.Fail || found[0].What != driver.WhatReached {
		t.Errorf("another server: %+v", found[0])
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("too slow"))
	found = driver.ExamineEndpoint(ended, nil, "https://x.example", errors.New("context canceled"), now)
	if want := "https://x.example: no answer: too slow"; found[0].Seen != want {
		t.Errorf("%q, want %q", found[0].Seen, want)
	}
}
