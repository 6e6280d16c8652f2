package survey

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

func server(name string) *schema.Resource {
	return &schema.Resource{Addr: schema.Addr{Kind: schema.Server, Type: "teamwork_cloud", Name: name}}
}

// TestGather checks that what a look needs after it has seen something is observed in the next round, and nothing
// twice.
func TestGather(t *testing.T) {
	var mu sync.Mutex
	var made []string
	observe := func(_ context.Context, n planner.Need) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		made = append(made, n.What+n.Of)
		return &Readable{Known: true, IDs: []string{n.Of + "x"}}, nil
	}
	var got string
	err := Gather(t.Context(), Observer{Ask: observe}, func(v *View) {
		first := Look[Readable](v, server("a"), "r", "")
		Look[Readable](v, server("a"), "r", "")
		if first != nil {
			if second := Look[Readable](v, server("a"), "r", first.IDs[0]); second != nil {
				got = second.IDs[0]
			}
		}
	})
	if err != nil || got != "xx" || !slices.Equal(made, []string{"r", "rx"}) {
		t.Errorf("%v, %q, made %v", err, got, made)
	}
}

// TestNotObserved checks that no plan can be made from what has not been observed.
func TestNotObserved(t *testing.T) {
	v := NewView(planner.NewObservations())
	if Look[Server](v, server("a"), AboutServer, "") != nil || !v.Lacks() || v.Err() == nil {
		t.Errorf("lacks %v, %v", v.Lacks(), v.Err())
	}
	if want := []planner.Need{{Server: "server.teamwork_cloud.a", What: AboutServer}}; !slices.Equal(v.Needs(), want) {
		t.Errorf("needs %v", v.Needs())
	}
}

// TestBodiesSurviveWriting checks that observations are read from a file as they were made.
func TestBodiesSurviveWriting(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for _, body := range []any{
		&Server{Addr: "server.x.a", Text: "2024x Refresh3", Release: osmc.Release{Year: 2024, Refresh: 3},
			TLSPort: 10002, Ports: true},
		&Inventory{
			Categories: []osmc.Category{{ID: "c", Name: "Cars", Resources: []string{"r"}}},
			Resources:  []osmc.Resource{{ID: "r", Name: "Engine", Category: "c", ProjectID: "P", Removed: true}},
		},
		&Readable{}, &Readable{Known: true, IDs: []string{"r"}},
		&History{Refused: true},
		&History{History: &revision.History{
			Branches: []osmc.Branch{{ID: "b", Name: "trunk", Start: 1, Created: at}},
			Revisions: []osmc.Revision{{Number: 1, Branch: "b", Author: "ann", Created: at, DescriptionKnown: true,
				RootObjects: []string{"o"}}},
			Tags: []osmc.Tag{{ID: "t", Name: "R1", Revision: 1}},
		}},
		&Rights{User: "u", RoleID: "r", Own: &Assignments{Objects: []string{"c"}, Unknown: true}},
		&Rights{User: "u", RoleID: "r", Others: []string{"v"}},
		&Locks{Locks: []osmc.Lock{{User: "ann", Element: "e"}}},
	} {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		read := reflect.New(reflect.TypeOf(body).Elem()).Interface()
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(read); err != nil || !reflect.DeepEqual(body, read) {
			t.Errorf("%s\nread as %+v: %v", text, read, err)
		}
	}
}

// TestHold checks that a role holds in a category and in those within it, and that an assignment is unknown if the
// server does not show its scope.
func TestHold(t *testing.T) {
	inv := &Inventory{Categories: []osmc.Category{{ID: "top", Name: "Shared"}, {ID: "sub", Name: "From A",
		Parent: "top"}}}
	for name, c := range map[string]struct {
		rights      Rights
		path        string
		known, held bool
	}{
		"everywhere": {Rights{RoleID: "r", Own: &Assignments{Everywhere: true}}, "Shared/From A", true, true},
		"on what it is in": {Rights{RoleID: "r", Own: &Assignments{Objects: []string{"top"}}}, "Shared/From A", true,
			true},
		"on what is to be in": {Rights{RoleID: "r", Own: &Assignments{Objects: []string{"top"}}}, "Shared/New", true, true},
		"on another":          {Rights{RoleID: "r", Own: &Assignments{Objects: []string{"sub"}}}, "Shared", true, false},
		"of unknown scope":    {Rights{RoleID: "r", Own: &Assignments{Unknown: true}}, "Shared", false, false},
		"by the category":     {Rights{User: "u", RoleID: "r", Others: []string{"u"}}, "Shared", true, true},
		"not by the category": {Rights{User: "u", RoleID: "r", Others: []string{"v"}}, "Shared", false, false},
		"nobody says":         {Rights{User: "u", RoleID: "r"}, "Shared", false, false},
		"no role in the list": {Rights{User: "u"}, "Shared", false, false},
		"no category, nobody": {Rights{User: "u", RoleID: "r"}, "Other", false, false},
	} {
		seen := planner.NewObservations()
		id := ""
		if at := inv.CategoryAt(c.path); at != nil {
			id = at.ID
		}
		seen.Put(planner.Need{Server: "server.teamwork_cloud.a", What: AboutRole, Of: id}, time.Time{}, "", &c.rights)
		v := NewView(seen)
		got := v.roleIn(server("a"), inv, c.path)
		if got == nil || got.Known != c.known || got.Held != c.held {
			t.Errorf("%s: %+v, %v", name, got, v.Err())
		}
	}
}
