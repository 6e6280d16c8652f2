package backbonesim

import (
	"strings"
	"testing"
)

// The mapping types of H/5.14/server/common-field-mapping-types and H/5.14/server/user.
func TestTranslate(t *testing.T) {
	s := open(t, small).servers["a"]
	s.users = append(s.users, &user{name: "x-dev", email: "xdev@x.example"}, &user{name: "shy", email: "shy@x.example", hidden: true})
	c := s.integrations[0].connectors[0]
	dev := &user{name: "dev", display: "Dev Eloper", email: "DEV@x.example"}
	values := map[string]string{"High": "Major"}
	for _, one := range []struct {
		name string
		v    value
		want string // "-" keeps what is there, "error" is refused
	}{
		{"passthrough", value{text: "High", mapping: fieldMapping{typ: "passthrough"}}, "High"},
		{"to text", value{text: "dev", user: dev, mapping: fieldMapping{typ: "to_text"}}, "Dev Eloper"},
		{"to text, no user", value{text: "High", mapping: fieldMapping{typ: "to_text"}}, "High"},
		{"correlation forward", value{text: "High", forward: true, mapping: fieldMapping{typ: "correlation", values: values}}, "Major"},
		{"correlation back", value{text: "Major", mapping: fieldMapping{typ: "correlation", values: values}}, "High"},
		{"correlation, not in the list", value{text: "Low", forward: true, mapping: fieldMapping{typ: "user_correlation", values: values}}, "-"},
		{"user name", value{text: "dev", mapping: fieldMapping{typ: "user_passthrough_by_username"}}, "dev"},
		{"unknown user name", value{text: "ghost", mapping: fieldMapping{typ: "user_passthrough_by_username"}}, "error"},
		{"nobody", value{mapping: fieldMapping{typ: "user_passthrough_by_username"}}, ""},
		{"email", value{text: "dev", user: dev, mapping: fieldMapping{typ: "user_passthrough_by_email"}}, "dev"},
		{"hidden email of the sender", value{text: "dev", user: &user{email: "dev@x.example", hidden: true}, mapping: fieldMapping{typ: "user_passthrough_by_email"}}, "error"},
		{"hidden email of the receiver", value{text: "shy", user: &user{email: "shy@x.example"}, mapping: fieldMapping{typ: "user_passthrough_by_email"}}, "error"},
		{"email of an unknown sender", value{text: "dev", mapping: fieldMapping{typ: "user_passthrough_by_email"}}, "error"},
		{"prefix", value{text: "dev", mapping: fieldMapping{typ: "user_prefix", prefix: "x-"}}, "x-dev"},
	} {
		text, use, err := c.translate(one.v)
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

// A mapping of one direction only travels that way.
func TestDirections(t *testing.T) {
	for direction, want := range map[string][2]bool{
		"bidirectional": {true, true}, "first_to_second": {true, false}, "second_to_first": {false, true},
	} {
		w := open(t, strings.Replace(small, `"first":"summary"`, `"direction":"`+direction+`","first":"summary"`, 1))
		got := [2]bool{}
		byPerson(t, w, "edit_issue", "server", "a", "issue", "AA-1", "field", "summary", "value", "from a")
		ticks(w)
		got[0] = w.servers["b"].issue("BB-1").fields["summary"] == "from a"
		byPerson(t, w, "edit_issue", "server", "b", "issue", "BB-1", "field", "summary", "value", "from b")
		ticks(w)
		got[1] = w.servers["a"].issue("AA-1").fields["summary"] == "from b"
		if got != want {
			t.Errorf("%s: %v, want %v", direction, got, want)
		}
	}
}

// The sender of an attachment notes nothing, the receiver both ids (behind firewall, master and slave file example).
func TestAttachmentsTravel(t *testing.T) {
	w := open(t, strings.Replace(small, `"transport":"file"`, `"transport":"file","attachments":true`, 1))
	ticks(w)
	byPerson(t, w, "add_attachment", "server", "a", "issue", "AA-1", "filename", "log.txt", "user", "dev")
	ticks(w)
	sent := w.servers["a"].integrations[0].connectors[0].byLocal["AA-1"]
	got := w.servers["b"].integrations[0].connectors[0].byLocal["BB-1"]
	if len(sent.attachments) != 0 || len(got.attachments) != 1 || got.attachments[0] != (idPair{Remote: "10001", Local: "10001"}) {
		t.Errorf("sender %+v, receiver %+v", sent.attachments, got.attachments)
	}
	if files := w.servers["b"].issue("BB-1").attachments; len(files) != 1 || files[0].filename != "log.txt" || files[0].author != "bot" {
		t.Errorf("%+v", files)
	}
}

// A move takes people along by their email, and makes accounts for those the cloud site does not have.
func TestMoveTakesPeopleAlong(t *testing.T) {
	w := open(t, small)
	byPerson(t, w, "add_comment", "server", "a", "issue", "AA-1", "body", "hello", "user", "dev")
	byPerson(t, w, "add_comment", "server", "a", "issue", "AA-1", "body", "hello", "user", "root")
	byPerson(t, w, "add_attachment", "server", "a", "issue", "AA-1", "filename", "log.txt", "user", "dev")
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "AA", "cloud_server", "c")
	i := w.servers["c"].issue("AA-1")
	if i.comments[0].author != "migrated:a:dev" || i.comments[1].author != "id:1" || i.attachments[0].author != "migrated:a:dev" {
		t.Errorf("%+v %+v %+v", i.comments[0], i.comments[1], i.attachments[0])
	}
	if got := on(w, "c").do("GET", "/rest/api/3/issue/AA-1/comment", "").body; !strings.Contains(got, `"emailAddress":"dev@x.example"`) {
		t.Error(got)
	}
	if i.panels["a/INT-1"] != nil {
		t.Error("the sync info panel moved along")
	}
	if _, err := w.Person(t.Context(), "move_project_to_cloud", map[string]string{"server": "a", "project": "AA", "cloud_server": "c"}); err == nil {
		t.Error("a project moved twice")
	}
}

func TestResyncOfAStatus(t *testing.T) {
	w := open(t, small)
	ticks(w)
	w.servers["a"].issue("AA-1").fields["status"] = "Done"
	w.servers["a"].issue("AA-1").fields["summary"] = "changed behind Backbone's back"
	got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync", `{"jql":"key = AA-1","fieldMappings":[],"sendStatusField":true}`)
	if got.status != 200 {
		t.Fatal(got)
	}
	ticks(w)
	if i := w.servers["b"].issue("BB-1"); i.fields["status"] != "Done" || i.fields["summary"] != "one" {
		t.Errorf("only the status was to travel: %v", i.fields)
	}
}

// A resync of one field does not swallow a change of another that was about to be sent.
func TestResyncLeavesChanges(t *testing.T) {
	w := open(t, strings.Replace(small, `[{"id":"11",`, `[{"id":"12","first":"description","second":"description"},{"id":"11",`, 1))
	ticks(w)
	byPerson(t, w, "edit_issue", "server", "a", "issue", "AA-1", "field", "description", "value", "long story")
	if got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync", `{"jql":"key = AA-1","fieldMappings":["11"]}`); got.status != 200 {
		t.Fatal(got)
	}
	ticks(w)
	if got := w.servers["b"].issue("BB-1").fields["description"]; got != "long story" {
		t.Errorf("description %q", got)
	}
}

