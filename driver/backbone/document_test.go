package backbone

import (
	"encoding/json"
	"strings"
	"testing"
)

// The vendor's own samples, cut where the copies are cut, with and without status.
const documented = `{ "createdUser":"admin","lastModifiedUser":"admin",
  "createdDate":"2016-11-10T11:07:10+0100","lastModifiedDate":"DATE",
  "integrationKey":"INT-16","summary":"Agile Project <> Project B","description":"...",STATUS
  "firstConnector":{"createdUser":"admin","connectorKey":"AP-29","projectKey":"AP"},
  "secondConnector":{"connectorKey":"PB-3","projectKey":"PB"}}`

const documentedStatus = `"status":{ "status":"STOPPED",
  "firstConnector":{ "connectorKey":"AP-29","online":true,"reconnecting":false,
    "incomingRouteStatus":"STOPPED","incomingProcessingStatus":"IDLE","incomingDetails":"",
    "outgoingRouteStatus":"STOPPED","outgoingProcessingStatus":"IDLE","outgoingDetails":"",
    "externalRouteStatus":"STOPPED","issuesInError":3 }},`

func TestDocumentedSamples(t *testing.T) {
	for _, date := range []string{"2016-11-10T11:07:10+0100", "2016-11-10T11:07:10+01:00", "2016-11-10T11:07:10.000+0100"} {
		for _, status := range []string{"", documentedStatus} {
			var i integration
			if err := json.Unmarshal([]byte(strings.NewReplacer("DATE", date, "STATUS", status).Replace(documented)), &i); err != nil {
				t.Fatal(err)
			}
			if want := `INT-16 "Agile Project <> Project B", last changed 2016-11-10 10:07:10`; i.String() != want {
				t.Errorf("%s, want %s", &i, want)
			}
			if (i.Status == nil) != (status == "") {
				t.Errorf("status is %v", i.Status)
			}
			if s := i.Status; s != nil && (s.word() != "STOPPED" || s.inError() != 3 || !s.idle()) {
				t.Errorf("%+v", s)
			}
			if c := i.config; c.fields != nil || c.issueTypes != nil || c.comments != nil || c.role != "" {
				t.Errorf("what is not there was read: %+v", c)
			}
		}
	}
}

func TestSummaryMapping(t *testing.T) {
	for doc, want := range map[string]string{
		`{"fieldMappings":[{"id":"10","firstField":"priority","secondField":"priority","type":"passthrough"},{"id":11,"firstField":"summary","secondField":"Summary","type":"passthrough"}]}`: "11",
		`{"fieldMappings":[{"id":"7","from":"summary","to":"summary"}]}`:                                     "7",
		`{"fieldMappings":[{"id":"7","firstField":"summary","secondField":"description","type":"to_text"}]}`: "",
		`{"fieldMappings":[{"id":"7"}]}`:                                                                     "",
		`{"fieldMappings":"?"}`:                                                                              "",
		`{}`:                                                                                                 "",
	} {
		var i integration
		if err := json.Unmarshal([]byte(doc), &i); err != nil {
			t.Fatal(err)
		}
		if i.config.summaryID != want {
			t.Errorf("%s: id is %q, want %q", doc, i.config.summaryID, want)
		}
	}
}

func TestConflictTexts(t *testing.T) {
	for doc, want := range map[string]string{
		`[]`: "", `null`: "", `{}`: "", `{"conflicts":[]}`: "",
		`["a","b"]`:                        "a|b",
		`[{"message":"no mapping"}]`:       "no mapping",
		`{"conflicts":[{"summary":"x"}]}`:  "x",
		`[{"code":7}]`:                     `{"code":7}`,
		`{"first":["a"],"second":[["b"]]}`: "a|b",
	} {
		var raw any
		if err := json.Unmarshal([]byte(doc), &raw); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(conflictTexts(raw), "|"); got != want {
			t.Errorf("%s: %q, want %q", doc, got, want)
		}
	}
}

// Whatever a server sends, reading it neither panics nor makes up what is not there.
func FuzzIntegration(f *testing.F) {
	f.Add(strings.NewReplacer("DATE", "x", "STATUS", documentedStatus).Replace(documented))
	f.Add(`{"fieldMappings":[null,1,{"id":1}],"issueTypeMappings":[null],"comments":1,"firstConnector":null}`)
	f.Fuzz(func(t *testing.T, doc string) {
		var i integration
		if json.Unmarshal([]byte(doc), &i) != nil {
			return
		}
		_ = i.String()
		if !strings.Contains(doc, "ieldMappings") && i.config.fields != nil && !strings.Contains(doc, `\u`) {
			t.Errorf("fields %v out of %s", i.config.fields, doc)
		}
		var raw any
		if json.Unmarshal([]byte(doc), &raw) == nil {
			conflictTexts(raw)
		}
	})
}
