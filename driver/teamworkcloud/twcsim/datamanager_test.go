package twcsim

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// managed is a source and a target with two copies; both servers are stopped.
func managed(t testing.TB, version string) *site {
	t.Helper()
	x := onMachine(t, version)
	x.configure("Engine", state.EveryCommit)
	x.configure("Gears", state.EveryCommit)
	x.pass(1)
	for _, name := range []string{"src", "dst"} {
		x.runs(name, "sudo systemctl stop webapp && sudo systemctl stop twcloud")
	}
	return x
}

func (x *site) start() {
	x.t.Helper()
	for _, name := range []string{"src", "dst"} {
		x.runs(name, "sudo systemctl start twcloud && sudo systemctl start webapp")
	}
	x.pass(1)
}

func (x *site) manage(server, args string) string {
	x.t.Helper()
	return x.runs(server, x.manager(server)+" "+args)
}

func (x *site) names(server string) []string {
	var out []string
	for _, r := range x.Named[server].Resources {
		out = append(out, r.Name)
	}
	slices.Sort(out)
	return out
}

func TestDataManagerLists(t *testing.T) {
	for _, version := range releases[1:] {
		x := managed(t, version)
		x.Named["src"].Resource("Wheel").Removed = true
		engine := x.Named["src"].Resource("Engine")
		trunk, hybrid := engine.Branches[0].ID, engine.Branches[1].ID
		rows := func(lines ...string) string { slices.Sort(lines); return strings.Join(lines, "\n") + "\n" }
		for args, want := range map[string]string{
			"-lr":                         rows(engine.ID+"  Engine", x.idOf("src", "Gears")+"  Gears"),
			"--list-resources":            rows(engine.ID+"  Engine", x.idOf("src", "Gears")+"  Gears"),
			"-lrd":                        x.idOf("src", "Wheel") + "  Wheel\n",
			"-lb resourceID=" + engine.ID: trunk + "  trunk\n" + hybrid + "  hybrid\n",
			"-lb resourceID=x":            "Resource x was not found\n",
			"-lb resourceID=Engine":       "Resource Engine was not found\n",
			"-lb " + engine.ID:            "ERROR: wrong arguments. Usage: datamanager -lb resourceID=<value>\n",
			"-lrv resourceID=" + engine.ID + " branchID=" + trunk:  "1  one\n2  two\n9  nine\n",
			"-lrv resourceID=" + engine.ID + " branchID=" + hybrid: "5  five\n",
			"-lrv resourceID=" + engine.ID + " branchID=x":         "Branch x was not found\n",
			"-lrv resourceID=x branchID=x":                         "Resource x was not found\n",
			"-lrv resourceID=" + engine.ID: "ERROR: wrong arguments. Usage: datamanager -lrv " +
				"resourceID=<value> branchID=<value>\n",
			"-version": "Data Manager " + x.Named["src"].Release.String() + "\n",
			"-dr":      "ERROR: wrong arguments. Usage: datamanager -dr <resource id> <resource id> ...\n",
			"-dr -x":   "ERROR: wrong arguments. Usage: datamanager -dr <resource id> <resource id> ...\n",
			"-urd":     "ERROR: wrong arguments. Usage: datamanager -urd <resource id> <resource id> ...\n",
			"-drd all": "ERROR: wrong arguments. Usage: datamanager -drd\n",
			"-rrof " + engine.ID: "ERROR: wrong arguments. Usage: datamanager -rrof --resourceID=<value>,<value> " +
				"--categoryID=<value>,<value>\n",
		} {
			if got := x.manage("src", args); strings.TrimRight(got, " \n") != strings.TrimRight(want, " \n") {
				t.Errorf("%s %s:\n%s\nwant\n%s", version, args, got, want)
			}
		}
		categories := slices.Index(releases, version) >= slices.Index(releases, "2024xR2")
		for args, what := range map[string]string{"-lcat": x.idOf("src", "Shared") + "  Shared\n",
			"-help": "-lcat, --list-categories\n"} {
			if got := x.manage("src", args); strings.Contains(got, what) != categories {
				t.Errorf("%s %s: %s", version, args, got)
			}
		}
		if got := x.manage("src", "-crb"); !strings.HasPrefix(got, "Unknown option: -crb\nUsage:") {
			t.Errorf("%s: %s", version, got)
		}
		log := "/opt/CATIANoMagicServices/Utilities/datamanager/logs/datamanager.log"
		switch {
		case strings.HasPrefix(version, "2021x"):
			log = "/home/admin/.twcloud/2021x/datamanager.log"
		case slices.Index(releases, version) < slices.Index(releases, "2022xR2"):
			log = "/opt/TeamworkCloud/Utilities/datamanager/logs/datamanager.log"
		}
		b, err := afero.ReadFile(x.Files("src"), log)
		if err != nil || !strings.Contains(string(b), "INFO  Resource x was not found\n") ||
			!strings.Contains(string(b), "ERROR wrong arguments") {
			t.Errorf("%s: %v, %s", version, err, b)
		}
	}
}

