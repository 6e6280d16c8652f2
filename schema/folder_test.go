package schema

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// onDisk makes a folder conf with files, and beside it secret.txt, which no configuration may read.
func onDisk(t *testing.T, files map[string]string, links map[string]string) string {
	t.Helper()
	root := t.TempDir()
	put := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(root, "secret.txt"), "canary = hunter22\n")
	dir := filepath.Join(root, "conf")
	for name, text := range files {
		put(filepath.Join(dir, name), text)
	}
	for name, to := range links {
		if err := os.Symlink(strings.ReplaceAll(to, "ROOT", root), filepath.Join(dir, name)); err != nil {
			if runtime.GOOS == "windows" { // needs a privilege there
				return dir
			}
			t.Fatal(err)
		}
	}
	return dir
}

// TestConfined: file() and the configuration's own files stay in the folder, in both syntaxes, and nothing from
// outside is quoted.
func TestConfined(t *testing.T) {
	links := map[string]string{
		"out": "../secret.txt", "whole": "ROOT/secret.txt", "up": "..", "loop": "loop", "in": "sub/a.txt", "twice": "out",
		"sub/back": "../a.txt", "config": ".git/config", "sub/.git": "x~1",
	}
	files := map[string]string{"a.txt": "fine", "sub/a.txt": "fine", ".git/config": "token = hunter22\n",
		"sub/.GIT": "gitdir: hunter22\n", ".syncctl/lock": "hunter22\n",
		"sub/x~1/config": "token = hunter22\n", "sub/y~1/a.txt": "fine"}
	for path, inside := range map[string]bool{
		"a.txt": true, "sub/a.txt": true, "in": true, "sub/back": true, "sub/../a.txt": true, "./a.txt": true,
		"../conf/a.txt": true, "up/conf/a.txt": true,
		"out": false, "whole": false, "up/secret.txt": false, "twice": false, "loop": false, "../secret.txt": false,
		"sub/../../secret.txt": false, "up/../secret.txt": false, "/proc/self/environ": false, "/dev/zero": false,
		"../gone": false, "sub": false, ".": false, ".git/config": false, "sub/../.git/config": false, "config": false,
		"sub/.GIT": false, ".syncctl/lock": false, "sub/x~1/config": false, "sub/y~1/a.txt": true,
	} {
		for file, text := range map[string]string{
			"main.sync.hcl": "server \"barn\" \"x\" {\n  url = can(file(\"" + path + "\"))\n}\n" +
				"server \"barn\" \"y\" {\n  url = [file(\"" + path + "\")]\n}\n",
			"main.sync.hcl.json": `{"server": {"barn": {"x": {"url": "${can(file(\"` + path + `\"))}"}, ` +
				`"y": {"url": ["${file(\"` + path + `\")}"]}}}}`,
		} {
			files[file] = text
			dir := onDisk(t, files, links)
			delete(files, file)
			cfg, diags := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: dir, Catalog: depots()})
			var out bytes.Buffer
			if err := WriteText(&out, diags, cfg.Files(), TextOptions{}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), "hunter22") || strings.Contains(out.String(), "PATH=") {
				t.Errorf("%s in %s: quoted: %s", path, file, out.String())
			}
			if got := cfg.Lookup(Addr{Kind: Server, Type: "barn", Name: "x"}).Text("url"); got != strconv.FormatBool(inside) {
				t.Errorf("%s in %s: read: %s", path, file, got)
			}
		}
	}
}

// TestAboveALink: .. after a link means the parent of where the link leads, and a file there is outside of the folder,
// whichever function names it.
func TestAboveALink(t *testing.T) {
	const above = "sub/../secret.txt"
	files := map[string]string{"../other/a.txt": "", "../mod/main.sync.hcl": "locals {\n  a = 1\n}\n"}
	links := map[string]string{"sub": "../other", "fds": "/proc/self/fd"}
	for _, expr := range []string{
		`file("` + above + `")`, `file("sub/.././secret.txt")`, `file("sub//../secret.txt")`, `fileexists("` + above + `")`,
		`templatefile("` + above + `", {})`, `filebase64("` + above + `")`, `filesha256("` + above + `")`,
		`file("fds/../environ")`, `fileexists("fds/../environ")`,
	} {
		files["main.sync.hcl"] = "server \"barn\" \"x\" {\n  url = can(" + expr + ")\n}\n"
		var asked []string
		access := Access{ReadFile: func(r Reading) error { asked = append(asked, r.Path); return errors.New("no") }}
		dir := onDisk(t, files, links)
		cfg, _ := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: dir, Catalog: depots(), Access: access})
		if got := cfg.Lookup(Addr{Kind: Server, Type: "barn", Name: "x"}).Text("url"); got != "false" {
			t.Errorf("%s: read: %s", expr, got)
		}
		if runtime.GOOS != "windows" && !strings.Contains(expr, "fds") && len(asked) == 0 {
			t.Errorf("%s: the policy was not asked", expr)
		}
	}
	files["main.sync.hcl"] = "module \"m\" {\n  source = \"./sub/../mod\"\n}\n"
	dir := onDisk(t, files, links)
	if _, diags := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: dir, Catalog: depots()}); !diags.HasErrors() {
		t.Error("a module from outside is read")
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := Folder{Fs: afero.NewOsFs(), Dir: dir, real: real}.Sums([]string{above})
	if err != nil || len(sums[above]) == 64 {
		t.Errorf("summed: %v, %v", sums, err)
	}
}

