package backbonesim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

const seedEntryA = `{"id":47,"connectorKey":"CON-4-SAM2","localIssueKey":"SAM2-1","remoteIssueKey":"SP2-1",
  "firstSyncDate":1604663032918,"lastOutgoingChange":1604663098456,"lastChangeSeen":1604654096519,"outgoingMessageSequenceId":2,
  "lastIncomingChange":1604663109653,"incomingMessageSequenceId":1,"comments":[{"localId":"10019"}],"incomingChangesIgnored":false}`

const seedEntryB = `{"id":63,"connectorKey":"CON-5-SP2","localIssueKey":"SP2-1","remoteIssueKey":"SAM2-1",
  "firstSyncDate":1604663073350,"lastOutgoingChange":1604663107283,"lastChangeSeen":1604663103895,"outgoingMessageSequenceId":1,
  "lastIncomingChange":1604663103990,"incomingMessageSequenceId":2,"attachments":[{"remoteId":"10002","localId":"10004"}],
  "comments":[{"remoteId":"10019","localId":"10034"}],"incomingChangesIgnored":false}`

const newFields = `[{"name":"summary","mapping":"passthrough"},{"name":"assignee","mapping":"user_passthrough_by_email"}]`

// TestMasterMovesToTheCloud follows the guide "behind firewall" step by step, with the master moving to the cloud.
func TestMasterMovesToTheCloud(t *testing.T) {
	w := example(t, "behind-firewall-master")
	a, b, cloud := on(w, "a"), on(w, "b"), on(w, "a_cloud")
	ticks(w)

	// While both halves run, a change is sent from one to the other.
	byPerson(t, w, "edit_issue", "server", "a", "issue", "SAM2-1", "field", "summary", "value",
		"Labels: old address", "user", "amelie")
	ticks(w)
	if got := w.Named["b"].Issue("SP2-1").Fields["summary"]; got != "Labels: old address" {
		t.Fatalf("the summary did not travel: %q", got)
	}

	a.must(t, "POST", "integrations/INT-4/stop", "")
	b.must(t, "PUT", "integrations/INT-5/stop", "")
	first, second := pairsOf(t, b, "CON-5-SP2", ""), pairsOf(t, a, "CON-4-SAM2", "")
	if len(first) != 341 || len(second) != 341 {
		t.Fatalf("exported %d and %d pairs, want 341", len(first), len(second))
	}
	if bad := append(sequences(t, first, second), sequences(t, second, first)...); len(bad) > 0 {
		t.Fatalf("not drained: %v", bad)
	}

	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
	if got := cloud.do("GET", "/rest/api/3/project/SAM2", "").status; got != 200 {
		t.Fatalf("the project answers %d in the cloud", got)
	}
	key := createDirect(t, w, "b", "SP2", "https://a_cloud.example", "SAM2")
	c1, c2 := connectorsOf(t, b, key)
	one, _ := json.Marshal(first)
	two, _ := json.Marshal(second)
	b.must(t, "POST", "connectors/"+c1+"/syncInformation", string(one))
	b.must(t, "POST", "connectors/"+c2+"/syncInformation", string(two))
	b.must(t, "PUT", "integrations/"+key+"/start", "")
	resyncBoth(t, w, b, key, c1, c2)

	if got := len(w.Named["a_cloud"].Projects["SAM2"].Issues); got != 345 {
		t.Errorf("%d issues in the cloud, want 345: nothing is duplicated", got)
	}
	for _, c := range []string{c1, c2} {
		if got := pairsOf(t, b, c, ""); len(got) != 341 {
			t.Errorf("connector %s has %d pairs, want 341", c, len(got))
		}
	}
	a.must(t, "DELETE", "integrations/INT-4", "")
	b.must(t, "DELETE", "integrations/INT-5", "")
	panels := w.Named["b"].Issue("SP2-1").Panels
	if panels["b/INT-5"] != nil || panels["b/"+key] == nil || panels["b/"+key].Partner != "SAM2-1" {
		t.Errorf("sync info panel of SP2-1: %v", panels)
	}
}

func createDirect(t *testing.T, w *World, server, first, url, second string) string {
	t.Helper()
	byPerson(t, w, "create_sync", "server", server, "first_project", first, "second_server_url", url,
		"second_project", second)
	key := w.Named[server].Integrations[len(w.Named[server].Integrations)-1].Key
	verb := w.Named[server].Verbs[0]
	if got := on(w, server).backbone(verb, "integrations/"+key+"/start", ""); got.status != 409 {
		t.Fatalf("start without configuration: %d %s", got.status, got.body)
	}
	byPerson(t, w, "configure_sync", "server", server, "first_project", first, "second_project", second,
		"issue_types", `{"Bug":"Bug","Task":"Task"}`, "fields", newFields, "comments", "true", "attachments", "true")
	if got := on(w, server).must(t, "GET", "integrations/"+key+"/conflicts", ""); got != "[]" {
		t.Fatalf("conflicts: %s", got)
	}
	return key
}

