package sandbox_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/sandbox"
)

func parse(t *testing.T, text string) sandbox.Fault {
	t.Helper()
	f, err := sandbox.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFaultWords: what is offered is the beginning of a fault, or a whole one.
func TestFaultWords(t *testing.T) {
	for typed, want := range map[string]string{
		"": "server= method= path= nth= kind= status= retry_after= delay=", "kind=": "kind=fail kind=hang kind=cut kind=lost kind=late",
		"server=a,path=/x,method=POST,status=500,delay=1s,": "server=a,path=/x,method=POST,status=500,delay=1s,nth= " +
			"server=a,path=/x,method=POST,status=500,delay=1s,kind= server=a,path=/x,method=POST,status=500,delay=1s,retry_after=",
		"kind=lost,nth=": "kind=lost,nth=*", "path=": "", "kind=cut,color=": "",
	} {
		if got := strings.Join(sandbox.FaultWords(typed), " "); got != want {
			t.Errorf("%q: %s", typed, got)
		}
	}
	for _, text := range sandbox.FaultWords("kind=cut,method=") {
		if _, err := sandbox.ParseFault(text); err != nil {
			t.Error(err)
		}
	}
}

func TestParseFault(t *testing.T) {
	for text, want := range map[string]sandbox.Fault{
		"kind=cut":  {Kind: sandbox.Cut, First: 1, Last: 1},
		"kind=fail": {Kind: sandbox.Fail, First: 1, Last: 1, Status: 503},
		"kind=late": {Kind: sandbox.Late, First: 1, Last: 1, Delay: 2 * time.Second},
		"server=b, method=post, path=**/resync, nth=2, kind=lost": {
			Server: "b", Method: "POST", Path: "**/resync", First: 2, Last: 2, Kind: sandbox.Lost,
		},
		"nth=2-4,kind=fail,status=429,retry_after=1": {First: 2, Last: 4, Kind: sandbox.Fail, Status: 429, RetryAfter: "1"},
		"nth=*,kind=late,delay=1ms": {First: 1, Last: math.MaxInt, Kind: sandbox.Late,
			Delay: time.Millisecond},
		"nth=3-,kind=hang": {First: 3, Last: math.MaxInt, Kind: sandbox.Hang},
	} {
		got := parse(t, text)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		if diff := cmp.Diff(want, parse(t, got.String())); diff != "" {
			t.Errorf("%s, written as %s and read again: %s", text, got, diff)
		}
	}
}

func TestParseFaultRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"": "not of the form key=value; the keys are server, method, path, nth, kind, " +
			"status, retry_after, delay",
		"kind":                          "not of the form key=value",
		"path=/x":                       `does not say its kind, one of ["fail" "hang" "cut" "lost" "late"]`,
		"kind=slow":                     `no kind "slow"; the kinds are ["fail" "hang" "cut" "lost" "late"]`,
		"kind=cut,pth=/x":               `no key "pth"; the keys are`,
		"kind=cut,kind=cut":             "kind is given twice",
		"kind=cut,nth=0":                "nth counts from 1",
		"kind=cut,nth=4-2":              "nth counts from 1",
		"kind=cut,nth=-2":               "nth counts from 1",
		"kind=cut,nth=1-x":              "nth counts from 1",
		"kind=fail,status=200":          "from 400 to 599, not 200",
		"kind=fail,status=0":            "from 400 to 599",
		"kind=lost,status=500":          "status belongs to kind=fail, not to kind=lost",
		"kind=lost,delay=1s":            "delay belongs to kind=late",
		"kind=cut,retry_after=1":        "retry_after belongs to kind=fail",
		"kind=fail,retry_after=soon":    "whole seconds",
		"kind=late,delay=3":             "a length of time",
		"kind=late,delay=-3s":           "a length of time above zero",
		"kind=cut,method=GET POST":      "method is one of HTTP's",
		"kind=cut,path=resync":          "path begins with / or *",
		"kind=cut,path=/x,also=a=b,c=d": `no key "also"`,
	} {
		_, err := sandbox.ParseFault(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, seed := range []string{"server=b,method=POST,path=**/resync,nth=2-4,kind=fail,status=429,retry_after=1",
		"kind=late,delay=3s,nth=*", "nth=3-,kind=cut"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := sandbox.ParseFault(text)
		if err != nil {
			return
		}
		again, err := sandbox.ParseFault(fault.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, fault, err)
		}
		if diff := cmp.Diff(fault, again); diff != "" {
			t.Fatalf("%q is written as %q, which is another fault: %s", text, fault, diff)
		}
	})
}