// TestOwnFilesConfined: a file of the folder that is a link to elsewhere is refused, and its lines are not shown.
func TestOwnFilesConfined(t *testing.T) {
	for _, name := range []string{"x.sync.hcl", "x.sync.hcl.json", "syncctl.syncvars.hcl", "x.auto.syncvars.hcl"} {
		dir := onDisk(t, map[string]string{"main.sync.hcl": "locals {\n  a = 1\n}\n"},
			map[string]string{name: "../secret.txt"})
		cfg, diags := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: dir})
		if !diags.HasErrors() || len(cfg.Files()) != 1 {
			t.Errorf("%s: %v, %d files", name, diags, len(cfg.Files()))
		}
	}
}

// TestAccess: a policy decides on what is outside, by a path without links, and on the environment and nonsensitive.
func TestAccess(t *testing.T) {
	dir := onDisk(t, map[string]string{"main.sync.hcl": "locals {\n  a = file(\"out\")\n}\n"},
		map[string]string{"out": "../secret.txt"})
	var asked string
	access := Access{ReadFile: func(r Reading) error { asked = r.Path; return nil }}
	if _, diags := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: dir, Access: access}); diags.HasErrors() {
		t.Error(diags)
	}
	if real, _ := filepath.EvalSymlinks(filepath.Dir(dir)); asked != filepath.Join(real, "secret.txt") {
		t.Errorf("asked for %s", asked)
	}
	no := errors.New("a policy forbids it")
	access = Access{Env: func(string) error { return no }, Nonsensitive: func() error { return no }}
	for _, expr := range []string{`env("A", "x")`, `nonsensitive("x")`, `nonsensitive(sensitive("x"))`} {
		fs := withFile(t, "locals {\n  a = "+expr+"\n}\n")
		if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Access: access}); !diags.HasErrors() {
			t.Errorf("%s: taken", expr)
		}
		if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"}); diags.HasErrors() {
			t.Errorf("%s: %v", expr, diags)
		}
	}
}