func connectorsOf(t *testing.T, c caller, key string) (string, string) {
	t.Helper()
	var doc struct {
		First  struct{ ConnectorKey string } `json:"firstConnector"`
		Second struct{ ConnectorKey string } `json:"secondConnector"`
	}
	c.backbone("GET", "integrations/"+key, "").into(t, &doc)
	return doc.First.ConnectorKey, doc.Second.ConnectorKey
}

// resyncBoth resyncs the summary from both connectors, and checks the counters and the status meanwhile.
func resyncBoth(t *testing.T, w *World, c caller, key, c1, c2 string) {
	t.Helper()
	var doc struct {
		FieldMappings []struct{ ID, FirstField string }
	}
	c.backbone("GET", "integrations/"+key, "").into(t, &doc)
	if len(doc.FieldMappings) == 0 || doc.FieldMappings[0].FirstField != "summary" {
		t.Fatalf("mappings: %+v", doc)
	}
	before := pairsOf(t, c, c1, "")[0]["outgoingMessageSequenceId"].(float64)
	body := fmt.Sprintf(`{"jql":"","fieldMappings":[%q]}`, doc.FieldMappings[0].ID)
	for _, connector := range []string{c1, c2} {
		c.must(t, "POST", "connectors/"+connector+"/resync", body)
	}
	if got := pairsOf(t, c, c1, "")[0]["outgoingMessageSequenceId"].(float64); got != before+1 {
		t.Errorf("outgoing sequence id %v after %v and a resync", got, before)
	}
	if got := c.must(t, "GET", "integrations/"+key+"/status", ""); !strings.Contains(got,
		`"incomingProcessingStatus":"PROCESSING"`) {
		t.Errorf("status while messages wait: %s", got)
	}
	ticks(w)
	if got := c.must(t, "GET", "integrations/"+key+"/status", ""); strings.Contains(got, "PROCESSING") ||
		strings.Contains(got, `"issuesInError":1`) {
		t.Errorf("status when all is done: %s", got)
	}
	one, two := pairsOf(t, c, c1, ""), pairsOf(t, c, c2, "")
	if bad := append(sequences(t, one, two), sequences(t, two, one)...); len(bad) > 0 {
		t.Errorf("sequence ids disagree: %v", bad)
	}
}

// TestSlaveMovesToTheCloud is the other variant. The merged file is imported on the web page.
func TestSlaveMovesToTheCloud(t *testing.T) {
	w := example(t, "behind-firewall-slave")
	a, b := on(w, "a"), on(w, "b")
	a.must(t, "POST", "integrations/INT-4/stop", "")
	b.must(t, "PUT", "integrations/INT-5/stop", "")
	merged := `{"firstConnector":` + a.must(t, "GET", "connectors/CON-4-SAM2/syncInformation", "") +
		`,"secondConnector":` + b.must(t, "GET", "connectors/CON-5-SP2/syncInformation", "") + `}`
	byPerson(t, w, "move_project_to_cloud", "server", "b", "project", "SP2", "cloud_server", "b_cloud")
	key := createDirect(t, w, "a", "SAM2", "b_cloud", "SP2")
	c1, c2 := connectorsOf(t, a, key)
	if _, err := w.Person(t.Context(), "pair_by_file", map[string]string{
		"server": "a", "integration": key, "content": strings.Replace(merged, `],"second`, `]"second`, 1),
	}); err == nil || !strings.Contains(err.Error(), "line 1, column") {
		t.Errorf("the guide's sample without its comma: %v", err)
	}
	byPerson(t, w, "pair_by_file", "server", "a", "integration", key, "content", merged)
	a.must(t, "POST", "integrations/"+key+"/start", "")
	resyncBoth(t, w, a, key, c1, c2)
	if got := len(w.Named["b_cloud"].Projects["SP2"].Issues); got != 341 {
		t.Errorf("%d issues in the cloud, want 341", got)
	}
}

