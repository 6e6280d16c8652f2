package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/sandbox"
)

// live CODE DO... -- ARGS: starts the program with ARGS, which print the address of a live page, without a stand-in for
// the person. It looks at the page as a browser does, with the session if there is a token, and does one thing after
// the other:
//
//	later          puts off the step that is asked for
//	does           does the work of the step that is asked for, and says that it is done
//	run=A,B,C      runs the program with these arguments, and waits until the page shows another state
//	interrupt      interrupts the program
//	kill           kills it once a step is asked for
//
// Then it waits until the program has ended, with that exit code; -1: it was killed. What was printed is in live.out,
// the page as it was first in live.html, what it was sent then in live.events, $TOKEN is the token,
// and $PAGE what is secret in its address.
func live(ts *testscript.TestScript, program string, args []string) {
	at := slices.Index(args, "--")
	if at < 1 {
		ts.Fatalf("usage: live CODE DO... -- ARGS")
	}
	l := &liveRun{ts: ts, program: program}
	l.start(args[at+1:])
	defer l.stop()
	l.find()
	for _, what := range args[1:at] {
		l.do(what)
	}
	code := l.wait()
	ts.Check(os.WriteFile(ts.MkAbs("live.out"), l.out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("live.events"), l.sent.Bytes(), 0o600))
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s:\n%s%s", code, args[0], &l.out, &l.wrong)
	}
}

type liveRun struct {
	ts      *testscript.TestScript
	program string
	cmd     *exec.Cmd
	lines   *bufio.Scanner
	out     bytes.Buffer
	address string
	token   string
	client  *http.Client
	events  *bufio.Scanner
	wrong   bytes.Buffer // what is printed about errors
	sent    bytes.Buffer
	last    moment
}

// moment is what is looked at of what the page is sent.
type moment struct {
	Verdict   string
	Questions []struct {
		N       int
		Attempt int
		Values  []struct{ Name, Value string }
	}
}

// environ is the script's environment.
func (l *liveRun) environ(person bool) []string {
	env := []string{}
	for _, name := range []string{"PATH", "HOME", "SYNCCTL_CONFIG_DIR", "SYNCCTL_SANDBOX_CA_FILE",
		"SYNCCTL_SANDBOX_ADDRESSES", "DEPOT_NORTH_URL", "DEPOT_NORTH_PASSWORD", "SYNCCTL_LOG", "SYNCCTL_LOG_PATH", "USER"} {
		env = append(env, name+"="+l.ts.Getenv(name))
	}
	if person {
		env = append(env, sandbox.EnvPerson+"="+l.ts.Getenv(sandbox.EnvPerson))
	}
	return env
}

func (l *liveRun) start(args []string) {
	l.cmd = exec.Command(l.program, args...)
	l.cmd.Dir, l.cmd.Env = l.ts.MkAbs("."), l.environ(false)
	pipe, err := l.cmd.StdoutPipe()
	l.ts.Check(err)
	l.cmd.Stderr = &l.wrong
	l.ts.Check(l.cmd.Start())
	l.lines = bufio.NewScanner(pipe)
}

func (l *liveRun) stop() {
	if l.cmd.ProcessState == nil {
		_ = l.cmd.Process.Kill()
		_ = l.cmd.Wait()
	}
	if l.client != nil {
		l.client.CloseIdleConnections()
	}
}

// find looks at the page, opens the session if there is one, and begins to follow.
func (l *liveRun) find() {
	for (l.address == "" || l.cmd.Args[1] == "apply" && l.token == "") && l.line() {
	}
	if l.address == "" {
		l.ts.Fatalf("no address:\n%s%s", &l.out, &l.wrong)
	}
	jar, err := cookiejar.New(nil)
	l.ts.Check(err)
	own, err := url.Parse(l.address)
	l.ts.Check(err)
	l.ts.Setenv("PAGE", strings.Trim(own.Path, "/"))
	l.client = &http.Client{Jar: jar}
	l.ts.Check(os.WriteFile(l.ts.MkAbs("live.html"), l.page("", nil), 0o600))
	if l.token != "" {
		l.ts.Setenv("TOKEN", l.token)
		l.page("session", url.Values{"name": {"Ada"}, "token": {l.token}})
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, l.address+"events", nil)
	l.ts.Check(err)
	res, err := l.client.Do(req)
	l.ts.Check(err)
	l.ts.Defer(func() { _ = res.Body.Close() })
	l.events = bufio.NewScanner(res.Body)
}

