package backbone

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// half is what is there of one end of an e-mail or file synchronization.
type half struct {
	health

	Found     bool   `json:"found"`
	Unlisted  bool   `json:"unlisted"` // not found in a list without any entry, which proves nothing
	Server    string `json:"server"`   // address of the declaration
	Project   string `json:"project"`
	Key       string `json:"key"`
	Connector string `json:"connector"`
	Channel   string `json:"channel"` // "": unknown
	Role      string `json:"role"`    // "": unknown
	Partner   string `json:"partner"` // the partner's project; "": unknown

	Conflicts       []string `json:"conflicts"`        // of the configuration; nil: unknown
	ConflictsAnswer string   `json:"conflicts_answer"` // what could not be understood

	Pairs           int `json:"pairs"`
	Comments        int `json:"comments"`
	HalfComments    int `json:"half_comments"`
	Attachments     int `json:"attachments"`
	HalfAttachments int `json:"half_attachments"`
}

// newSync is what is there of the direct synchronization.
type newSync struct {
	health

	Found           bool   `json:"found"`
	Key             string `json:"key"`
	FirstConnector  string `json:"first_connector"`
	SecondConnector string `json:"second_connector"`
	FirstPairs      int    `json:"first_pairs"`
	SecondPairs     int    `json:"second_pairs"`
}

// migrationFacts are what a migration's plan is made from.
type migrationFacts struct {
	FromGone   bool     `json:"from_gone"` // the original is not declared any more
	Master     half     `json:"master"`
	Slave      half     `json:"slave"`
	Matched    int      `json:"matched"`    // pairs that both ends have
	Uncompared int      `json:"uncompared"` // directions of them in which an end has no counter: nothing can be said of them
	InFlight   int      `json:"in_flight"`  // issues whose messages have not all been applied, by their sequence ids
	Flying     []string `json:"flying"`     // the first of them, in words
	Unmatched  int      `json:"unmatched"`
	Lonely     []string `json:"lonely"` // the first of them, in words
	New        newSync  `json:"new"`
	Moved      bool     `json:"moved"` // the project answers in the cloud
}

func (f *migrationFacts) end(role string) *half {
	if role == master {
		return &f.Master
	}
	return &f.Slave
}

// pack puts facts into a cty value so that they travel through the planner like every other value.
func pack(facts any) (cty.Value, error) {
	b, err := json.Marshal(facts)
	if err != nil {
		return cty.NilVal, fmt.Errorf("packing facts: %w", err)
	}
	t, err := ctyjson.ImpliedType(b)
	if err != nil {
		return cty.NilVal, fmt.Errorf("packing facts: %w", err)
	}
	return ctyjson.Unmarshal(b, t)
}

func unpack(v cty.Value, facts any) error {
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return fmt.Errorf("unpacking facts: %w", err)
	}
	if err := json.Unmarshal(b, facts); err != nil {
		return fmt.Errorf("unpacking facts: %w", err)
	}
	return nil
}

// Facts reads the named facts again: PATH.NAME where PATH is "self", "self.master" or "self.slave" for a sync, and
// "from.master", "from.slave" or "to" for a migration, and NAME is integration or connector.
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out := map[string]string{}
	ends := map[string]*half{}
	for _, name := range names {
		end, what, err := splitFact(name)
		if err != nil {
			return nil, err
		}
		h := ends[end]
		if h == nil {
			if h, err = d.readFactEnd(ctx, r, end); err != nil {
				return nil, err
			}
			ends[end] = h
		}
		out[name] = h.fact(what)
	}
	return out, nil
}

func splitFact(name string) (end, what string, err error) {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("reading fact %q: it is none of Backbone's", name)
}

func (h *half) fact(what string) string {
	if !h.Found {
		return "none"
	}
	switch what {
	case "integration":
		return h.Key
	case "connector":
		return h.Connector
	}
	return ""
}

// readFactEnd reads one end without its pairs.
func (d *Driver) readFactEnd(ctx context.Context, r *schema.Resource, end string) (*half, error) {
	switch end {
	case "from." + master, "from." + slave:
		from := r.Ref("from")
		if from == nil {
			return &half{}, nil
		}
		return d.readHalf(ctx, from, end[len("from."):])
	case "to":
		return d.readDirect(ctx, r.Ref("to"))
	case "self":
		return d.readDirect(ctx, r)
	case "self." + master, "self." + slave:
		return d.readHalf(ctx, r, end[len("self."):])
	}
	return nil, fmt.Errorf("reading facts: %q is no end of %s", end, r.Addr)
}

// readDirect reads a direct synchronization's keys as a half, for comparison.
func (d *Driver) readDirect(ctx context.Context, sync *schema.Resource) (*half, error) {
	c, err := d.reader(sync.Ref(first, "server"))
	if err != nil {
		return nil, err
	}
	i, err := findDirect(ctx, c, sync)
	if err != nil || i == nil {
		return &half{}, err
	}
	return &half{Found: true, Key: i.Key, Connector: i.First.Key + "," + i.Second.Key}, nil
}