// TestStartWithoutPairsDuplicates checks that without pairing, each side sends all of its issues as new ones.
func TestStartWithoutPairsDuplicates(t *testing.T) {
	w := example(t, "behind-firewall-master")
	on(w, "a").must(t, "POST", "integrations/INT-4/stop", "")
	on(w, "b").must(t, "PUT", "integrations/INT-5/stop", "")
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
	key := createDirect(t, w, "b", "SP2", "a_cloud", "SAM2")
	on(w, "b").must(t, "PUT", "integrations/"+key+"/start", "")
	ticks(w)
	if got := len(w.Named["b"].Projects["SP2"].Issues); got != 682 {
		t.Errorf("%d issues on b, want 682", got)
	}
	if got := len(w.Named["a_cloud"].Projects["SAM2"].Issues); got != 686 { // with the four Epics
		t.Errorf("%d issues in the cloud, want 686", got)
	}
	c1, c2 := connectorsOf(t, on(w, "b"), key)
	one, two := pairsOf(t, on(w, "b"), c1, ""), pairsOf(t, on(w, "b"), c2, "")
	if len(one) != 682 || len(sequences(t, one, two)) > 0 {
		t.Errorf("%d pairs, %v disagree", len(one), sequences(t, one, two))
	}
}

// TestStaleCommentIDsDuplicate simulates BAC-1449: after the move, the comment IDs in the pair data are stale, and a
// later change sends the comments again.
func TestStaleCommentIDsDuplicate(t *testing.T) {
	w := example(t, "behind-firewall-master")
	on(w, "a").must(t, "POST", "integrations/INT-4/stop", "")
	on(w, "b").must(t, "PUT", "integrations/INT-5/stop", "")
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
	key := createDirect(t, w, "b", "SP2", "a_cloud", "SAM2")
	c1, c2 := connectorsOf(t, on(w, "b"), key)
	b := on(w, "b")
	b.must(t, "POST", "connectors/"+c1+"/syncInformation", "["+seedEntryB+"]")
	b.must(t, "POST", "connectors/"+c2+"/syncInformation", "["+seedEntryA+"]")
	b.must(t, "PUT", "integrations/"+key+"/start", "")
	ticks(w)
	if got := len(w.Named["b"].Issue("SP2-1").Comments); got != 1 {
		t.Fatalf("%d comments before any change", got)
	}
	byPerson(t, w, "edit_issue", "server", "a_cloud", "issue", "SAM2-1", "field", "summary", "value", "x")
	ticks(w)
	if got := len(w.Named["b"].Issue("SP2-1").Comments); got != 2 {
		t.Errorf("%d comments, want the duplicate", got)
	}
}

func TestMessagesStayOnTheWay(t *testing.T) {
	w := example(t, "behind-firewall-master", `"comments": true`, `"delivery":"manual","comments": true`)
	a, b := on(w, "a"), on(w, "b")
	byPerson(t, w, "add_comment", "server", "a", "issue", "SAM2-1", "body", "Any news?", "user", "ben")
	ticks(w)
	a.must(t, "POST", "integrations/INT-4/stop", "")
	b.must(t, "PUT", "integrations/INT-5/stop", "")
	disagree := func() []string {
		return sequences(t, pairsOf(t, a, "CON-4-SAM2", ""), pairsOf(t, b, "CON-5-SP2", ""))
	}
	if got := fmt.Sprint(disagree()); got != "[SAM2-1]" {
		t.Fatalf("a message lies in the outgoing folder, but %s disagree", got)
	}
	if got := byPerson(t, w, "deliver", "from", "a", "to", "https://b.example/"); got != "moved 1 messages from a to b" {
		t.Error(got)
	}
	ticks(w)
	if got := fmt.Sprint(disagree()); got != "[SAM2-1]" {
		t.Fatalf("a stopped synchronization has worked: %s disagree", got)
	}
	b.must(t, "PUT", "integrations/INT-5/start", "")
	ticks(w)
	if got := disagree(); got != nil {
		t.Errorf("delivered and running, but %v disagree", got)
	}
	i := w.Named["b"].Issue("SP2-1")
	if last := i.Comments[len(i.Comments)-1]; last.Body != "Any news?" || last.Author != "backbone-sync" {
		t.Errorf("the comment that came: %+v", last)
	}
}

func TestDeliveryTakesTime(t *testing.T) {
	w := example(t, "behind-firewall-master", `"comments": true`, `"deliver_after_ms":5000,"comments": true`)
	start := w.Now
	byPerson(t, w, "edit_issue", "server", "a", "issue", "SAM2-1", "field", "summary", "value", "new")
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{time.Second, 1}, {4 * time.Second, 1}, {7 * time.Second, 0}} {
		w.Tick(start.Add(step.after))
		if got := len(w.Named["a"].Integrations[0].Outbox); got != step.want {
			t.Errorf("after %s: %d messages in the outgoing folder, want %d", step.after, got, step.want)
		}
	}
}