// line reads a line of what is printed.
func (l *liveRun) line() bool {
	if !l.lines.Scan() {
		return false
	}
	text := l.lines.Text()
	if address, ok := strings.CutPrefix(text, "Live page: "); ok {
		l.address = address
	}
	if token, ok := strings.CutPrefix(text, "Token: "); ok {
		l.token = token
	}
	l.out.WriteString(text + "\n")
	return true
}

// page asks for something, or sends a form, and returns the page that comes of it.
func (l *liveRun) page(to string, form url.Values) []byte {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, l.address+to, body)
	l.ts.Check(err)
	if form != nil {
		own, err := url.Parse(l.address)
		l.ts.Check(err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "http://"+own.Host)
	}
	res, err := l.client.Do(req)
	l.ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	l.ts.Check(err)
	if res.StatusCode != http.StatusOK {
		l.ts.Fatalf("%s %s: %s\n%s", method, to, res.Status, text)
	}
	return text
}

// next waits for the next moment; false: the stream has ended.
func (l *liveRun) next() bool {
	for l.events.Scan() {
		l.sent.WriteString(l.events.Text() + "\n")
		if data, ok := strings.CutPrefix(l.events.Text(), "data: "); ok && data != "{}" {
			l.last = moment{}
			l.ts.Check(json.Unmarshal([]byte(data), &l.last))
			return true
		}
	}
	return false
}

func (l *liveRun) do(what string) {
	name, arg, _ := strings.Cut(what, "=")
	switch name {
	case "interrupt":
		l.ts.Check(l.cmd.Process.Signal(os.Interrupt))
	case "run":
		for l.last.Verdict == "" && l.next() {
		}
		before := l.last.Verdict
		cmd := exec.Command(l.program, strings.Split(arg, ",")...)
		cmd.Dir, cmd.Env = l.cmd.Dir, l.environ(true)
		if out, err := cmd.CombinedOutput(); err != nil {
			l.ts.Fatalf("%s: %v\n%s", arg, err, out)
		}
		for l.last.Verdict == before && l.next() {
		}
	case "later", "does", "kill":
		for len(l.last.Questions) == 0 && l.next() {
		}
		if len(l.last.Questions) == 0 {
			l.ts.Fatalf("nothing is asked:\n%s", &l.sent)
		}
		if name == "kill" {
			l.ts.Check(l.cmd.Process.Kill())
			return
		}
		l.reply(name)
	default:
		l.ts.Fatalf("live: unknown: %s", what)
	}
}

func (l *liveRun) reply(name string) {
	q := l.last.Questions[0]
	reply := name
	if name == "does" {
		reply = "done"
		ca, err := os.ReadFile(l.ts.Getenv(sandbox.EnvCAFile))
		l.ts.Check(err)
		person, err := sandbox.NewPersonClient(l.ts.Getenv(sandbox.EnvPerson), ca)
		l.ts.Check(err)
		values := map[string]string{"box": q.Values[0].Value, "label": q.Values[1].Value}
		_, err = person.Do(context.Background(), "label_box", values)
		l.ts.Check(err)
	}
	_, rest, _ := strings.Cut(string(l.page("", nil)), `name="secret" value="`)
	secret, _, _ := strings.Cut(rest, `"`)
	l.page("answer", url.Values{
		"secret": {secret}, "step": {strconv.Itoa(q.N)}, "attempt": {strconv.Itoa(q.Attempt)}, "reply": {reply},
	})
	l.last.Questions = nil
}

// wait reads what is left, and returns the exit code.
func (l *liveRun) wait() int {
	for l.next() {
	}
	for l.line() {
	}
	err := l.cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		l.ts.Check(err)
	}
	return l.cmd.ProcessState.ExitCode()
}
