package syncctl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/syncctl/syncctl"

// pkg is one package as `go list -json` tells it.
type pkg struct {
	ImportPath, Name, Dir              string
	GoFiles, IgnoredGoFiles            []string
	Imports, TestImports, XTestImports []string
}

// room is the package's path within the module, "" for the root.
func (p pkg) room() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

// ours are the rooms among import paths.
func ours(paths []string) []string {
	var rooms []string
	for _, path := range paths {
		if path == module || strings.HasPrefix(path, module+"/") {
			rooms = append(rooms, strings.TrimPrefix(strings.TrimPrefix(path, module), "/"))
		}
	}
	return rooms
}

var list = sync.OnceValues(func() ([]pkg, error) {
	var stderr bytes.Buffer
	const fields = "ImportPath,Name,Dir,GoFiles,IgnoredGoFiles,Imports,TestImports,XTestImports"
	cmd := exec.Command("go", "list", "-json="+fields, "./...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New("go list: " + err.Error() + "\n" + stderr.String())
	}
	var all []pkg
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// under tells whether a room is one of the folders or lies below one.
func under(room string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return room == f || strings.HasPrefix(room, f+"/") })
}

// neutral are the folders of driver/ that belong to no product: what several drivers share, and the kit that tests
// them.
var neutral = []string{
	"driver/declare", "driver/drivertest", "driver/host", "driver/keystore", "driver/rest", "driver/wording",
}

