package depot

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
)

// paintTool is `syncctl depot paint`: a tool does something beside the reconciler.
var paintTool = driver.Tool{
	Name: "paint", Short: "Paint a box by hand",
	Flags: func(fs *pflag.FlagSet) { fs.String("color", "", "the colour") },
	Run: func(ctx context.Context, t driver.ToolRun) (err error) {
		if len(t.Args) != 4 {
			return errors.New("usage: syncctl depot paint --color COLOR -- URL PASSWORD CA BOX")
		}
		color, err := t.Flags.GetString("color")
		if err != nil {
			return err
		}
		password := t.Args[1]
		c, err := newClient(rest.Options{BaseURL: t.Args[0], CAPEM: []byte(t.Args[2]), Secrets: []string{password}},
			func(r *http.Request) { r.SetBasicAuth("keeper", password) })
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.logOut(ctx)) }()
		if err := (writer{reader{c}}).paint(ctx, t.Args[3], color); err != nil {
			return err
		}
		fmt.Fprintln(t.Stderr, "painted", t.Args[3])
		return nil
	},
}