func TestIssueInError(t *testing.T) {
	w := example(t, "email-in-error")
	a, b := on(w, "a"), on(w, "b")
	ticks(w)
	if got := b.must(t, "GET", "integrations/INT-5/status", ""); !strings.Contains(got, `"issuesInError":1`) {
		t.Fatalf("status: %s", got)
	}
	disagree := func() string {
		return fmt.Sprint(sequences(t, pairsOf(t, a, "CON-4-SAM2", ""), pairsOf(t, b, "CON-5-SP2", "")))
	}
	// Another message for the issue waits behind the error; other issues continue.
	byPerson(t, w, "edit_issue", "server", "a", "issue", "SAM2-1", "field", "summary", "value", "waits")
	byPerson(t, w, "edit_issue", "server", "a", "issue", "SAM2-2", "field", "summary", "value", "goes on")
	ticks(w)
	if got := w.Named["b"].Issue("SP2-1").Fields["summary"]; got == "waits" {
		t.Error("a message was applied to an issue in error")
	}
	if got := disagree(); got != "[SAM2-1]" {
		t.Errorf("%s disagree, want [SAM2-1]", got)
	}
	values := map[string]string{"server": "b", "integration": "INT-5", "issue": "SAM2-1"}
	if _, err := w.Person(t.Context(), "retry_error", values); err == nil {
		t.Error("a retry without a fix succeeded")
	}
	byPerson(t, w, "fix_error", "server", "b", "integration", "INT-5", "issue", "SP2-1")
	if got := disagree(); got != "[]" {
		t.Errorf("%s disagree after the fix", got)
	}
	if got := w.Named["b"].Issue("SP2-1").Fields["summary"]; got != "waits" {
		t.Errorf("the waiting message was not applied: %q", got)
	}
}

func TestIgnoredIssue(t *testing.T) {
	w := example(t, "email-in-error")
	byPerson(t, w, "ignore_issue", "server", "b", "issue", "SP2-1")
	got := pairsOf(t, on(w, "b"), "CON-5-SP2", "?localIssueKey=SP2-1")
	if len(got) != 1 || got[0]["incomingChangesIgnored"] != true || got[0]["incomingMessageSequenceId"] != 2.0 {
		t.Errorf("entry: %v", got)
	}
}

func TestSyncUsersChangesStay(t *testing.T) {
	w := example(t, "behind-firewall-master")
	ticks(w)
	byPerson(t, w, "edit_issue", "server", "a", "issue", "SAM2-1", "field", "summary", "value", "by Backbone",
		"user", "backbone-sync")
	ticks(w)
	if got := w.Named["b"].Issue("SP2-1").Fields["summary"]; got == "by Backbone" {
		t.Error("a change by the synchronization user was synchronized")
	}
}

// TestChangeIsSentOnce checks that a change is sent once, even if the clock stands still.
func TestChangeIsSentOnce(t *testing.T) {
	w := example(t, "behind-firewall-master")
	ticks(w)
	c := w.Named["a"].Integrations[0].Connectors[0]
	for n, key := range []string{"SAM2-1", "SAM2-2"} {
		before := c.ByLocal[key].Out
		byPerson(t, w, "edit_issue", "server", "a", "issue", key, "field", "summary", "value", "once")
		for range n { // a second change of the same instant
			byPerson(t, w, "edit_issue", "server", "a", "issue", key, "field", "priority", "value", "Low")
		}
		for range 5 {
			w.Tick(w.Now)
			byPerson(t, w, "edit_issue", "server", "a", "issue", "SAM2-3", "field", "summary", "value",
				"makes Backbone look again")
		}
		if got := c.ByLocal[key].Out - before; got != 1 {
			t.Errorf("%s: sent %d messages, want 1", key, got)
		}
	}
}

// TestPairedOnOneSide checks that a connector finds out entries that only the other one has. Nothing is duplicated,
// but the counters disagree.
func TestPairedOnOneSide(t *testing.T) {
	w := example(t, "behind-firewall-master")
	b := on(w, "b")
	on(w, "a").must(t, "POST", "integrations/INT-4/stop", "")
	b.must(t, "PUT", "integrations/INT-5/stop", "")
	entries := b.must(t, "GET", "connectors/CON-5-SP2/syncInformation", "")
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
	key := createDirect(t, w, "b", "SP2", "a_cloud", "SAM2")
	c1, c2 := connectorsOf(t, b, key)
	b.must(t, "POST", "connectors/"+c1+"/syncInformation", entries)
	b.must(t, "PUT", "integrations/"+key+"/start", "")
	ticks(w)
	one, two := pairsOf(t, b, c1, ""), pairsOf(t, b, c2, "")
	if len(one) != 341 || len(two) != 341 || len(sequences(t, two, one)) == 0 {
		t.Errorf("%d and %d pairs, %d disagree", len(one), len(two), len(sequences(t, two, one)))
	}
	if got := len(w.Named["b"].Projects["SP2"].Issues); got != 341 {
		t.Errorf("%d issues on b", got)
	}
}