// productOf is the folder of the product that a room belongs to, "" if it belongs to none.
func productOf(room string) string {
	name, ok := strings.CutPrefix(room, "driver/")
	if !ok || under(room, neutral...) {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	return "driver/" + name
}

// simulatorOf is the folder of the simulator that a room belongs to, "" if it belongs to none.
func simulatorOf(room string) string {
	x := productOf(room)
	name, _, _ := strings.Cut(strings.TrimPrefix(room, x+"/"), "/")
	if x == "" || !strings.HasSuffix(name, "sim") {
		return ""
	}
	return x + "/" + name
}

func isSimulator(room string) bool { return simulatorOf(room) != "" }

// mayImport is the import rule: cmd -> cli, driver/X -> driver -> executor -> planner -> schema, and executor ->
// journal.
func mayImport(from, to string) bool {
	switch {
	case under(from, "cmd"), under(from, "bench") && productOf(to) == "": // bench starts programs, and the engine
		return true
	case to == "lazyregexp": // regexp, but for when it compiles
		return true
	case slices.Contains([]string{"fault", "printable", "redact"}, to): // what is shown of faults, foreign text, secrets
		return !isSimulator(from) && !slices.Contains([]string{"fault", "printable", "redact"}, from)
	case under(from, "cli"): // every product comes to it from outside
		return productOf(to) == "" && !under(to, "cmd", "driver/keystore")
	case isSimulator(from):
		// Its own product's driver least of all: their errors would cancel out. pfx is compared with other programs.
		return under(to, simulatorOf(from)) || slices.Contains([]string{"sandbox/seed", "driver/keystore/pfx"}, to)
	case productOf(from) != "":
		return productOf(to) == productOf(from) && !isSimulator(to) && isBelow(from, to) ||
			under(to, "driver/rest", "driver/host", "driver/declare", "driver/keystore", "driver/wording") ||
			slices.Contains([]string{"driver", "executor", "planner", "schema"}, to)
	case under(from, "driver/keystore"): // a driver of no product
		return under(to, "driver/keystore", "driver/declare", "driver/host", "driver/wording") ||
			slices.Contains([]string{"driver", "executor", "planner", "schema"}, to)
	}
	return slices.Contains(map[string][]string{
		"bundle":            {"signing"},
		"drift":             {"planner", "schema"},
		"driver":            {"driver/rest", "executor", "planner", "policy", "schema"},
		"driver/declare":    {"driver", "driver/host", "driver/rest", "driver/wording", "policy", "schema"},
		"driver/drivertest": {"driver", "executor", "journal", "planner", "sandbox", "schema"},
		"driver/host":       {"driver/wording"},
		"driver/rest":       {"driver/wording"},
		"executor":          {"journal", "planner", "schema"},
		"planner":           {"schema"},
		"policy":            {"signing"},
		"record":            {"journal", "planner", "signing"},
		"reference":         {"schema", "schema/functions"},
		"report":            {"executor", "journal", "planner", "schema"},
		"report/page":       {"executor", "journal", "planner", "report", "report/picture", "schema"},
		"report/picture":    {"planner", "report", "schema"},
		"report/reporttest": {"executor", "journal", "planner", "report", "schema"},
		"schema":            {"schema/functions", "signing"},
	}[from], to)
}

// floors are the rooms of a product that is divided by subject, the lowest first: each may import those of the floors
// below it, and the product's own package all of them.
var floors = map[string][][]string{
	"teamworkcloud": {{"osmc", "settings"}, {"connect"}, {"machine"}, {"revision"}, {"survey"}, {"share"},
		{"offload", "encrypt"}},
}

func floorsOf(product string) [][]string { return floors[strings.TrimPrefix(product, "driver/")] }

// isBelow tells whether one room of a product is on a lower floor than another. Rooms of a product without floors all
// are.
func isBelow(from, to string) bool {
	product := productOf(from)
	floorOf := func(room string) int {
		return slices.IndexFunc(floorsOf(product), func(rooms []string) bool {
			return slices.Contains(rooms, strings.TrimPrefix(room, product+"/"))
		})
	}
	return floorsOf(product) == nil || from == product || floorOf(to) >= 0 && floorOf(to) < floorOf(from)
}

// TestFloors: every room of a product that has floors is on one of them, and the rule says what it means to.
func TestFloors(t *testing.T) {
	for _, p := range packages(t) {
		product, room := productOf(p.room()), p.room()
		if floorsOf(product) == nil || room == product || isSimulator(room) {
			continue
		}
		name := strings.TrimPrefix(room, product+"/")
		if !slices.ContainsFunc(floorsOf(product), func(rooms []string) bool { return slices.Contains(rooms, name) }) {
			t.Errorf("%s is on no floor of %s", room, product)
		}
	}
	const own = "driver/" + "teamworkcloud" // in two parts, as a test may not name a file of a product
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{own, own + "/offload", true},
		{own + "/offload", own + "/machine", true},
		{own + "/offload", own + "/encrypt", false},
		{own + "/machine", own + "/revision", false},
		{own + "/survey", own + "/share", false},
		{own + "/share", own, false},
		{own + "/osmc", own + "/settings", false},
	} {
		if got := mayImport(c.from, c.to); got != c.may {
			t.Errorf("%s may import %s: %v", c.from, c.to, got)
		}
	}
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		for _, to := range ours(p.Imports) {
			if !mayImport(p.room(), to) {
				t.Errorf("%s imports %s, which the import rule (CONTRIBUTING.md) forbids", p.room(), to)
			}
		}
		// A test may look at more rooms than its package does, but at no product from outside of it, lest the product
		// cannot be taken out.
		for _, to := range ours(append(p.TestImports, p.XTestImports...)) {
			if x := productOf(to); x != "" && x != productOf(p.room()) {
				t.Errorf("a test of %s imports %s of another room's product", p.room(), to)
			}
		}
		for _, path := range p.Imports {
			if under(path, "net/http") && !under(p.room(), "driver", "sandbox", "cli", "bench") {
				t.Errorf("%s imports %s: only driver/..., sandbox and cli talk to a network", p.room(), path)
			}
			if under(path, "golang.org/x/crypto/ssh", "github.com/pkg/sftp") &&
				!under(p.room(), "driver/host", "sandbox", "signing") {
				t.Errorf("%s imports %s: machines are reached through driver/host, and served by sandbox", p.room(), path)
			}
			known := standard(path) || slices.Contains(forSimulators, path) || len(ours([]string{path})) > 0
			if isSimulator(p.room()) && !known {
				t.Errorf("%s imports %s: a simulator has the standard library and %q", p.room(), path, forSimulators)
			}
		}
	}
}

