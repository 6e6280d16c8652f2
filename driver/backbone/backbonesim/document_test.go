package backbonesim

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The samples of the monitoring page for a synchronization (H/5.14/server/monitoring-backbone-issue-sync).
const sampleList = `[{ "createdUser":"admin","lastModifiedUser":"admin",
   "createdDate":"2016-11-10T11:07:10+0100","lastModifiedDate":"2016-11-10T11:07:10+0100",
   "integrationKey":"INT-16","summary":"Agile Project <> Project B","description":"...",
   "status":{ "status":"STOPPED",
     "firstConnector":{ "connectorKey":"AP-29","online":true,"reconnecting":false,
        "incomingRouteStatus":"STOPPED","incomingProcessingStatus":"IDLE","incomingDetails":"",
        "outgoingRouteStatus":"STOPPED","outgoingProcessingStatus":"IDLE","outgoingDetails":"",
        "externalRouteStatus":"STOPPED","issuesInError":0 },
     "secondConnector":{ "connectorKey":"PB-30","online":true,"reconnecting":false,
        "incomingRouteStatus":"STOPPED","incomingProcessingStatus":"IDLE","incomingDetails":"",
        "outgoingRouteStatus":"STOPPED","outgoingProcessingStatus":"IDLE","outgoingDetails":"",
        "externalRouteStatus":"STOPPED","issuesInError":0 } },
   "firstConnector":{ "createdUser":"admin","lastModifiedUser":"admin","createdDate":"2016-11-10T11:07:10+0100",
        "lastModifiedDate":"2016-11-10T11:07:10+0100","connectorKey":"AP-29","projectKey":"AP" },
   "secondConnector":{ "createdUser":"admin","lastModifiedUser":"admin","createdDate":"2016-11-10T11:07:10+0100",
        "lastModifiedDate":"2016-11-10T11:07:10+0100","connectorKey":"PB-30","projectKey":"PB" } }]`

const sampleSeed = `{
  "dates": "plain", "assumed_members": false, "now": "2016-11-10T12:00:00Z",
  "servers": {
    "s": {"deployment":"data_center","backbone_version":"5.14","sync_user":"admin","users":[{"name":"admin","password":"admin","permission":"system_admin"}],
      "projects":[{"key":"AP"}]},
    "p": {"deployment":"data_center","sync_user":"bot","users":[{"name":"bot"}],"projects":[{"key":"PB"}]}},
  "syncs": [{"transport":"direct","name":"Agile Project <> Project B",
    "first":{"server":"s","project":"AP","integration":"INT-16","connector":"AP-29","status":"STOPPED","description":"...","created":"2016-11-10T11:07:10+01:00"},
    "second":{"server":"p","project":"PB","connector":"PB-30"}}]}`