func TestUserMappings(t *testing.T) {
	for mapping, want := range map[string]string{"user_passthrough_by_email": "712020:12-carla",
		"user_passthrough_by_username": ""} {
		t.Run(mapping, func(t *testing.T) {
			w := example(t, "behind-firewall-master")
			byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
			key := createDirect(t, w, "b", "SP2", "a_cloud", "SAM2")
			byPerson(t, w, "configure_sync", "server", "b", "integration", key, "fields",
				strings.ReplaceAll(newFields, "user_passthrough_by_email", mapping))
			c1, c2 := connectorsOf(t, on(w, "b"), key)
			on(w, "b").must(t, "POST", "connectors/"+c1+"/syncInformation", "["+seedEntryB+"]")
			on(w, "b").must(t, "POST", "connectors/"+c2+"/syncInformation", "["+seedEntryA+"]")
			w.Named["b"].Connector(c1).JQL = "key = SP2-1"
			w.Named["b"].Connector(c2).JQL = "key = SAM2-1"
			on(w, "b").must(t, "PUT", "integrations/"+key+"/start", "")
			byPerson(t, w, "edit_issue", "server", "b", "issue", "SP2-1", "field", "assignee", "value", "carla")
			ticks(w)
			failed := len(w.Named["b"].Connector(c2).Errors)
			if got := w.Named["a_cloud"].Issue("SAM2-1").Fields["assignee"]; want != "" && (got != want || failed != 0) {
				t.Errorf("assignee %q, %d errors", got, failed)
			}
			if want == "" && failed != 1 {
				t.Errorf("%d issues in error, want 1: a cloud site knows no user names", failed)
			}
		})
	}
}

func TestHandshake(t *testing.T) {
	w := example(t, "behind-firewall-master", `"comments": true`, `"delivery":"automatic","comments": true`)
	half := func(server, project, role, partner string) (string, error) {
		return w.Person(t.Context(), "create_half", map[string]string{
			"server": server, "project": project, "role": role, "transport": "email", "partner_project": partner,
		})
	}
	if _, err := half("b", "SP2", "slave", "SAM2"); err == nil {
		t.Error("a slave was created before its master")
	}
	if _, err := half("a_cloud", "SAM2", "master", "SP2"); err == nil {
		t.Error("a cloud site got a half of an email synchronization")
	}
	for _, h := range [][]string{{"a", "SAM2", "master", "SP2"}, {"b", "SP2", "slave", "SAM2"}} {
		if _, err := half(h[0], h[1], h[2], h[3]); err != nil {
			t.Fatal(err)
		}
	}
	m, s := w.Named["a"].Integrations[1], w.Named["b"].Integrations[1]
	if m.Status != state.Handshake || s.Status != state.Handshake {
		t.Errorf("before they have talked: %s, %s", m.Status, s.Status)
	}
	ticks(w)
	if m.Status != state.Stopped || s.Status != state.Stopped {
		t.Errorf("after they have talked: %s, %s", m.Status, s.Status)
	}
	byPerson(t, w, "configure_sync", "server", "a", "integration", m.Key, "issue_types",
		`[{"first":"Bug","second":"Task"}]`, "fields", newFields)
	w.Tick(w.Now)
	if m.Status != state.WaitingForSlave || s.Status != state.UpdateRequired {
		t.Errorf("after the master's change: %s, %s", m.Status, s.Status)
	}
	if got := on(w, "a").backbone("POST", "integrations/"+m.Key+"/start", ""); got.status != 409 {
		t.Errorf("start while waiting for the slave: %d", got.status)
	}
	if _, err := w.Person(t.Context(), "configure_sync",
		map[string]string{"server": "b", "integration": s.Key, "fields": "[]"}); err == nil {
		t.Error("a slave deleted the master's mappings")
	}
	byPerson(t, w, "configure_sync", "server", "b", "integration", s.Key)
	ticks(w)
	if m.Status != state.Stopped || s.Status != state.Stopped || s.Config.IssueTypes[0].First != "Task" {
		t.Errorf("after the slave's update: %s, %s, %+v", m.Status, s.Status, s.Config)
	}
}