// forSimulators are libraries that simulators may use: what a server reads, it does not read with our own code.
var forSimulators = []string{
	"github.com/spf13/afero", "software.sslmate.com/src/go-pkcs12", "github.com/pavlo-v-chernykh/keystore-go/v4",
}

// standard tells a package of the standard library.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// TestDriftCannotWrite: what sorts drift has neither an executor nor files nor a network.
func TestDriftCannotWrite(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, "./drift").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if under(path, "os", "io", "net", "github.com/spf13/afero", module+"/executor", module+"/journal") {
			t.Errorf("drift imports %s", path)
		}
	}
	for _, p := range packages(t) {
		if p.room() == "planner" && slices.Contains(p.Imports, module+"/executor") {
			t.Error("the planner, which reads for drift, imports the executor")
		}
	}
}

func TestImportRule(t *testing.T) {
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"driver/x", "driver/host", true},
		{"driver/x", "driver/rest", true},
		{"driver/x/part", "driver/host", true},
		{"driver/x", "driver/x/part", true},
		{"driver/x", "driver/x/xsim", false},
		{"driver/x", "driver/y", false},
		{"driver/x", "sandbox", false},
		{"driver/host", "driver/rest", false},
		{"driver/host", "driver", false},
		{"driver/rest", "driver/host", false},
		{"driver/x/xsim", "driver/host", false},
		{"driver/x/xsim", "driver/x/part", false},
		{"driver/x/xsim", "driver/x/xsim/part", true},
		{"driver/x/xsim/part", "driver/x/xsim/other", true},
		{"driver/x/xsim/part", "driver/x", false},
		{"driver/x/xsim/part", "driver/x/othersim", false},
		{"driver/x/xsim", "sandbox/seed", true},
		{"driver/x/xsim", "sandbox", false},
		{"driver/x/xsim", "driver/keystore", false},
		{"driver/x/xsim", "driver/keystore/pfx", true},
		{"driver/x", "driver/x/xsim/part", false},
		{"driver/x", "sandbox/seed", false},
		{"driver/keystore", "driver/host", true},
		{"driver/keystore", "driver/x", false},
		{"driver/keystore", "sandbox", false},
		{"driver/drivertest", "sandbox", true},
		{"driver/drivertest", "driver/host", false},
		{"sandbox", "driver/host", false},
		{"schema", "planner", false},
		{"cmd/syncctl", "driver/x/xsim", true},
		{"cmd/syncctl", "cli", true},
		{"cli", "sandbox", true},
		{"cli/internal/view", "executor", true},
		{"cli", "driver/x", false},
		{"cli", "cmd/syncctl", false},
		{"driver/x", "cli", false},
	} {
		if got := mayImport(c.from, c.to); got != c.may {
			t.Errorf("%s may import %s: %v", c.from, c.to, got)
		}
	}
}

// eachFile parses the files of a package, those for other systems too, but no tests.
func eachFile(t *testing.T, p pkg, visit func(*token.FileSet, *ast.File)) {
	t.Helper()
	for _, name := range append(slices.Clone(p.GoFiles), p.IgnoredGoFiles...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		visit(fset, f)
	}
}

// names maps what an import is called in a file to its path.
func names(f *ast.File) map[string]string {
	out := map[string]string{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value) // the parser has seen that it is a string
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		out[name] = path
	}
	return out
}

// speaks matches what reaches past a library's caller: to the terminal, or to the end of the process. A log.Logger
// made by log.New writes where it is told and is not meant.
var speaks = regexp.MustCompile(
	`^(fmt\.(Print|Scan)(f|ln)?|os\.(Exit|Stdin|Stdout|Stderr)|log\.(Print|Fatal|Panic|Default|Set|Writer).*)$`)

