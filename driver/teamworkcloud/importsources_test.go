package teamworkcloud

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// TestImportSources checks that an ID belongs to the source with the longest address that it begins with, and that
// each source is returned once. Not a source are the server itself, a part of an address, and what is not a server.
func TestImportSources(t *testing.T) {
	at := func(kind schema.Kind, name, index string) *schema.Resource {
		return &schema.Resource{Addr: schema.Addr{Kind: kind, Type: product, Name: name, Index: index},
			Value: cty.ObjectVal(map[string]cty.Value{"url": cty.StringVal("https://" + name + index)})}
	}
	all := []*schema.Resource{at(schema.Server, "here", ""), at(schema.Server, "a", ""), at(schema.Server, "a", `["k/l"]`),
		at(schema.Sync, "s", ""), at(schema.Server, "b", "")}
	x := &importer{target: connect.Declared(all[0])}
	var got []string
	for _, r := range x.sources([]string{`server.teamwork_cloud.a["k/l"]/Cars/Old`, "server.teamwork_cloud.b/x",
		"server.teamwork_cloud.b/y/z", "server.teamwork_cloud.here/x", "sync.teamwork_cloud.s/x", "server.teamwork_cloud.a",
		"server.teamwork_cloud.aa/x", ""}, all) {
		got = append(got, r.Addr.String())
	}
	want := `server.teamwork_cloud.a["k/l"] server.teamwork_cloud.b`
	if strings.Join(got, " ") != want || len(x.notes) != 5 {
		t.Errorf("%q, %q", got, x.notes)
	}
}