// TestReading: the files of arguments may be anywhere when that is written, they are regular, and not large.
func TestReading(t *testing.T) {
	dir := onDisk(t, map[string]string{"ca.pem": "12345678"}, map[string]string{"out": "../secret.txt"})
	folder := Folder{Fs: afero.NewOsFs(), Dir: dir}
	for path, want := range map[string]bool{
		"ca.pem": true, filepath.Join(filepath.Dir(dir), "secret.txt"): true,
		"out": false, "../secret.txt": false, "/dev/zero": false, "/proc/self/environ": false, dir: false,
	} {
		_, err := folder.Read(Reading{Path: path, By: "ca_file", Most: 100, Whole: true})
		if (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := folder.Read(Reading{Path: "ca.pem", Most: 7}); err == nil {
		t.Error("a file that is too large was read")
	}
	if _, err := folder.Read(Reading{Path: "ca.pem", Most: 8}); err != nil {
		t.Error(err)
	}
}

// TestValuesOfElsewhere: a file of values that is a link out of its folder is for a policy to permit, and what has no
// quotes in it is shown no more than the rest.
func TestValuesOfElsewhere(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("conf/main.sync.hcl", "variable \"region\" {\n  default = \"\"\n}\n"+
		"variable \"db_password\" {\n  default = canary1\n}\n")
	write("conf/own.syncvars.hcl", "region = \"x\"\n")
	write("secret.env", "TOKEN=canary2\nDB = canary.b.c\nlist = [canary, \"canary\"]\ndb_password = canary3\n")
	link := filepath.Join(dir, "conf", "ci.syncvars.hcl")
	if err := os.Symlink(filepath.Join("..", "secret.env"), link); err != nil {
		t.Log(err) // Windows, without the right to make links
		return
	}
	refuse := Access{ReadFile: func(r Reading) error { return errors.New("refused: " + filepath.Base(r.Path)) }}
	for name, c := range map[string]struct {
		access Access
		want   string
	}{"ci": {refuse, "refused: secret.env"}, "own": {refuse, ""}, "free": {Access{}, "no variable"}} {
		file := link
		if name == "own" {
			file = filepath.Join(dir, "conf", "own.syncvars.hcl")
		}
		cfg, diags := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: filepath.Join(dir, "conf"), Access: c.access,
			Vars: []VarSource{{File: file}}})
		out := textOf(t, cfg, diags)
		if !strings.Contains(strings.Join(strings.Fields(out), " "), c.want) || strings.Contains(out, "canary") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestSumOfALink: where a link out of the folder leads is told as it is the same at each place that the folder is
// copied to, with the folder beside it.
func TestSumOfALink(t *testing.T) {
	var sums []string
	for range 2 {
		base := t.TempDir()
		dir := filepath.Join(base, "conf")
		for _, path := range []string{dir, filepath.Join(base, "tools")} {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		tool := filepath.Join(base, "tools", "run")
		if err := os.WriteFile(tool, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, to := range map[string]string{"near": "../tools/run", "whole": tool} {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Folder{Fs: afero.NewOsFs(), Dir: dir}.Sums([]string{"near", "whole"})
		real, _ := filepath.EvalSymlinks(tool)
		if err != nil || got["whole"] != "a link to "+real {
			t.Errorf("%v, %v", got, err)
		}
		sums = append(sums, got["near"])
	}
	if sums[0] != "a link to ../tools/run" || sums[1] != sums[0] {
		t.Errorf("the sums are %q", sums)
	}
}

// TestTooLargeIsNotRead checks that no memory is used for a file that is too large.
func TestTooLargeIsNotRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, 1<<30)); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadBounded(afero.NewOsFs(), name, 256<<20)
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; err == nil || made > 1<<20 {
		t.Errorf("%v, with %d bytes", err, made)
	}
}

// TestListedIsWhatIsRead: what took the place of a file after its folder was listed is not read, and a link that was
// listed is followed as any other.
func TestListedIsWhatIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		instead func(path string) error
		read    bool
	}{
		"nothing": {func(string) error { return nil }, true},
		"a link": {func(path string) error {
			return errors.Join(os.Remove(path), os.Symlink("../secret.txt", path))
		}, false},
		"another file": {func(path string) error {
			return errors.Join(os.WriteFile(path+"2", []byte("fine"), 0o600), os.Rename(path+"2", path))
		}, false},
		"a folder": {func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, false},
	} {
		dir, err := filepath.EvalSymlinks(onDisk(t, map[string]string{"a.txt": "fine"}, nil))
		path := filepath.Join(dir, "a.txt")
		listed, bad := os.Lstat(path)
		if err = errors.Join(err, bad, c.instead(path)); err != nil {
			t.Fatal(err)
		}
		text, err := Folder{Fs: afero.NewOsFs(), Dir: dir, real: dir}.Read(Reading{Path: "a.txt", Most: 9, listed: listed})
		if (err == nil) != c.read || c.read != (string(text) == "fine") {
			t.Errorf("%s in its place: %q, %v", name, text, err)
		}
	}
	dir, err := filepath.EvalSymlinks(onDisk(t, map[string]string{"a.txt": ""}, map[string]string{"out": "../secret.txt"}))
	listed, bad := os.Lstat(filepath.Join(dir, "out"))
	if err = errors.Join(err, bad); err != nil {
		t.Fatal(err)
	}
	if text, err := (Folder{Fs: afero.NewOsFs(), Dir: dir, real: dir}).Read(
		Reading{Path: "out", Most: 99, listed: listed}); err == nil {
		t.Errorf("what a link leads to is read: %s", text)
	}
}

// openings counts the files that are opened.
type openings struct {
	afero.Fs
	n int
}

func (o *openings) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	o.n++
	return o.Fs.OpenFile(name, flag, perm)
}

// TestSumsOfOneFile: a file that a command names many times is read once, since it may be large.
func TestSumsOfOneFile(t *testing.T) {
	files := &openings{Fs: withFile(t, "a")}
	sums, err := Folder{Fs: files, Dir: "conf"}.Sums([]string{strings.Repeat("main.sync.hcl;", 100), "main.sync.hcl"})
	if err != nil || len(sums) != 1 || files.n != 1 {
		t.Errorf("%d openings, %v, %v", files.n, sums, err)
	}
}
