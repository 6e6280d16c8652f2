package cli_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// depot is a product of the tests alone, so that the program can be tested without any real one: boxes with a colour, which
// the interface paints, and a label, which only a person can put on.
var depot = cli.Product{
	Name:   "depot",
	Driver: func(env driver.Env) driver.Driver { return &depotDriver{env: env} },
	Simulator: func(seed []byte) (sandbox.World, error) {
		w := &depotWorld{urls: map[string]string{}, ssh: map[string][3]string{}}
		if err := json.Unmarshal(seed, &w.state); err != nil {
			return nil, err
		}
		return w, nil
	},
	Tools: []driver.Tool{paintTool},
}

type box struct {
	Color string `json:"color"`
	Label string `json:"label"`
}

// depotWorld is the simulated depot.
type depotWorld struct {
	mu    sync.Mutex
	urls  map[string]string
	ssh   map[string][3]string   // by machine: address, key, known hosts
	state map[string]*depotState // by server
}

type depotState struct {
	Password string          `json:"password"`
	Boxes    map[string]*box `json:"boxes"`
	Machine  bool            `json:"machine"` // there is one behind the server
}

func (w *depotWorld) Servers() []string {
	var names []string
	for n := range w.state {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (w *depotWorld) SetURL(server, url string) { w.urls[server] = url }

func (w *depotWorld) Environment(server string) map[string]string {
	prefix := "DEPOT_" + strings.ToUpper(server)
	env := map[string]string{prefix + "_URL": w.urls[server], prefix + "_PASSWORD": w.state[server].Password}
	if at, ok := w.ssh[server]; ok {
		env[prefix+"_SSH"], env[prefix+"_KEY"], env[prefix+"_KNOWN_HOSTS"] = at[0], at[1], at[2]
	}
	return env
}

func (w *depotWorld) Machines() []string {
	return slices.DeleteFunc(w.Servers(), func(name string) bool { return !w.state[name].Machine })
}

func (w *depotWorld) Files(string) afero.Fs { return afero.NewMemMapFs() }

func (w *depotWorld) Reads(string, string) bool { return true }

func (w *depotWorld) SetSSH(machine, address string, key, hosts []byte) {
	w.ssh[machine] = [3]string{address, string(key), string(hosts)}
}

func (w *depotWorld) Run(context.Context, string, string, io.Reader, io.Writer, io.Writer) int {
	return 127
}

func (w *depotWorld) Tick(time.Time) {}

func (w *depotWorld) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]map[string]box{}
	for name, s := range w.state {
		out[name] = map[string]box{}
		for b, v := range s.Boxes {
			out[name][b] = *v
		}
	}
	return out
}

func (w *depotWorld) Person(_ context.Context, action string, values map[string]string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if action != "label_box" {
		return "", errors.ErrUnsupported
	}
	for _, s := range w.state {
		if b := s.Boxes[values["box"]]; b != nil {
			b.Label = values["label"]
			return "put the label " + b.Label + " on " + values["box"], nil
		}
	}
	return "", fmt.Errorf("there is no box %s", values["box"])
}

func (w *depotWorld) Handler(server string) http.Handler {
	s := w.state[server]
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, password, _ := r.BasicAuth(); password != s.Password {
			http.Error(out, "wrong password", http.StatusUnauthorized)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/boxes/")
		b := s.Boxes[name]
		switch {
		case r.Method == http.MethodPut:
			if b == nil {
				b = &box{}
				s.Boxes[name] = b
			}
			if json.NewDecoder(r.Body).Decode(b) != nil {
				http.Error(out, "no box", http.StatusBadRequest)
			}
		case b == nil:
			http.NotFound(out, r)
		case r.Method == http.MethodDelete:
			delete(s.Boxes, name)
		default:
			_ = json.NewEncoder(out).Encode(b)
		}
	})
}

// depotDriver is the driver. It counts what it asked the servers, as one counts sessions that are to be given back.
type depotDriver struct {
	env   driver.Env
	asked atomic.Int64
}