func TestFaultForAServerThatIsNotThere(t *testing.T) {
	_, err := sandbox.Start(t.Context(), sandbox.Options{
		Seed: []byte(twoServers), Products: products(), Faults: []sandbox.Fault{{Server: "c", Kind: sandbox.Cut}},
	})
	if err == nil || !strings.Contains(err.Error(), `there is no server "c"; the servers are a, b`) {
		t.Errorf("got %v", err)
	}
}

// brokenOff reports whether a connection ended without an answer.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

func TestEveryKindOfFault(t *testing.T) {
	for _, c := range []struct {
		fault      string
		status     int // 0: no answer
		carriedOut int
	}{
		{"kind=fail,path=/x", 503, 0},
		{"kind=fail,path=/x,status=429,retry_after=7", 429, 0},
		{"kind=cut,path=/x", 0, 0},
		{"kind=lost,path=/x", 0, 1},
		{"kind=late,path=/x,delay=7h", 201, 1},
	} {
		t.Run(c.fault, func(t *testing.T) {
			var log lockedBuffer
			var slept time.Duration
			fault := parse(t, c.fault)
			s := start(t, sandbox.Options{
				AccessLog: &log, Faults: []sandbox.Fault{fault},
				Sleep: func(_ context.Context, d time.Duration) error { slept = d; return nil },
			})
			resp, err := client(t, s).Post(address(t, s, "a")+"/x", "text/plain", strings.NewReader("12345"))
			if err == nil {
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != c.status || resp.Header.Get("Retry-After") != fault.RetryAfter {
					t.Errorf("got %d, Retry-After %q, %s", resp.StatusCode, resp.Header.Get("Retry-After"), body)
				}
				if c.status == 201 && (string(body) != "a got 5 bytes" || resp.Header.Get("X-Server") != "a") {
					t.Errorf("the late answer is not the server's: %q %v", body, resp.Header)
				}
			} else if c.status != 0 || !brokenOff(err) {
				t.Errorf("got %v", err)
			}
			if slept != fault.Delay {
				t.Errorf("waited %s", slept)
			}
			if got := hits(t, s)["a POST /x"]; got != c.carriedOut {
				t.Errorf("carried out %d times", got)
			}
			lines := log.lines(t)
			if len(lines) != 1 || lines[0].Status != c.status || lines[0].Fault != string(fault.Kind) ||
				lines[0].CarriedOut != (c.carriedOut == 1) {
				t.Errorf("access log: %+v", lines)
			}
			// It was asked for once.
			if status, _, err := post(t.Context(), client(t, s), address(t, s, "a")+"/x"); err != nil || status != 201 {
				t.Errorf("the next request got %d, %v", status, err)
			}
		})
	}
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	var log lockedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	s := start(t, sandbox.Options{
		AccessLog: &log, Faults: []sandbox.Fault{{Kind: sandbox.Hang}},
		Now: func() time.Time { cancel(); return time.Now() }, // the request is there: give up
	})
	if _, _, err := post(ctx, client(t, s), address(t, s, "a")+"/x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	lines := log.lines(t)
	if len(lines) != 1 || lines[0].Status != 0 || lines[0].Fault != "hang" || lines[0].CarriedOut ||
		len(hits(t, s)) != 0 {
		t.Errorf("access log: %+v", lines)
	}
}

// TestHangIsLoggedWhenItBegins checks that the access log has the line of a hanging request while it hangs, so that a
// waiting caller knows when to continue.
func TestHangIsLoggedWhenItBegins(t *testing.T) {
	logged := make(chan struct{})
	s := start(t, sandbox.Options{AccessLog: writerFunc(func(p []byte) (int, error) {
		close(logged)
		return len(p), nil
	}), Faults: []sandbox.Fault{{Kind: sandbox.Hang}}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-logged // logged before the client gives up, and once
		cancel()
	}()
	if _, _, err := post(ctx, client(t, s), address(t, s, "a")+"/x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestHangAndLateEndWithTheSandbox(t *testing.T) {
	for _, kind := range []sandbox.FaultKind{sandbox.Hang, sandbox.Late} {
		t.Run(string(kind), func(t *testing.T) {
			var log lockedBuffer
			came := make(chan struct{})
			s := start(t, sandbox.Options{
				AccessLog: &log, Faults: []sandbox.Fault{{Kind: kind}},
				Sleep: func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() },
				Now:   sync.OnceValue(func() time.Time { close(came); return time.Now() }),
			})
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, _, err := post(t.Context(), client(t, s), address(t, s, "a")+"/x"); err == nil {
					t.Error("there was an answer")
				}
			})
			<-came
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			wg.Wait()
			if lines := log.lines(t); len(lines) != 1 || lines[0].Status != 0 {
				t.Errorf("access log: %+v", lines)
			}
		})
	}
}

