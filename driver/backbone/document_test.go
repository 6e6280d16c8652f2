package backbone

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vendor's own samples, cut off where the copies are, with and without status.
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

func decode(doc string) (*integration, configuration, error) {
	o, err := parseObject([]byte(doc))
	if err != nil {
		return nil, configuration{}, err
	}
	i, err := decodeIntegration(o)
	return i, readConfiguration(o), err
}

func TestDocumentedSamples(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"2016-11-10T11:07:10+0100", "2016-11-10T11:07:10+01:00",
		"2016-11-10T11:07:10.000+0100"} {
		for _, status := range []string{"", documentedStatus} {
			i, c, err := decode(strings.NewReplacer("DATE", date, "STATUS", status).Replace(documented))
			if err != nil {
				t.Fatal(err)
			}
			want := `INT-16 "Agile Project <> Project B", direct, AP with PB, last changed 2016-11-10 10:07:10`
			if i.String() != want {
				t.Errorf("%s, want %s", i, want)
			}
			if (i.status == nil) != (status == "") {
				t.Errorf("status is %v", i.status)
			}
			if s := i.status; s != nil {
				if h := s.health(1); h.Status != "STOPPED" || h.InError == nil || *h.InError != 3 || h.Idle == nil || !*h.Idle {
					t.Errorf("%+v", h)
				}
				if h := s.health(2); h.complete() || h.InError == nil || h.Idle != nil {
					t.Errorf("the sample says nothing of the second connector: %+v", h)
				}
			}
			if c.Fields != nil || c.IssueTypes != nil || c.Comments != nil || i.Role != "" {
				t.Errorf("something missing was read: %+v", c)
			}
		}
	}
}

