package backbonesim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/rest"
)

func TestJira(t *testing.T) {
	w := example(t, "behind-firewall-master")
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
	for _, c := range []struct {
		server, method, path, body string
		want                       int
		says                       string
	}{
		{"a", "GET", "/rest/api/2/myself", "", 200, `"name":"syncctl"`},
		{"a_cloud", "GET", "/rest/api/3/myself", "", 200, `"accountId":"712020:0a-syncctl"`},
		{"a", "GET", "/rest/api/2/serverInfo", "", 200, `"deploymentType":"Server"`},
		{"a_cloud", "GET", "/rest/api/3/serverInfo", "", 200, `"baseUrl":"https://a_cloud.example"`},
		{"a", "GET", "/rest/api/3/myself", "", 404, ""},
		{"a", "GET", "/rest/api/2/project/SAM2", "", 200, `"name":"Bug"`},
		{"a", "GET", "/rest/api/2/project/NOPE", "", 404, "No project could be found"},
		{"b", "GET", "/rest/api/2/issue/SP2-1?fields=summary", "", 200, `"fields":{"summary":"Label printer`},
		{"b", "GET", "/rest/api/2/issue/SP2-1", "", 200, `"filename":"label.png"`},
		{"b", "GET", "/rest/api/2/issue/SP2-99999", "", 404, "Issue Does Not Exist"},
		{"b", "GET", "/rest/api/2/issue/SP2-1/comment", "", 200, `"id":"10034"`},
		{"b", "GET", "/rest/api/2/issue/SP2-1/comment?startAt=5", "", 200, `"comments":[]`},
		{"a_cloud", "GET", "/rest/api/3/issue/SAM2-1/comment", "", 200, `"type":"doc"`},
		{"a", "GET", "/rest/api/2/search?jql=project+%3D+SAM2&maxResults=1&fields=summary", "", 200, `"total":345`},
		{"a", "POST", "/rest/api/2/search", `{"jql":"key in (SAM2-1, ` +
			`SAM2-2)","maxResults":1,"startAt":1,"fields":["summary"]}`, 200, `"key":"SAM2-2"`},
		{"a", "POST", "/rest/api/2/search", `{"jql":"key in (SAM2-1, SAM2-99999)"}`, 400, "SAM2-99999"},
		{"a", "POST", "/rest/api/2/search", `{"jql":"flavour = sweet"}`, 400, "flavour"},
		{"a", "GET", "/rest/api/2/search/jql?jql=project=SAM2", "", 404, ""},
		{"a_cloud", "GET", "/rest/api/3/search?jql=project=SAM2", "", 410, "search/jql"},
		{"a_cloud", "GET", "/rest/api/3/search/jql?jql=", "", 400, "Unbounded"},
		{"a_cloud", "GET", "/rest/api/3/search/jql?jql=project=SAM2&maxResults=1", "", 200, `"issues":[{"id":"20001"}]`},
		{"a_cloud", "GET", "/rest/api/3/search/jql?jql=project=SAM2&nextPageToken=%21", "", 400, "token"},
		{"a", "POST", "/rest/api/2/issue", `{}`, 405, ""},
		{"a", "GET", "/rest/api/2/project/SAM2/properties", "", 200, `"keys":[]`},
		{"a", "GET", "/rest/api/2/project/SAM2/properties/x.y", "", 404, "does not exist"},
		{"a", "DELETE", "/rest/api/2/project/SAM2/properties/x.y", "", 404, "does not exist"},
		{"a", "PUT", "/rest/api/2/project/SAM2/properties/x.y", `{"n":1}`, 201, ""},
		{"a", "PUT", "/rest/api/2/project/SAM2/properties/x.y", `{"n":2}`, 200, ""},
		{"a", "GET", "/rest/api/2/project/SAM2/properties/x.y", "", 200, `{"key":"x.y","value":{"n":2}}`},
		{"a", "GET", "/rest/api/2/project/SAM2/properties", "", 200, `/project/SAM2/properties/x.y"`},
		{"a", "PUT", "/rest/api/2/project/SAM2/properties/x.y", ` `, 400, ""},
		{"a", "PUT", "/rest/api/2/project/SAM2/properties/x.y", `{`, 400, ""},
		{"a", "PUT", "/rest/api/2/project/SAM2/properties/x.y", `"` + strings.Repeat("x", 32767) + `"`, 400, "32768"},
		{"a", "PUT", "/rest/api/2/project/SAM2/properties/" + strings.Repeat("k", 256), `1`, 400, "255"},
		{"a", "PUT", "/rest/api/2/project/NOPE/properties/x.y", `1`, 404, "No project"},
		{"a", "POST", "/rest/api/2/project/SAM2/properties/x.y", `1`, 405, ""},
		{"a", "DELETE", "/rest/api/2/project/SAM2/properties/x.y", "", 204, ""},
		{"a_cloud", "PUT", "/rest/api/3/project/SAM2/properties/x.y", `1`, 201, ""},
	} {
		if got := on(w, c.server).do(c.method, c.path, c.body); got.status != c.want ||
			!strings.Contains(got.body, c.says) {
			t.Errorf("%s %s: %d %.300s, want %d %s", c.server, c.path, got.status, got.body, c.want, c.says)
		}
	}
	denied := caller{w, "a_cloud", basic("syncctl@a.example", "wrong")}
	if got := denied.do("GET", "/rest/api/3/myself", ""); got.status != 401 {
		t.Errorf("wrong API token: %d", got.status)
	}
}