func TestFaultsPickRequests(t *testing.T) {
	const u, v = "/plugins/api/1/connectors/k/resync", "/plugins/api/1/connectors"
	for _, c := range []struct {
		faults   []string
		requests []string // server and path of POSTs
		want     []int
	}{
		{[]string{"kind=fail,nth=2-3"}, []string{"a" + u, "b" + v, "a" + u, "a" + u}, []int{201, 503, 503, 201}},
		{[]string{"kind=fail,nth=3-"}, []string{"a" + u, "b" + v, "a" + u, "a" + u}, []int{201, 201, 503, 503}},
		{[]string{"kind=fail,nth=*"}, []string{"a" + u, "b" + v}, []int{503, 503}},
		{[]string{"kind=fail,nth=*,server=b"}, []string{"a" + u, "b" + u}, []int{201, 503}},
		{[]string{"kind=fail,nth=*,method=GET"}, []string{"a" + u}, []int{201}},
		{[]string{"kind=fail,nth=2,path=**/resync"}, []string{"a" + u, "a" + v, "b" + u, "a" + u},
			[]int{201, 201, 503, 201}},
		{[]string{"kind=fail,nth=*,path=/plugins/api/*/connectors"}, []string{"a" + v, "a" + u}, []int{503, 201}},
		{[]string{"kind=fail,nth=*,path=/plugins/*"}, []string{"a" + v}, []int{201}},
		{[]string{"kind=fail,nth=*,path=/plugins/**"}, []string{"a" + v}, []int{503}},
		{[]string{"kind=fail,nth=*,path=/p.ugins/**"}, []string{"a" + v}, []int{201}},
		// The first that applies wins; the others have counted the request all the same.
		{[]string{"kind=fail,status=500,nth=1", "kind=fail,status=501,nth=1-2"}, []string{"a" + u, "a" + u, "a" + u},
			[]int{500, 501, 201}},
	} {
		var faults []sandbox.Fault
		for _, text := range c.faults {
			faults = append(faults, parse(t, text))
		}
		s := start(t, sandbox.Options{Faults: faults})
		var got []int
		for _, r := range c.requests {
			status, _, err := post(t.Context(), client(t, s), address(t, s, r[:1])+r[1:])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, status)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.faults, got, c.want)
		}
	}
}

func TestCutTakesNoPartOfTheRequest(t *testing.T) {
	s := start(t, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.Cut, First: 1, Last: math.MaxInt}}})
	c := client(t, s)
	for range 3 {
		if _, err := c.Get(address(t, s, "b") + "/x"); !brokenOff(err) {
			t.Errorf("got %v", err)
		}
	}
	if got := hits(t, s); len(got) != 0 {
		t.Errorf("carried out: %v", got)
	}
	_ = s.Close()
	if _, err := c.Get(address(t, s, "b")); !errors.Is(err, syscall.ECONNREFUSED) {
		var op *net.OpError
		t.Errorf("after Close: %v (a network error: %v)", err, errors.As(err, &op))
	}
}

// TestSetFaults checks that the faults of a running sandbox can be replaced, and that requests are counted from then
// on.
func TestSetFaults(t *testing.T) {
	first := sandbox.Fault{Kind: sandbox.Fail, First: 1}
	s := start(t, sandbox.Options{Faults: []sandbox.Fault{first}})
	ask := func(want int) {
		t.Helper()
		status, _, err := post(t.Context(), client(t, s), address(t, s, "a")+"/x")
		if err != nil || status != want {
			t.Errorf("it answers %d, %v; want %d", status, err, want)
		}
	}
	ask(http.StatusServiceUnavailable)
	ask(http.StatusCreated)
	if err := s.SetFaults([]sandbox.Fault{first}); err != nil {
		t.Fatal(err)
	}
	ask(http.StatusServiceUnavailable)
	if err := s.SetFaults([]sandbox.Fault{{Kind: sandbox.Fail, Server: "nobody"}}); err == nil {
		t.Error("a fault of a server that there is not is taken")
	}
	if err := s.SetFaults(nil); err != nil {
		t.Fatal(err)
	}
	ask(http.StatusCreated)
	if got := s.Addresses(); len(got) != 2 || !slices.Contains(got, strings.TrimPrefix(address(t, s, "a"), "https://")) {
		t.Errorf("the addresses are %v", got)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
