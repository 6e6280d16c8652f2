package backbonesim

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// TestTranslate tests the mapping types of H/5.14/server/common-field-mapping-types and H/5.14/server/user.
func TestTranslate(t *testing.T) {
	s := open(t, small).Named["a"]
	s.AddUser(&state.User{Name: "x-dev", Email: "xdev@x.example"})
	s.AddUser(&state.User{Name: "shy", Email: "shy@x.example", Hidden: true})
	c := s.Integrations[0].Connectors[0]
	dev := &state.User{Name: "dev", Display: "Dev Eloper", Email: "DEV@x.example"}
	values := map[string]string{"High": "Major"}
	for _, one := range []struct {
		name string
		v    state.Value
		want string // "-" keeps what is there, "error" is refused
	}{
		{"passthrough", state.Value{Text: "High", Mapping: state.FieldMapping{Typ: "passthrough"}}, "High"},
		{"to text", state.Value{Text: "dev", User: dev, Mapping: state.FieldMapping{Typ: "to_text"}}, "Dev Eloper"},
		{"to text, no user", state.Value{Text: "High", Mapping: state.FieldMapping{Typ: "to_text"}}, "High"},
		{"correlation forward", state.Value{Text: "High", Forward: true,
			Mapping: state.FieldMapping{Typ: "correlation", Values: values}}, "Major"},
		{"correlation back", state.Value{Text: "Major",
			Mapping: state.FieldMapping{Typ: "correlation", Values: values}}, "High"},
		{"correlation, not in the list", state.Value{Text: "Low", Forward: true,
			Mapping: state.FieldMapping{Typ: "user_correlation", Values: values}}, "-"},
		{"user name", state.Value{Text: "dev", Mapping: state.FieldMapping{Typ: "user_passthrough_by_username"}}, "dev"},
		{"unknown user name", state.Value{Text: "ghost",
			Mapping: state.FieldMapping{Typ: "user_passthrough_by_username"}}, "error"},
		{"nobody", state.Value{Mapping: state.FieldMapping{Typ: "user_passthrough_by_username"}}, ""},
		{"email", state.Value{Text: "dev", User: dev, Mapping: state.FieldMapping{Typ: "user_passthrough_by_email"}},
			"dev"},
		{"hidden email of the sender", state.Value{Text: "dev",
			User:    &state.User{Email: "dev@x.example", Hidden: true},
			Mapping: state.FieldMapping{Typ: "user_passthrough_by_email"}}, "error"},
		{"hidden email of the receiver", state.Value{Text: "shy", User: &state.User{Email: "shy@x.example"},
			Mapping: state.FieldMapping{Typ: "user_passthrough_by_email"}}, "error"},
		{"email of an unknown sender", state.Value{Text: "dev",
			Mapping: state.FieldMapping{Typ: "user_passthrough_by_email"}}, "error"},
		{"prefix", state.Value{Text: "dev", Mapping: state.FieldMapping{Typ: "user_prefix", Prefix: "x-"}}, "x-dev"},
	} {
		text, use, err := engine.Translate(c, one.v)
		got := text
		if err != nil {
			got = "error"
		} else if !use {
			got = "-"
		}
		if got != one.want {
			t.Errorf("%s: %q, want %q", one.name, got, one.want)
		}
	}
}

// TestDirections checks that a mapping with one direction is only sent that way.
func TestDirections(t *testing.T) {
	for direction, want := range map[string][2]bool{
		"bidirectional": {true, true}, "first_to_second": {true, false}, "second_to_first": {false, true},
	} {
		w := open(t, strings.Replace(small, `"first":"summary"`, `"direction":"`+direction+`","first":"summary"`, 1))
		got := [2]bool{}
		byPerson(t, w, "edit_issue", "server", "a", "issue", "AA-1", "field", "summary", "value", "from a")
		ticks(w)
		got[0] = w.Named["b"].Issue("BB-1").Fields["summary"] == "from a"
		byPerson(t, w, "edit_issue", "server", "b", "issue", "BB-1", "field", "summary", "value", "from b")
		ticks(w)
		got[1] = w.Named["a"].Issue("AA-1").Fields["summary"] == "from b"
		if got != want {
			t.Errorf("%s: %v, want %v", direction, got, want)
		}
	}
}

// TestAttachmentsTravel checks that the sender of an attachment records nothing, and the receiver both IDs (behind
// firewall, master and slave file example).
func TestAttachmentsTravel(t *testing.T) {
	w := open(t, strings.Replace(small, `"transport":"file"`, `"transport":"file","attachments":true`, 1))
	ticks(w)
	byPerson(t, w, "add_attachment", "server", "a", "issue", "AA-1", "filename", "log.txt", "user", "dev")
	ticks(w)
	sent := w.Named["a"].Integrations[0].Connectors[0].ByLocal["AA-1"]
	got := w.Named["b"].Integrations[0].Connectors[0].ByLocal["BB-1"]
	if len(sent.Attachments) != 0 || len(got.Attachments) != 1 ||
		got.Attachments[0] != (state.IDPair{Remote: "10001", Local: "10001"}) {
		t.Errorf("sender %+v, receiver %+v", sent.Attachments, got.Attachments)
	}
	if files := w.Named["b"].Issue("BB-1").Attachments; len(files) != 1 || files[0].Filename != "log.txt" ||
		files[0].Author != "bot" {
		t.Errorf("%+v", files)
	}
}