func TestCloudPages(t *testing.T) {
	w := example(t, "behind-firewall-master")
	c := on(w, "a_cloud")
	if got := c.do("GET", "/rest/api/3/project/SAM2", ""); got.status != 404 {
		t.Errorf("the project is in the cloud before it was moved: %d", got.status)
	}
	byPerson(t, w, "move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "https://a_cloud.example")
	seen, token := map[string]bool{}, ""
	for page := 0; ; page++ {
		var got struct {
			Issues        []struct{ Key string }
			NextPageToken string
			IsLast        bool
		}
		c.do("POST", "/rest/api/3/search/jql",
			fmt.Sprintf(`{"jql":"project = SAM2 ORDER BY key","maxResults":100,"fields":["summary"],"nextPageToken":%q}`,
				token)).into(t, &got)
		for _, i := range got.Issues {
			seen[i.Key] = true
		}
		if token = got.NextPageToken; got.IsLast {
			if page != 3 || token != "" {
				t.Errorf("%d pages, token %q", page+1, token)
			}
			break
		}
	}
	if len(seen) != 345 {
		t.Errorf("%d issues, want 345", len(seen))
	}
	old, moved := w.Named["a"].Issue("SAM2-1"), w.Named["a_cloud"].Issue("SAM2-1")
	if old.Comments[0].ID == moved.Comments[0].ID || old.Attachments[0].ID == moved.Attachments[0].ID ||
		old.ID == moved.ID {
		t.Error("ids did not change in the cloud")
	}
	if moved.Fields["assignee"] != "712020:10-amelie" || moved.Comments[0].Author != "712020:10-amelie" {
		t.Errorf("people did not come along: %v", moved.Fields)
	}
}

func TestJQL(t *testing.T) {
	s := open(t, small).Named["a"]
	for text, want := range map[string]string{
		"":                               "AA-1 AA-2 AA-3",
		"project = AA":                   "AA-1 AA-2 AA-3",
		"project=aa order by key desc":   "AA-3 AA-2 AA-1",
		"key = AA-2":                     "AA-2",
		`key in ("AA-1", AA-3)`:          "AA-1 AA-3",
		"key not in (AA-1)":              "AA-2 AA-3",
		"key != AA-1 AND NOT key = AA-2": "AA-3",
		"key = AA-1 or key = AA-3 and issuetype = Bug":    "AA-1 AA-3",
		"(key = AA-1 or key = AA-3) and issuetype = Epic": "",
		`summary ~ "THREE"`:                               "AA-3",
		"project = AA AND (":                              "error",
		"project":                                         "error",
		"key in (AA-1":                                    "error",
		`key = "AA-1`:                                     "error",
		"key = AA-1 AA-2":                                 "error",
		"order by votes":                                  "error",
		"project = ZZ":                                    "error",
	} {
		q, err := jql.Parse(text, s)
		got := "error"
		if err == nil {
			var keys []string
			for _, i := range rest.Find(s, q) {
				keys = append(keys, i.Key)
			}
			got = strings.Join(keys, " ")
		}
		if got != want {
			t.Errorf("%q: %s (%v), want %s", text, got, err, want)
		}
	}
}
