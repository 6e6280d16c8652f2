package build

import (
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// The seed as it is written. seed.txt describes it.
type seedWorld struct {
	Now         string                    `json:"now"`
	Authorities map[string]*seedAuthority `json:"authorities"`
	Servers     map[string]*seedServer    `json:"servers"`
}

type seedAuthority struct {
	Name         string `json:"name"`
	Env          string `json:"env"`
	Intermediate bool   `json:"intermediate"`
}

type seedServer struct {
	Version        string               `json:"version"`
	VersionText    *string              `json:"version_text"`
	Env            *state.Env           `json:"env"`
	SyncAddress    string               `json:"sync_address"`
	Ports          *seedPorts           `json:"ports"`
	TLS            bool                 `json:"tls"`
	Certificate    *seedCertificate     `json:"certificate"`
	Licences       *int                 `json:"licences"`
	SessionMinutes *int                 `json:"session_minutes"`
	Answers        string               `json:"answers"`
	Paging         string               `json:"paging"`
	ResourceList   string               `json:"resource_list"`
	Dates          string               `json:"dates"`
	Users          []*seedUser          `json:"users"`
	Groups         []*seedGroup         `json:"groups"`
	Categories     []*seedCategory      `json:"categories"`
	Resources      []*seedResource      `json:"resources"`
	Configurations []*seedConfiguration `json:"configurations"`
	Machine        *seedMachine         `json:"machine"`
	Defects        []*seedDefect        `json:"defects"`
}

type seedCertificate struct {
	Authority string         `json:"authority"`
	Names     []string       `json:"names"`
	Days      *int           `json:"days"`
	KeyType   string         `json:"key_type"`
	Env       string         `json:"env"`
	KeyEnv    string         `json:"key_env"`
	Installed *seedInstalled `json:"installed"`
}

type seedInstalled struct {
	Password string `json:"password"`
	Env      string `json:"env"`
	Path     string `json:"path"`
}

type seedPorts struct {
	Plain *int `json:"plain"`
	TLS   *int `json:"tls"`
}

type seedUser struct {
	Name     string      `json:"name"`
	Password string      `json:"password"`
	Token    string      `json:"token"`
	OAuth    string      `json:"oauth_token"`
	Roles    []*seedRole `json:"roles"`
}

type seedGroup struct {
	Name  string      `json:"name"`
	ID    string      `json:"id"`
	Users []string    `json:"users"`
	Roles []*seedRole `json:"roles"`
}

// seedRole without categories and resources is held everywhere.
type seedRole struct {
	Role       string   `json:"role"`
	Categories []string `json:"categories"`
	Resources  []string `json:"resources"`
}

type seedCategory struct {
	Path        string `json:"path"`
	ID          string `json:"id"`
	Description string `json:"description"`
}

type seedResource struct {
	ID          string          `json:"id"`
	ProjectID   string          `json:"project_id"`
	LocalID     string          `json:"local_id"`
	Name        string          `json:"name"`
	Category    string          `json:"category"`
	Description string          `json:"description"`
	Removed     bool            `json:"removed"`
	ReadOnly    bool            `json:"read_only"`
	Branches    []*seedBranch   `json:"branches"`
	Revisions   []*seedRevision `json:"revisions"`
	Generate    *seedGenerate   `json:"generate"`
	Tags        []*seedTag      `json:"tags"`
	Locks       []*seedLock     `json:"locks"`
	Uses        []string        `json:"uses"`
}

type seedBranch struct {
	Name   string `json:"name"`
	ID     string `json:"id"`
	From   int    `json:"from"`
	Author string `json:"author"`
}

type seedRevision struct {
	N           int    `json:"n"`
	Branch      string `json:"branch"`
	Author      string `json:"author"`
	Created     string `json:"created"`
	Description string `json:"description"`
	Merged      int    `json:"merged"`
}

type seedGenerate struct {
	Revisions int      `json:"revisions"`
	Authors   []string `json:"authors"`
	Start     string   `json:"start"`
	Every     string   `json:"every"`
	GapEvery  int      `json:"gap_every"`
}

type seedTag struct {
	Name        string `json:"name"`
	Revision    int    `json:"revision"`
	Description string `json:"description"`
}

type seedLock struct {
	User    string `json:"user"`
	Branch  string `json:"branch"`
	Element string `json:"element"`
}

// seedConfiguration is a configuration of the server as the target.
type seedConfiguration struct {
	Source         string `json:"source"`
	Resource       string `json:"resource"`
	Category       string `json:"category"`
	TargetCategory string `json:"target_category"`
	Trigger        string `json:"trigger"`
	Tag            string `json:"tag"`
	User           string `json:"user"`
	TLS            bool   `json:"tls"`
}

type seedMachine struct {
	Home      string            `json:"home"`
	Services  *[]string         `json:"services"` // the services that run
	Cassandra *bool             `json:"cassandra"`
	Files     map[string]string `json:"files"`

	Trusted map[string][]string `json:"trusted"` // authorities by the path of a keystore
	Sudo    *bool               `json:"sudo"`
}

type seedDefect struct {
	Resource string `json:"resource"`
	What     string `json:"what"`
	Revision int    `json:"revision"`
}