// TestListSample compares the answer with the documented sample. Without assumed members only the mappings are added.
func TestListSample(t *testing.T) {
	var got, want []map[string]any
	on(open(t, sampleSeed), "s").backbone("GET", "integrations", "").into(t, &got)
	if err := json.Unmarshal([]byte(sampleList), &want); err != nil {
		t.Fatal(err)
	}
	want[0]["fieldMappings"] = []any{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStatusOutsideTheList checks the form of H/4.1 and H/5.14 "actions": the list has no status, and the status call
// returns the same object.
func TestStatusOutsideTheList(t *testing.T) {
	w := open(t, strings.Replace(sampleSeed, `"sync_user":"admin"`, `"status_in_lists":false,"sync_user":"admin"`, 1))
	s := on(w, "s")
	var list, sample []map[string]any
	s.backbone("GET", "integrations", "").into(t, &list)
	if _, there := list[0]["status"]; there {
		t.Error("the list has a status")
	}
	var got map[string]any
	s.backbone("GET", "integrations/INT-16/status", "").into(t, &got)
	_ = json.Unmarshal([]byte(sampleList), &sample)
	if diff := cmp.Diff(sample[0]["status"], any(got)); diff != "" {
		t.Error(diff)
	}
}

// TestPairSamples checks that the guide's two entries are returned byte for byte, apart from blanks.
func TestPairSamples(t *testing.T) {
	w := example(t, "behind-firewall-master")
	for _, c := range []struct{ server, path, want string }{
		{"a", "connectors/CON-4-SAM2/syncInformation?localIssueKey=SAM2-1", seedEntryA},
		{"b", "connectors/CON-5-SP2/syncInformation?remoteIssueKey=SAM2-1", seedEntryB},
		{"b", "connectors/CON-5-SP2/syncInformation?remoteIssueKey=SAM2-1&localIssueKey=SP2-1", seedEntryB},
	} {
		if got := on(w, c.server).must(t, "GET", c.path, ""); !sameJSON(t, got, "["+c.want+"]") {
			t.Errorf("%s: %s", c.path, got)
		}
	}
	if got := on(w, "a").must(t, "GET", "connectors/CON-4-SAM2/syncInformation?localIssueKey=SAM2-999999",
		""); got != "[]" {
		t.Error(got)
	}
}

// TestPairOfThePage checks the object of the connectors page, which has older keys and an unknown member.
func TestPairOfThePage(t *testing.T) {
	w := open(t, small)
	entry := `{"id":1,"connectorKey":"PA-2","localIssueKey":"AA-2","remoteIssueKey":"BB-2","firstSyncDate":1495002038742,
	  "lastOutgoingChange":1495002035948,"outgoingMessageSequenceId":9007199254740993,"incomingMessageSequenceId":0,
	  "incomingChangesIgnored":true,"worklogs":[{"localId": "7"}]}`
	if got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/syncInformation", "["+entry+"]"); got.status != 200 {
		t.Fatal(got)
	}
	got := on(w, "a").do("GET", apiA+"connectors/CON-1-AA/syncInformation?localIssueKey=AA-2", "").body
	want := strings.NewReplacer(`"id":1,`, `"id":2,`, `PA-2`, `CON-1-AA`).Replace(entry)
	if !sameJSON(t, got, "["+want+"]") {
		t.Errorf("got %s", got)
	}
	if got := on(w, "a").do("DELETE", apiA+"connectors/CON-1-AA/syncInformation?remoteIssueKey=BB-2",
		""); got.status != 200 {
		t.Error(got)
	}
	if got := on(w, "a").do("GET", apiA+"connectors/CON-1-AA/syncInformation?localIssueKey=AA-2", "").body; got != "[]" {
		t.Error(got)
	}
}

func TestAssumedMembers(t *testing.T) {
	assumed := []string{
		"issueTypeMappings", "firstIssueType", "secondIssueType", "firstField", "secondField", "type", "comments",
		"attachments",
		"communicationChannel", "role", "partnerProjectKey", "jql", "jiraBaseUrl", "message",
	}
	for _, flag := range []string{"true", "false"} {
		w := open(t, strings.Replace(small, `"servers"`, `"assumed_members":`+flag+`,"servers"`, 1))
		got := on(w, "a").do("GET", apiA+"integrations", "").body + on(w, "a").do("GET", apiA+"integrations/NO", "").body
		for _, name := range assumed {
			if strings.Contains(got, `"`+name+`":`) != (flag == "true") {
				t.Errorf("assumed_members %s, but %s in %s", flag, name, got)
			}
		}
		if !strings.Contains(got, `"fieldMappings":[{`) || !strings.Contains(got, `"id":"11"`) {
			t.Errorf("assumed_members %s: the documented id of a mapping is missing: %s", flag, got)
		}
	}
}

func TestHalvesMirrorTheirMappings(t *testing.T) {
	text := strings.Replace(small, `"first":"Bug","second":"Bug"`, `"first":"Bug","second":"Task"`, 1)
	got := on(open(t, text), "b").must(t, "GET", "integrations/INT-1", "")
	for _, want := range []string{`"firstIssueType":"Task"`, `"role":"SLAVE"`, `"communicationChannel":"FILE"`,
		`"partnerProjectKey":"AA"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, "secondConnector") {
		t.Error("one half has two connectors")
	}
}

func TestDatesAndWords(t *testing.T) {
	plain, colon := regexp.MustCompile(`"createdDate":"[0-9T:-]{19}\+0100"`),
		regexp.MustCompile(`"createdDate":"[0-9T:-]{19}\+01:00"`)
	if got := on(open(t, small), "b").must(t, "GET", "integrations/INT-1", ""); !plain.MatchString(got) {
		t.Error(got)
	}
	text := strings.Replace(small, `"servers"`, `"dates":"colon","servers"`, 1)
	text = strings.Replace(text, `"backbone_version":"4.1"`, `"backbone_version":"4.1","status_words":"enum"`, 1)
	text = strings.Replace(text, `"server":"b"`, `"server":"b","status":"RESTART REQUIRED"`, 1)
	got := on(open(t, text), "b").must(t, "GET", "integrations/INT-1", "")
	if !colon.MatchString(got) || !strings.Contains(got, `"RESTART_REQUIRED"`) {
		t.Error(got)
	}
}