// Close tells in the log how much there was to give back.
func (d *depotDriver) Close(ctx context.Context) error {
	if d.asked.Swap(0) == 0 {
		return nil
	}
	if _, fails := d.env.LookupEnv("DEPOT_CLOSE_FAILS"); fails {
		return errors.New("the depot keeps the door open")
	}
	d.env.Log.Info("the depot's doors are closed", "hurried", ctx.Err() != nil)
	return nil
}

func (d *depotDriver) Types() []schema.Type {
	text := func(name string, required bool) schema.Attribute {
		return schema.Attribute{Name: name, Type: cty.String, Required: required}
	}
	return []schema.Type{
		{Kind: schema.Server, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
			text("url", true), text("ca", false), {Name: "password", Type: cty.String, Secret: true},
		}}},
		{Kind: schema.Sync, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
			{Name: "server", Required: true, Ref: &schema.Ref{Kind: schema.Server, Type: "depot"}},
			text("box", true), text("color", true), text("label", false), text("replaces", false),
		}}},
	}
}

// do asks the server of a sync about a box. Nil without error: there is none.
func (d *depotDriver) do(ctx context.Context, r *schema.Resource, method, name string, body any) (*box, error) {
	d.asked.Add(1)
	d.env.Log.Debug("asking the depot")
	server := r.Ref("server")
	var in bytes.Buffer
	if body != nil {
		_ = json.NewEncoder(&in).Encode(body)
	}
	return askDepot(ctx, server.Text("url"), schema.Text(schema.Reveal(server.Get("password"))), server.Text("ca"), method, name, &in)
}

func askDepot(ctx context.Context, url, password, ca, method, name string, in io.Reader) (*box, error) {
	req, err := http.NewRequestWithContext(ctx, method, url+"/boxes/"+name, in)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("keeper", password)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusNotFound:
		return nil, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the depot answered %d to %s of %s: %s", resp.StatusCode, method, password, answer) // a careless error
	case method != http.MethodGet:
		return nil, nil
	}
	var b box
	return &b, json.Unmarshal(answer, &b)
}

func (d *depotDriver) Read(ctx context.Context, r *schema.Resource) (cty.Value, error) {
	if r.Addr.Kind == schema.Server {
		return schema.Reveal(r.Value), nil
	}
	b, err := d.do(ctx, r, http.MethodGet, r.Text("box"), nil)
	if err != nil || b == nil {
		return cty.NullVal(cty.DynamicPseudoType), err
	}
	attrs := map[string]cty.Value{"color": cty.StringVal(b.Color), "label": cty.StringVal(b.Label)}
	if old := r.Text("replaces"); old != "" {
		o, err := d.do(ctx, r, http.MethodGet, old, nil)
		if err != nil {
			return cty.NilVal, err
		}
		attrs["replaces"] = cty.NullVal(cty.String)
		if o == nil {
			attrs["replaces"] = cty.StringVal(old)
		}
	}
	return cty.ObjectVal(attrs), nil
}