// TestDataManagerRefusals checks that whatever it refuses, its exit code only shows that Cassandra is down.
func TestDataManagerRefusals(t *testing.T) {
	for _, version := range releases[1:] {
		x := managed(t, version)
		engine := x.idOf("src", "Engine")
		writes := []string{"-dr " + engine, "-drd", "-urd " + engine, "-rrof --resourceID=" + engine}
		x.start()
		before := x.dump()
		for _, args := range writes {
			if got := x.manage("dst", args); !strings.Contains(got, "Teamwork Cloud is running") {
				t.Errorf("%s %s: %s", version, args, got)
			}
		}
		if got := x.manage("dst", "-lr"); !strings.Contains(got, engine) {
			t.Errorf("%s: reading while the server runs: %s", version, got)
		}
		x.runs("dst", "sudo systemctl stop twcloud cassandra")
		for _, args := range append(writes, "-lr", "-lb resourceID="+engine) {
			if code, out, _ := x.run("dst", x.manager("dst")+" "+args); code != 1 ||
				!strings.Contains(out, "could not reach any contact point") {
				t.Errorf("%s %s: %d %s", version, args, code, out)
			}
		}
		x.manage("dst", "-help")
		x.runs("dst", "sudo systemctl start twcloud cassandra")
		x.pass(1)
		if after := x.dump(); after != before && !strings.HasPrefix(version, "2021x") { // its log is not in a folder logs
			t.Errorf("%s: changed\n%s\n%s", version, before, after)
		}
		x.runs("dst", "sudo systemctl stop twcloud")
		if got := x.manage("dst", "-dr "+engine+",x y"); got != "Resource "+engine+
			",x was not found\nResource y was not found\n" || len(x.Named["dst"].Resources) != 2 {
			t.Errorf("%s: %s", version, got)
		}
	}
}

// TestDeleteOnTheSource checks that what is deleted on the source is gone for good; the target keeps its copies and
// reports an error.
func TestDeleteOnTheSource(t *testing.T) {
	for _, version := range releases[1:] {
		x := managed(t, version)
		engine := x.idOf("src", "Engine")
		reader := x.Named["src"].User("reader")
		reader.Grants = append(reader.Grants, state.Grant{Role: reader.Grants[0].Role, Resources: []string{engine}})
		want := x.history("dst", "Engine", true)
		if got := x.manage("src", "-dr "+engine+" nothing"); got != "Resource "+engine+
			" was deleted\nResource nothing was not found\n" {
			t.Errorf("%s: %s", version, got)
		}
		if got := x.manage("src", "-lr"); strings.Contains(got, engine) || len(reader.Grants) != 1 {
			t.Errorf("%s: %s, grants %v", version, got, reader.Grants)
		}
		x.start()
		c := x.Named["dst"].Configurations[0]
		if c.Status != state.InError || !strings.Contains(c.Reason, "does not exist on the source any more") ||
			x.history("dst", "Engine", true) != want {
			t.Errorf("%s: %s %s\n%s", version, c.Status, c.Reason, x.history("dst", "Engine", true))
		}
		if c := x.Named["dst"].Configurations[1]; c.Status != state.Synchronized {
			t.Errorf("%s: the other one: %s %s", version, c.Status, c.Reason)
		}
	}
}

func TestDeleteOnTheTarget(t *testing.T) {
	x := managed(t, "2024xR3")
	x.manage("dst", "-dr "+x.idOf("src", "Engine"))
	if got := x.Named["dst"].Configurations; len(got) != 1 || got[0].Item != x.idOf("src", "Gears") {
		t.Errorf("%d configurations are left", len(got))
	}
	x.start()
	if got := x.names("dst"); !slices.Equal(got, []string{"Gears"}) {
		t.Errorf("it came again: %v", got)
	}
	x = onMachine(t, "2024xR3")
	x.configure("Shared", state.EveryCommit)
	x.pass(1)
	x.runs("dst", "sudo systemctl stop twcloud")
	x.manage("dst", "-dr "+x.idOf("src", "Engine"))
	if got := x.Named["dst"].Configurations[0].Members; len(got) != 1 {
		t.Errorf("members are %v", got)
	}
	x.manage("dst", "-dr "+x.idOf("src", "Gears"))
	if n := len(x.Named["dst"].Configurations); n != 0 {
		t.Errorf("%d configurations are left", n)
	}
}

