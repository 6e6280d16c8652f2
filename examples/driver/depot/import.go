package depot

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var _ driver.Importer = (*Driver)(nil)

// Import drafts a declaration for each box of a depot that nobody has declared, for `syncctl import`.
func (d *Driver) Import(ctx context.Context, of driver.ImportRequest) ([]schema.Draft, error) {
	server := of.Server
	if len(of.From) > 0 {
		return nil, errors.New("a depot says itself what it has: leave the other servers out")
	}
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	boxes, err := c.boxes(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range of.Declared {
		if r.Addr.Kind == schema.Sync && r.Referred(server.Addr) != nil {
			delete(boxes, r.Text("box"))
			delete(boxes, r.Text("replaces"))
		}
	}
	var drafts []schema.Draft
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		drafts = append(drafts, schema.Draft{
			Addr: schema.Addr{Kind: schema.Sync, Type: "depot", Name: name}, ID: name,
			Value: cty.ObjectVal(map[string]cty.Value{
				"server": cty.StringVal(server.Addr.String()), "box": cty.StringVal(name),
				"color": cty.StringVal(boxes[name].Color), "label": cty.StringVal(boxes[name].Label),
			}),
		})
	}
	return drafts, nil
}