// TestUnknownMembers checks that a member that is missing, renamed, duplicated, null or of another type is unknown,
// never zero.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	const good = `{"status":"STOPPED","firstConnector":{` +
		`"incomingProcessingStatus":"IDLE","outgoingProcessingStatus":"IDLE","issuesInError":0}}`
	for name, c := range map[string]struct {
		old, new string
		want     health
	}{
		"all there":        {"", "", health{Status: "STOPPED", InError: new(int), Idle: ptr(true)}},
		"no status":        {`"status":"STOPPED",`, ``, health{InError: new(int), Idle: ptr(true)}},
		"status a number":  {`"STOPPED"`, `1`, health{InError: new(int), Idle: ptr(true)}},
		"no issuesInError": {`,"issuesInError":0`, ``, health{Status: "STOPPED", Idle: ptr(true)}},
		"renamed":          {`issuesInError`, `issuesinerror`, health{Status: "STOPPED", Idle: ptr(true)}},
		"a text":           {`"issuesInError":0`, `"issuesInError":"0"`, health{Status: "STOPPED", Idle: ptr(true)}},
		"null":             {`"issuesInError":0`, `"issuesInError":null`, health{Status: "STOPPED", Idle: ptr(true)}},
		"negative":         {`"issuesInError":0`, `"issuesInError":-1`, health{Status: "STOPPED", Idle: ptr(true)}},
		"twice": {`"issuesInError":0`, `"issuesInError":3,"issuesInError":0`, health{Status: "STOPPED",
			Idle: ptr(true)}},
		"no incoming": {`"incomingProcessingStatus":"IDLE",`, ``, health{Status: "STOPPED", InError: new(int)}},
		"no outgoing": {`"outgoingProcessingStatus":"IDLE",`, ``, health{Status: "STOPPED", InError: new(int)}},
		"busy, one known": {`"incomingProcessingStatus":"IDLE","outgoingProcessingStatus":"IDLE"`,
			`"outgoingProcessingStatus":"BUSY"`, health{Status: "STOPPED", InError: new(int), Idle: ptr(false)}},
		"no connector": {`firstConnector`, `connector`, health{Status: "STOPPED"}},
	} {
		o, err := parseObject([]byte(strings.Replace(good, c.old, c.new, 1)))
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(c.want, decodeStatus(o).health(1)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestListsThatSayNothing checks that a list is unknown if it is not a list, or has an entry without identity.
func TestListsThatSayNothing(t *testing.T) {
	t.Parallel()
	const good = `[{"integrationKey":"INT-4","firstConnector":{"connectorKey":"C","projectKey":"P"}}]`
	if list, err := decodeIntegrations([]byte(good)); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if list, err := decodeIntegrations([]byte(`[]`)); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
	for _, doc := range []string{
		`null`, `{}`, `""`, `{"integrations":[]}`, `[null]`, `[{}]`,
		strings.Replace(good, "integrationKey", "key", 1), strings.Replace(good, "connectorKey", "key", 1),
		strings.Replace(good, "projectKey", "project", 1), strings.Replace(good, "firstConnector", "connector", 1),
		strings.Replace(good, `"INT-4"`, `4`, 1), strings.Replace(good, `"INT-4"`, `"INT-4","integrationKey":"INT-5"`, 1),
		strings.Replace(good, `}}]`, `},"secondConnector":{}}]`, 1),
	} {
		if list, err := decodeIntegrations([]byte(doc)); err == nil {
			t.Errorf("%s gives %v", doc, list)
		}
	}
}

func TestSummaryMapping(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{"fieldMappings":[{"id":"10","firstField":"priority","secondField":"priority","type":"passthrough"},` +
			`{"id":11,"firstField":"summary","secondField":"Summary","type":"passthrough"}]}`: "11",
		`{"fieldMappings":[{"id":"7","from":"summary","to":"summary"}]}`:                                     "7",
		`{"fieldMappings":[{"id":"7","firstField":"summary","secondField":"description","type":"to_text"}]}`: "",
		`{"fieldMappings":[{"id":"7"}]}`:                                                                     "",
		`{"fieldMappings":"?"}`:                                                                              "",
		`{}`:                                                                                                 "",
	} {
		o, err := parseObject([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if got := readConfiguration(o).SummaryID; got != want {
			t.Errorf("%s: id is %q, want %q", doc, got, want)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`[]`:                         "",
		`["a","b"]`:                  "a|b",
		`[{"message":"no mapping"}]`: "no mapping",
		`[{"code":7}]`:               `{"code":7}`,
		`[["b"]]`:                    `["b"]`,
		`[null]`:                     "null",
	} {
		texts, ok := decodeConflicts([]byte(doc))
		if got := strings.Join(texts, "|"); !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", doc, got, ok, want)
		}
	}
	for _, doc := range []string{`null`, `{}`, `{"valid":false}`, `{"validationErrors":{"a":1}}`, `{"conflicts":[]}`,
		`""`, `"none"`, `0`, `true`} {
		if texts, ok := decodeConflicts([]byte(doc)); ok {
			t.Errorf("%s is taken for %d conflicts", doc, len(texts))
		}
	}
}

// FuzzIntegration checks that parsing any answer neither panics nor invents what is missing.
func FuzzIntegration(f *testing.F) {
	f.Add(strings.NewReplacer("DATE", "x", "STATUS", documentedStatus).Replace(documented))
	f.Add(`{"integrationKey":"I","fieldMappings":[null,1,{"id":1}],"issueTypeMappings":[null],` +
		`"comments":1,"firstConnector":null}`)
	f.Fuzz(func(t *testing.T, doc string) {
		decodeConflicts([]byte(doc))
		i, c, err := decode(doc)
		if err != nil {
			return
		}
		_ = i.String()
		if !strings.Contains(doc, "ieldMappings") && c.Fields != nil && !strings.Contains(doc, `\u`) {
			t.Errorf("fields %v out of %s", c.Fields, doc)
		}
		if i.status != nil && !strings.Contains(doc, "issuesInError") && i.status.health(1).InError != nil &&
			!strings.Contains(doc, `\u`) {
			t.Errorf("issues in error out of %s", doc)
		}
	})
}

// TestNamesWithLines checks that what names a synchronization, a connector or a project is one line, so that no server
// writes lines of its own, such as orders to a runner, into errors and logs.
func TestNamesWithLines(t *testing.T) {
	plain := strings.NewReplacer("DATE", "2016-11-10T11:07:10+0100", "STATUS", "").Replace(documented)
	if _, _, err := decode(plain); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"INT-16", "AP-29", "AP", "PB-3", "PB"} {
		i, _, err := decode(strings.Replace(plain, `"`+name+`"`, `"`+name+`\n::add-mask::x"`, 1))
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
}