func TestMarkedAsDeleted(t *testing.T) {
	x := managed(t, "2024xR3")
	x.start()
	for _, name := range []string{"Engine", "Wheel"} {
		x.do("remove", "server", "src", "resource", name)
		x.fails("is marked as deleted", "remove", "server", "src", "resource", name)
		x.fails("is marked as deleted", "commit", "server", "src", "resource", name)
	}
	x.pass(1)
	if c := x.Named["dst"].Configurations[0]; c.Status != state.Synchronized ||
		c.Reason != "the resource is marked as deleted on the source" {
		t.Errorf("%s %s", c.Status, c.Reason)
	}
	x.runs("src", "sudo systemctl stop twcloud")
	engine, gears := x.idOf("src", "Engine"), x.idOf("src", "Gears")
	want := "Resource " + engine + " is no longer marked as deleted\nResource " + gears +
		" is not marked as deleted\nResource x was not found\n"
	if got := x.manage("src", "-urd "+engine+" "+gears+" x"); got != want {
		t.Error(got)
	}
	want = "Resource " + x.idOf("src", "Wheel") + " was deleted\n"
	if got := x.manage("src", "-drd"); got != want {
		t.Error(got)
	}
	if got := x.names("src"); !slices.Equal(got, []string{"Engine", "Gears"}) || x.manage("src", "-lrd") != "" {
		t.Errorf("left: %v", got)
	}
}

// TestMarkedBeforeTheFirstCopy checks that a resource marked as deleted is not copied for the first time.
func TestMarkedBeforeTheFirstCopy(t *testing.T) {
	x := onMachine(t, "2024xR3")
	x.configure("Engine", state.ByHand)
	x.do("remove", "server", "src", "resource", "Engine")
	x.do("synchronize", "target", "dst", "items", x.idOf("src", "Engine"))
	x.pass(2)
	if got := x.status("dst"); !strings.HasPrefix(got, state.NotSynchronized) || len(x.Named["dst"].Resources) != 0 {
		t.Error(got)
	}
}

func TestRemoveReadOnlyFlag(t *testing.T) {
	for _, version := range releases[1:] {
		x := managed(t, version)
		engine, gears, category := x.idOf("src", "Engine"), x.idOf("src", "Gears"), x.idOf("dst", "From outside")
		want := "Read-only flag of resource " + engine +
			" was removed\nResource x was not found\nCategory y was not found\n"
		if got := x.manage("dst", "-rrof --resourceID="+engine+",x --categoryID=y"); got != want {
			t.Errorf("%s: %s", version, got)
		}
		want = "Resource " + engine + " is not read-only\nRead-only flag of resource " + gears + " was removed\n"
		if got := x.manage("dst", "-rrof --categoryID="+category); got != want {
			t.Errorf("%s: %s", version, got)
		}
		if got := x.manage("dst", "-rrof -resourceID="+gears); got != "Resource "+gears+" is not read-only\n" {
			t.Errorf("%s: %s", version, got)
		}
		x.start()
		x.do("check_editable", "target", "dst", "resources", engine+","+gears)
		x.do("commit", "server", "dst", "resource", "Engine", "description", "ours again")
		x.pass(1)
		if c := x.Named["dst"].Configurations[0]; c.Status != state.Synchronized {
			t.Errorf("%s: nothing is new on the source: %s %s", version, c.Status, c.Reason)
		}
		x.do("commit", "server", "src", "resource", "Engine")
		before := x.history("dst", "Engine", true)
		x.pass(1)
		c := x.Named["dst"].Configurations[0]
		if c.Status != state.InError || !strings.HasPrefix(c.Reason, "version inconsistency") ||
			x.history("dst", "Engine", true) != before {
			t.Errorf("%s: %s %s", version, c.Status, c.Reason)
		}
	}
}

func TestCheckEditable(t *testing.T) {
	x := managed(t, "2024xR3")
	x.start()
	engine, gears := x.idOf("src", "Engine"), x.idOf("src", "Gears")
	x.fails("still read-only on dst: Engine ("+engine+"), Gears ("+gears+")", "check_editable", "target", "dst",
		"resources", engine+","+gears)
	x.fails("not found on dst: x", "check_editable", "target", "dst", "resources", engine+",x")
}