// TestMoveTakesPeopleAlong checks that a move identifies people by their email, and creates accounts for those that
// the cloud site does not have.
func TestMoveTakesPeopleAlong(t *testing.T) {
	w := open(t, small)
	byPerson(t, w, "add_comment", "server", "a", "issue", "AA-1", "body", "hello", "user", "dev")
	byPerson(t, w, "add_comment", "server", "a", "issue", "AA-1", "body", "hello", "user", "root")
	byPerson(t, w, "add_attachment", "server", "a", "issue", "AA-1", "filename", "log.txt", "user", "dev")
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "AA", "cloud_server", "c")
	i := w.Named["c"].Issue("AA-1")
	if i.Comments[0].Author != "migrated:a:dev" || i.Comments[1].Author != "id:1" ||
		i.Attachments[0].Author != "migrated:a:dev" {
		t.Errorf("%+v %+v %+v", i.Comments[0], i.Comments[1], i.Attachments[0])
	}
	if got := on(w, "c").do("GET", "/rest/api/3/issue/AA-1/comment", "").body; !strings.Contains(got,
		`"emailAddress":"dev@x.example"`) {
		t.Error(got)
	}
	if i.Panels["a/INT-1"] != nil {
		t.Error("the sync info panel moved along")
	}
	if _, err := w.Person(t.Context(), "move_project_to_cloud",
		map[string]string{"server": "a", "project": "AA", "cloud_server": "c"}); err == nil {
		t.Error("a project moved twice")
	}
}

func TestResyncOfAStatus(t *testing.T) {
	w := open(t, small)
	ticks(w)
	w.Named["a"].Issue("AA-1").Fields["status"] = "Done"
	w.Named["a"].Issue("AA-1").Fields["summary"] = "changed behind Backbone's back"
	got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync",
		`{"jql":"key = AA-1","fieldMappings":[],"sendStatusField":true}`)
	if got.status != 200 {
		t.Fatal(got)
	}
	ticks(w)
	if i := w.Named["b"].Issue("BB-1"); i.Fields["status"] != "Done" || i.Fields["summary"] != "one" {
		t.Errorf("only the status was to travel: %v", i.Fields)
	}
}

// TestResyncLeavesChanges checks that a resync of one field does not drop a pending change of another.
func TestResyncLeavesChanges(t *testing.T) {
	w := open(t, strings.Replace(small, `[{"id":"11",`,
		`[{"id":"12","first":"description","second":"description"},{"id":"11",`, 1))
	ticks(w)
	byPerson(t, w, "edit_issue", "server", "a", "issue", "AA-1", "field", "description", "value", "long story")
	if got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync",
		`{"jql":"key = AA-1","fieldMappings":["11"]}`); got.status != 200 {
		t.Fatal(got)
	}
	ticks(w)
	if got := w.Named["b"].Issue("BB-1").Fields["description"]; got != "long story" {
		t.Errorf("description %q", got)
	}
}

// TestResyncCreates checks that a resync creates what is not paired, limited by JQL.
func TestResyncCreates(t *testing.T) {
	w := open(t, small)
	ticks(w)
	if got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync",
		`{"jql":"key != AA-3","fieldMappings":["11"]}`); got.status != 200 {
		t.Fatal(got)
	}
	ticks(w)
	c := w.Named["a"].Integrations[0].Connectors[0]
	if c.ByLocal["AA-2"] == nil || c.ByLocal["AA-2"].Remote != "BB-3" || c.ByLocal["AA-3"] != nil ||
		len(c.Pending) != 0 {
		t.Errorf("pairs %v, pending %v", c.ByLocal, c.Pending)
	}
	if got := w.Named["b"].Issue("BB-3").Fields; got["summary"] != "two" || got["reporter"] != "bot" {
		t.Errorf("the new issue: %v", got)
	}
}

func TestOptions(t *testing.T) {
	w := open(t, strings.NewReplacer(`"context_path"`,
		`"verbs":["POST","PUT"],"project_admins":"refused","context_path"`).Replace(small))
	for _, verb := range []string{"POST", "PUT"} {
		if got := on(w, "a").do(verb, apiA+"integrations/INT-1/stop", ""); got.status != 200 {
			t.Errorf("%s: %d", verb, got.status)
		}
	}
	if got := (caller{w, "a", basic("lead", "pw")}).do("GET", apiA+"integrations?projectKey=AA", ""); got.status != 403 {
		t.Errorf("a project admin: %d", got.status)
	}
	byPerson(t, w, "delete_sync", "server", "a")
	if len(w.Named["a"].Integrations) != 0 {
		t.Error("not deleted")
	}
}
