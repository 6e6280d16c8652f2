package depot

import (
	"context"
	"maps"
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var _ driver.Importer = (*Driver)(nil)

// Import drafts a declaration for each box of a depot that nobody has declared, for `syncctl import`.
func (d *Driver) Import(
	ctx context.Context, server *schema.Resource, declared []*schema.Resource,
) ([]schema.Draft, error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	boxes, err := c.boxes(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range declared {
		if r.Addr.Kind == schema.Sync && r.Refs[server.Addr] != nil {
			delete(boxes, r.Text("box"))
			delete(boxes, r.Text("replaces"))
		}
	}
	var drafts []schema.Draft
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		drafts = append(drafts, schema.Draft{
			Addr: schema.Addr{Kind: schema.Sync, Type: "depot", Name: name},
			Value: cty.ObjectVal(map[string]cty.Value{
				"server": cty.StringVal(server.Addr.String()), "box": cty.StringVal(name),
				"color": cty.StringVal(boxes[name].Color), "label": cty.StringVal(boxes[name].Label),
			}),
		})
	}
	return drafts, nil
}