func (d *depotDriver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	out := planner.Outline{Action: planner.NoChange}
	r := c.Resource
	if r.Addr.Kind == schema.Server || len(planner.Compare(r.Value, c.Actual)) == 0 {
		return out, nil
	}
	id := func(op string) string { return planner.StepID(r.Addr.String(), op) }
	color := r.Text("color")
	if color == "forbidden" {
		out.Action = planner.Update
		out.Findings = []planner.Finding{{Rule: "depot/color", Severity: planner.Refuse, Summary: "no box may have this colour", Detail: "Choose another."}}
		return out, nil
	}
	out.Action = planner.Create
	now := "none"
	if !c.Actual.IsNull() {
		out.Action, now = planner.Update, schema.Text(schema.Get(c.Actual, "color"))
	}
	last := id("paint")
	out.Steps = []planner.Step{{
		Op: "paint", Mark: planner.MarkAdd, Repeat: planner.Once, Summary: "paints " + r.Text("box") + " in " + color,
		Because: "the depot has it in another colour", Effect: &planner.Effect{Add: 1}, Undo: "paint it as it was",
		Facts: []planner.Fact{{Name: "color", Value: now}},
	}}
	out.Findings = []planner.Finding{{Rule: "depot/wet", Severity: planner.Warn, Op: "paint", Summary: "paint is wet at first"}}
	if label := r.Text("label"); label != "" {
		out.Steps = append(out.Steps, planner.Step{
			Op: "label", Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Summary: "labels " + r.Text("box"), Needs: []string{last},
			Within: planner.Duration(200 * time.Millisecond),
			Manual: &planner.Manual{Where: "the depot", Do: []string{"Put the label on the box."}, Action: "label_box", Values: []planner.Value{
				{Name: "box", Label: "Box", Value: r.Text("box")}, {Name: "label", Label: "Label text", Value: label},
			}},
		})
		last = id("label")
	}
	if before, ok := c.Confirmed["label"]; ok {
		out.Findings = append(out.Findings, planner.Finding{Rule: "depot/labelled", Severity: planner.Note, Summary: "it was labelled before, by run " + before.Run})
	}
	out.Steps = append(out.Steps, planner.Step{Op: "inspect", Mark: planner.MarkCheck, Repeat: planner.Idempotent, Summary: "looks at " + r.Text("box"), Needs: []string{last}})
	if old := r.Text("replaces"); old != "" {
		out.Steps = append(out.Steps, planner.Step{
			Op: "scrap", Mark: planner.MarkFinal, Repeat: planner.Once, Summary: "scraps " + old, Needs: []string{id("inspect")}, Guards: []string{id("inspect")},
			Effect: &planner.Effect{Destroy: 1, Irreversible: true, Loses: "the box " + old},
		})
	}
	return out, nil
}

func (d *depotDriver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	b, err := d.do(ctx, r, http.MethodGet, r.Text("box"), nil)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return map[string]string{"color": "none"}, nil
	}
	return map[string]string{"color": b.Color}, nil
}

func (d *depotDriver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	r := t.Resource
	var err error
	switch t.Step.Op {
	case "paint":
		t.Report(executor.Progress{Done: 1, Total: 2, Unit: "coats"})
		_, err = d.do(ctx, r, http.MethodPut, r.Text("box"), map[string]string{"color": r.Text("color")})
	case "scrap":
		_, err = d.do(ctx, r, http.MethodDelete, r.Text("replaces"), nil)
	}
	return executor.Result{}, err
}

func (d *depotDriver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	r := t.Resource
	name := r.Text("box")
	if t.Step.Op == "scrap" {
		name = r.Text("replaces")
	}
	b, err := d.do(ctx, r, http.MethodGet, name, nil)
	var done bool
	why := "there is no such box"
	if b != nil {
		why = fmt.Sprintf("it is %s and says %q", b.Color, b.Label)
	}
	switch t.Step.Op {
	case "scrap":
		done = b == nil
	case "label":
		done = b != nil && b.Label == r.Text("label")
	default:
		done = b != nil && b.Color == r.Text("color")
	}
	if err != nil || !done {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	return executor.Verdict{State: executor.Done, Why: why}, nil
}

// paintTool changes the world behind syncctl's back.
var paintTool = driver.Tool{
	Name: "paint", Short: "Paint a box by hand",
	Flags: func(fs *pflag.FlagSet) { fs.String("color", "", "the colour") },
	Run: func(ctx context.Context, t driver.ToolRun) error {
		if len(t.Args) != 4 {
			return errors.New("paint wants URL, PASSWORD, CA and BOX")
		}
		color, _ := t.Flags.GetString("color")
		body := strings.NewReader(`{"color":"` + color + `"}`)
		_, err := askDepot(ctx, t.Args[0], t.Args[1], t.Args[2], http.MethodPut, t.Args[3], body)
		fmt.Fprintln(t.Stderr, "painted", t.Args[3])
		return err
	},
}
