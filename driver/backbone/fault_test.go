package backbone_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
)

// smaller returns a seed with few generated pairs, and changed text.
func smaller(t *testing.T, example string, change ...string) []byte {
	t.Helper()
	seed, err := os.ReadFile(filepath.Join("..", "..", "examples", example, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := strings.NewReplacer(append([]string{`"pairs": 340`, `"pairs": 12`}, change...)...).Replace(string(seed))
	if out == string(seed) {
		t.Fatal("the example's seed does not have what the test changes")
	}
	return []byte(out)
}

// sent counts the requests of the access log that change something permanently.
func sent(t *testing.T, log []byte) map[string]int {
	t.Helper()
	out := map[string]int{}
	dec := json.NewDecoder(bytes.NewReader(log))
	for dec.More() {
		var line struct {
			Server, Method, Path string
			Status               int
			CarriedOut           bool `json:"carried_out"`
		}
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Method == "GET" || !line.CarriedOut || line.Status >= 400 {
			continue
		}
		out[line.Server+" "+line.Method+" "+line.Path[strings.Index(line.Path, "/api/")+7:]]++
	}
	return out
}

// TestOneRequestGoesWrong checks that the migration reaches its end, at the latest when it is run again, if a single
// request fails in any way. Nothing important is carried out twice. It uses a sample of requests and ways, or all of
// them (drivertest.AllVariable).
func TestOneRequestGoesWrong(t *testing.T) {
	const most = 8
	paths := map[string][]string{
		"PUT":    {"**/start", "**/stop", "**/properties/*"},
		"POST":   {"**/syncInformation", "**/resync", "**/stop"},
		"DELETE": {"**/integrations/*", "**/properties/*"},
		"GET": {"**/syncInformation", "**/status", "**/conflicts", "**/integrations", "**/search", "**/project/*",
			"**/properties/*"},
	}
	var faults []string
	for _, method := range slices.Sorted(maps.Keys(paths)) {
		for _, path := range paths[method] {
			for _, kind := range []string{"fail,status=500", "fail,status=429,retry_after=0", "cut", "lost"} {
				faults = append(faults, "method="+method+",path="+path+",nth=1,kind="+kind)
			}
		}
	}
	for _, fault := range drivertest.Sample(drivertest.Random(t), faults, most) {
		t.Run(strings.ReplaceAll(fault, "/", ":"), func(t *testing.T) {
			t.Parallel()
			migrateDespite(t, fault)
		})
	}
}

func migrateDespite(t *testing.T, fault string) {
	var log syncBuffer
	b := small(t, benchLog{&log}, fault)
	run, err := b.store.Create(b.planPatiently(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var rep *executor.Report
	for range 3 {
		if rep = b.carry(run); rep.Finished {
			break
		}
	}
	if !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	if p := b.plan(); len(p.Steps) != 0 {
		t.Fatalf("the second plan is not empty: %s", text(t, p))
	}
	for request, n := range sent(t, log.Bytes()) {
		if n != 1 {
			t.Errorf("%s was carried out %d times", request, n)
		}
	}
}
