package build

import (
	"encoding/json"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// The seed as it is in the file. seed.txt describes it.
type seedWorld struct {
	Now             string                 `json:"now"`
	Random          uint64                 `json:"random"`
	AssumedMembers  *bool                  `json:"assumed_members"`
	Dates           string                 `json:"dates"`
	MessagesPerTick int                    `json:"messages_per_tick"`
	Servers         map[string]*seedServer `json:"servers"`
	Syncs           []*seedSync            `json:"syncs"`
}

type seedServer struct {
	Deployment      string         `json:"deployment"`
	BackboneVersion string         `json:"backbone_version"`
	JiraVersion     string         `json:"jira_version"`
	ContextPath     string         `json:"context_path"`
	Verbs           []string       `json:"verbs"`
	RequireXSRF     bool           `json:"require_xsrf"`
	StatusInLists   *bool          `json:"status_in_lists"`
	SearchPage      int            `json:"search_page"`
	StatusWords     string         `json:"status_words"`
	Repeat          string         `json:"repeat"`
	ProjectAdmins   string         `json:"project_admins"`
	SyncUser        string         `json:"sync_user"`
	Env             *state.Env     `json:"env"`
	Users           []*seedUser    `json:"users"`
	Projects        []*seedProject `json:"projects"`
}

type seedUser struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"display_name"`
	Email       string   `json:"email"`
	EmailHidden bool     `json:"email_hidden"`
	Password    string   `json:"password"`
	Token       string   `json:"token"`
	Permission  string   `json:"permission"`
	Projects    []string `json:"projects"`
}

type seedProject struct {
	Key        string       `json:"key"`
	Name       string       `json:"name"`
	IssueTypes []string     `json:"issue_types"`
	Next       int          `json:"next"`
	Issues     []*seedIssue `json:"issues"`
}

type seedIssue struct {
	Key         string            `json:"key"`
	ID          string            `json:"id"`
	Type        string            `json:"type"`
	Status      string            `json:"status"`
	Summary     string            `json:"summary"`
	Description string            `json:"description"`
	Priority    string            `json:"priority"`
	Assignee    string            `json:"assignee"`
	Reporter    string            `json:"reporter"`
	Fields      map[string]string `json:"fields"`
	Created     string            `json:"created"`
	Updated     string            `json:"updated"`
	Comments    []*seedComment    `json:"comments"`
	Attachments []*seedAttachment `json:"attachments"`
}

type seedComment struct {
	ID      string `json:"id"`
	Author  string `json:"author"`
	Body    string `json:"body"`
	Created string `json:"created"`
}

type seedAttachment struct {
	ID       string `json:"id"`
	Filename string `json:"filename"`
	Size     int64  `json:"size"`
	Author   string `json:"author"`
	Created  string `json:"created"`
}

type seedSync struct {
	Transport      string          `json:"transport"`
	Name           string          `json:"name"`
	Master         *seedEnd        `json:"master"`
	Slave          *seedEnd        `json:"slave"`
	First          *seedEnd        `json:"first"`
	Second         *seedEnd        `json:"second"`
	IssueTypes     []*seedTypes    `json:"issue_types"`
	Fields         []*seedField    `json:"fields"`
	Comments       bool            `json:"comments"`
	Attachments    bool            `json:"attachments"`
	Delivery       string          `json:"delivery"`
	DeliverAfterMS int64           `json:"deliver_after_ms"`
	Generate       *seedGenerate   `json:"generate"`
	InFlight       []*seedInFlight `json:"in_flight"`
}

type seedTypes struct {
	First  string `json:"first"`
	Second string `json:"second"`
}

type seedField struct {
	ID        string            `json:"id"`
	First     string            `json:"first"`
	Second    string            `json:"second"`
	Type      string            `json:"type"`
	Direction string            `json:"direction"`
	Values    map[string]string `json:"values"`
	Prefix    string            `json:"prefix"`
}

type seedEnd struct {
	Server      string            `json:"server"`
	Project     string            `json:"project"`
	Integration string            `json:"integration"`
	Connector   string            `json:"connector"`
	Status      string            `json:"status"`
	SyncUser    string            `json:"sync_user"`
	JQL         string            `json:"jql"`
	Description string            `json:"description"`
	Created     string            `json:"created"`
	CreatedBy   string            `json:"created_by"`
	Pairs       []json.RawMessage `json:"pairs"`
	Errors      []*seedError      `json:"errors"`
	Conflicts   []string          `json:"conflicts"`
}

type seedError struct {
	Issue    string `json:"issue"`
	Error    string `json:"error"`
	Messages int    `json:"messages"`
}

type seedGenerate struct {
	Pairs              int `json:"pairs"`
	Unpaired           int `json:"unpaired"`
	CommentsPercent    int `json:"comments_percent"`
	AttachmentsPercent int `json:"attachments_percent"`
	AssignedPercent    int `json:"assigned_percent"`
}

type seedInFlight struct {
	From   string            `json:"from"`
	Issue  string            `json:"issue"`
	Fields map[string]string `json:"fields"`
}