func TestOnlyCommandLineSpeaks(t *testing.T) {
	for _, p := range packages(t) {
		if under(p.room(), "cli", "bench") {
			continue
		}
		eachFile(t, p, func(fset *token.FileSet, f *ast.File) {
			imported := names(f)
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					x, ok := n.X.(*ast.Ident)
					if ok && speaks.MatchString(imported[x.Name]+"."+n.Sel.Name) {
						t.Errorf("%s: %s.%s: only cli prints, asks, or exits", fset.Position(n.Pos()), x.Name, n.Sel.Name)
					}
				case *ast.CallExpr:
					if x, ok := n.Fun.(*ast.Ident); ok && (x.Name == "print" || x.Name == "println") {
						t.Errorf("%s: %s: only cli prints, asks, or exits", fset.Position(n.Pos()), x.Name)
					}
				}
				return true
			})
		})
	}
}

// TestFilesAreWrittenInOnePlace: whoever empties a file or goes on at its end has package files look first who has put
// a name there. A new file (O_EXCL) follows no link.
func TestFilesAreWrittenInOnePlace(t *testing.T) {
	for _, p := range packages(t) {
		if !under(p.room(), "cli") || under(p.room(), "cli/internal/files") {
			continue
		}
		eachFile(t, p, func(fset *token.FileSet, f *ast.File) {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "O_TRUNC" || s.Sel.Name == "O_APPEND") {
					t.Errorf("%s: files.Stream and files.Append open what is written piece by piece", fset.Position(n.Pos()))
				}
				return true
			})
		})
	}
}

func TestOnlyDeclareReveals(t *testing.T) {
	for _, p := range packages(t) {
		if under(p.room(), "driver/declare", "driver/drivertest", "schema") {
			continue // schema sets the mark, and the kit looks for secrets
		}
		eachFile(t, p, func(fset *token.FileSet, f *ast.File) {
			imported := names(f)
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, ok := s.X.(*ast.Ident)
				if ok && imported[x.Name] == module+"/schema" && s.Sel.Name == "Reveal" {
					t.Errorf("%s: only declare takes the mark off a secret", fset.Position(s.Pos()))
				}
				if s.Sel.Name == "UnmarkDeep" || s.Sel.Name == "UnmarkDeepWithPaths" {
					t.Errorf("%s: %s takes marks off past schema.Reveal", fset.Position(s.Pos()), s.Sel.Name)
				}
				return true
			})
		})
	}
}

// productWords are names that only a product's own folder, and main.go, may know.
var productWords = regexp.MustCompile(`(?i)backbone|jira|k15t|teamwork|twc|osmc|datamanager|nomagic|magicdraw`)

func TestNoProductIsNamed(t *testing.T) {
	for _, p := range packages(t) {
		shared := append(slices.Clone(neutral), "schema", "planner", "executor", "journal", "sandbox", "cli", "report")
		if p.room() != "driver" && !under(p.room(), shared...) {
			continue
		}
		for _, name := range append(slices.Clone(p.GoFiles), p.IgnoredGoFiles...) {
			src, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(src), "\n") {
				if word := productWords.FindString(line); word != "" && !strings.HasSuffix(name, "_test.go") {
					t.Errorf("%s/%s:%d names a product: %q", p.room(), name, i+1, word)
				}
			}
		}
	}
}

var productsFile = filepath.Join("cmd", "syncctl", "main.go")

// builtIn are the folders of the products that main.go names.
func builtIn(t *testing.T) []string {
	t.Helper()
	src, err := os.ReadFile(productsFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), productsFile, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var products []string
	for _, path := range names(f) {
		for _, room := range ours([]string{path}) {
			if x := productOf(room); x != "" && !slices.Contains(products, x) {
				products = append(products, x)
			}
		}
	}
	slices.Sort(products)
	if len(products) == 0 {
		t.Fatalf("%s names no product", productsFile)
	}
	return products
}