// A resync creates what is not paired, and JQL keeps it to what was asked for.
func TestResyncCreates(t *testing.T) {
	w := open(t, small)
	ticks(w)
	if got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync", `{"jql":"key != AA-3","fieldMappings":["11"]}`); got.status != 200 {
		t.Fatal(got)
	}
	ticks(w)
	c := w.servers["a"].integrations[0].connectors[0]
	if c.byLocal["AA-2"] == nil || c.byLocal["AA-2"].remote != "BB-3" || c.byLocal["AA-3"] != nil || len(c.pending) != 0 {
		t.Errorf("pairs %v, pending %v", c.byLocal, c.pending)
	}
	if got := w.servers["b"].issue("BB-3").fields; got["summary"] != "two" || got["reporter"] != "bot" {
		t.Errorf("the new issue: %v", got)
	}
}

func TestOptions(t *testing.T) {
	w := open(t, strings.NewReplacer(`"context_path"`, `"verbs":["POST","PUT"],"project_admins":"refused","context_path"`).Replace(small))
	for _, verb := range []string{"POST", "PUT"} {
		if got := on(w, "a").do(verb, apiA+"integrations/INT-1/stop", ""); got.status != 200 {
			t.Errorf("%s: %d", verb, got.status)
		}
	}
	if got := (caller{w, "a", basic("lead", "pw")}).do("GET", apiA+"integrations?projectKey=AA", ""); got.status != 403 {
		t.Errorf("a project admin: %d", got.status)
	}
	byPerson(t, w, "delete_sync", "server", "a")
	if len(w.servers["a"].integrations) != 0 {
		t.Error("not deleted")
	}
}