// TestNoProductsFolderIsRead: outside of a product's folder no code and no test reads files of it.
func TestNoProductsFolderIsRead(t *testing.T) {
	for _, x := range builtIn(t) {
		for _, p := range packages(t) {
			if under(p.room(), x) {
				continue
			}
			files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range files {
				fset := token.NewFileSet()
				f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				ast.Inspect(f, func(n ast.Node) bool {
					if n != nil && namesFolder(n, filepath.Base(x)) {
						t.Errorf("%s names a file of %s", fset.Position(n.Pos()), x)
					}
					_, isImport := n.(*ast.ImportSpec)
					return !isImport
				})
			}
		}
	}
}

// namesFolder tells whether code is a path into a folder: "../x/file" or filepath.Join("..", "x").
func namesFolder(n ast.Node, folder string) bool {
	switch n := n.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(n.Value)
		return err == nil && strings.Contains("/"+text+"/", "/"+folder+"/") && text != folder
	case *ast.CallExpr:
		called, ok := n.Fun.(*ast.SelectorExpr)
		return ok && called.Sel.Name == "Join" && slices.ContainsFunc(n.Args, func(arg ast.Expr) bool {
			lit, ok := arg.(*ast.BasicLit)
			return ok && lit.Value == strconv.Quote(folder)
		})
	}
	return false
}

// TestProductCanBeTakenOut is the delete test: without a product's folder, and the lines of main.go that name it,
// everything else compiles, tests included, and the tests of what imported it pass. Other packages are the same with
// and without it, so their tests are not run again; TestNoProductsFolderIsRead proves that they do not read its files.
// The product is taken out by an overlay, so that only what changes is compiled again.
func TestProductCanBeTakenOut(t *testing.T) {
	products := builtIn(t)
	for _, x := range products {
		t.Run(filepath.Base(x), func(t *testing.T) {
			env := append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlayWithout(t, x))
			run := func(args ...string) string {
				cmd := exec.CommandContext(t.Context(), "go", args...)
				cmd.Env = env
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
				}
				return string(out)
			}
			if left := run("list", "./..."); strings.Contains(left, module+"/"+x) {
				t.Fatalf("%s is still there:\n%s", x, left)
			}
			run("vet", "./...")
			// The runs that are killed at every write are of other products, and no different without this one.
			run(append([]string{"test", "-skip=Killed"}, importers(t, x)...)...)
		})
	}
}

// importers are the packages outside of a product's folder that import it, or whose tests do, directly or not.
func importers(t *testing.T, product string) []string {
	t.Helper()
	reached := map[string]bool{} // by room
	for grown := true; grown; {
		grown = false
		for _, p := range packages(t) {
			imports := ours(slices.Concat(p.Imports, p.TestImports, p.XTestImports))
			leads := slices.ContainsFunc(imports, func(to string) bool { return under(to, product) || reached[to] })
			if leads && !reached[p.room()] {
				reached[p.room()], grown = true, true
			}
		}
	}
	var out []string
	for room := range reached {
		if !under(room, product) {
			out = append(out, "./"+room)
		}
	}
	slices.Sort(out)
	if len(out) == 0 {
		t.Fatalf("nothing imports %s", product)
	}
	return out
}

// overlayWithout writes the overlay (go help build) in which a product's folder is empty and main.go does not name it.
func overlayWithout(t *testing.T, product string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	err = filepath.WalkDir(product, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			replace[filepath.Join(dir, path)] = ""
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(productsFile)
	if err != nil {
		t.Fatal(err)
	}
	kept := slices.DeleteFunc(strings.SplitAfter(string(src), "\n"), func(line string) bool {
		return strings.Contains(line, filepath.Base(product))
	})
	main := filepath.Join(t.TempDir(), "main.go")
	replace[filepath.Join(dir, productsFile)] = main
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(filepath.Dir(main), "overlay.json")
	for file, content := range map[string][]byte{main: []byte(strings.Join(kept, "")), name: overlay} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name
}
