package planner_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"pgregory.net/rapid"
)

// full is a plan in which every field says something.
func full(t fataler) *planner.Plan {
	const a, b = "sync.depot.a", "sync.depot.b"
	check := step(a, "check")
	check.Mark, check.Repeat, check.Within = planner.MarkCheck, planner.Idempotent, planner.Duration(90*time.Second)
	label := step(a, "label", "check")
	label.Mark = planner.MarkPerson
	label.Manual = &planner.Manual{Where: "the <depot>", Do: []string{"Put it on."},
		Values: []planner.Value{{Name: "label", Label: "Label", Value: "heavy", Shown: "Heavy"},
			{Name: "file", Label: "File", Value: "x.json", File: true}}, Action: "label", Attest: "it is on"}
	scrap := step(b, "scrap")
	scrap.Mark, scrap.Repeat, scrap.Guards = planner.MarkFinal, planner.Once, []string{planner.StepID(a, "check")}
	scrap.Args, scrap.Exclusive = map[string]string{"box": "7"}, []string{"crane"}
	scrap.Effect = &planner.Effect{Add: 1, Change: 2, Destroy: 3, Irreversible: true, Loses: "box 7"}
	scrap.Undo, scrap.Facts, scrap.Retires = "not at all", []planner.Fact{{Name: "self.box", Value: "7"}}, []string{b}
	d := &depot{outlines: map[string]planner.Outline{a: update(check, label), b: {
		Action: planner.Delete, Steps: []planner.Step{scrap}, Seen: []planner.Shown{{Name: "weight", Value: "7 kg"}},
		Findings: []planner.Finding{{Rule: "depot/scrap", Severity: planner.Refuse, Op: "scrap", Summary: "it is full",
			Detail: "Empty it."}},
		Replaced: []planner.Replaced{{Part: "lid", Original: "on", New: "off", Becomes: planner.Lost, Accepted: true}},
	}}}
	return made(t, input(load(t,
		"server \"depot\" \"n\" { site = \"acme\" }\nsync \"depot\" \"a\" { color = \"red\" }\n"+
			"sync \"depot\" \"b\" {\n server = server.depot.n\n depends_on = [sync.depot.a]\n}\n"), d))
}

// TestBytesThatAreNotUTF8: a plan with the name of a file in another encoding can be read again, and is printable.
func TestBytesThatAreNotUTF8(t *testing.T) {
	const a = "sync.depot.a"
	s := step(a, "pack")
	s.Summary, s.Args = `a \ufffd b \\ufffd`+"\xff\ufffd\u202e", map[string]string{"\xfe": "\xff"}
	d := &depot{outlines: map[string]planner.Outline{a: update(s)}}
	doc := encoded(t, made(t, input(load(t, `sync "depot" "a" { color = "red" }`+"\n"), d)))
	p, err := planner.Decode(strings.NewReader(doc))
	if err != nil || !printable.Safe(doc) || p.Steps[0].Summary != `a \ufffd b \\ufffd`+"\ufffd\ufffd\u202e" {
		t.Errorf("%+v, %v\n%+q", p, err, doc)
	}
}

// TestHashAsMarshalled: a hash is that of the JSON of the whole plan, by which plans of earlier programs were approved,
// sealed and authenticated.
func TestHashAsMarshalled(t *testing.T) {
	bare := &planner.Plan{Format: planner.Format, Findings: []planner.Finding{}}
	sites := full(t)
	sites.Sites, sites.Turns = []planner.PlanSite{{Name: "acme"}}, []planner.Turn{{Site: "acme", Steps: len(sites.Steps)}}
	sites.Steps[0].Summary = "<a> \u2028 \"b\""
	empty := &planner.Plan{Changes: []planner.ResourceChange{}, Steps: []planner.Step{}}
	for name, p := range map[string]*planner.Plan{"full": full(t), "bare": bare, "empty": empty, "sites": sites} {
		got, err := p.Hash()
		said := *p
		said.Syncctl, said.Secrets = "", ""
		doc, bad := json.Marshal(&said)
		if want := fmt.Sprintf("sha256:%x", sha256.Sum256(doc)); got != want || err != nil || bad != nil {
			t.Errorf("%s: %s, want %s, %v, %v", name, got, want, err, bad)
		}
		key := []byte("key")
		mac := hmac.New(sha256.New, key)
		doc, _ = json.Marshal(p)
		mac.Write(doc)
		if err := p.Authenticate(key); err != nil || p.MAC != hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("%s: %s, %v", name, p.MAC, err)
		}
	}
}

func TestEncodeDecode(t *testing.T) {
	p := full(t)
	doc := encoded(t, p)
	back, err := planner.Decode(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if again := encoded(t, back); again != doc {
		t.Errorf("what comes back is another plan:\n%s\n%s", doc, again)
	}
	if got, want := back.Tally(), (planner.Tally{Add: 1, Change: 2, Destroy: 3, Steps: 3, Person: 1,
		Irreversible: 1}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
	if len(back.Refusals()) != 1 {
		t.Errorf("refusals: %v", back.Refusals())
	}
	// A pull request's checkout may have other line ends; a reader may have re-indented it.
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(doc)); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{strings.ReplaceAll(doc, "\n", "\r\n"), compact.String(), "\ufeff" + doc} {
		if _, err := planner.Decode(strings.NewReader(form)); err != nil {
			t.Errorf("spaces matter: %v", err)
		}
	}
}

// Each byte of the document is changed in many ways: it is refused, or it says the same as before.
func TestEveryChangedByteIsRefused(t *testing.T) {
	doc := encoded(t, full(t))
	refused := 0
	for i := range len(doc) {
		for _, c := range []byte{doc[i] ^ 1, doc[i] ^ 0x20, '0', ' ', '"', 0} {
			changed := []byte(doc)
			if changed[i] = c; c == doc[i] {
				continue
			}
			p, err := planner.Decode(bytes.NewReader(changed))
			if err != nil {
				refused++
				continue
			}
			if encoded(t, p) != doc {
				t.Fatalf("byte %d, %q changed to %q, is taken for a plan:\n%s", i, doc[i], c, changed)
			}
		}
	}
	if refused < len(doc)*3 {
		t.Errorf("only %d changes of %d bytes were refused", refused, len(doc))
	}
}

// Whole parts are taken out, put in, exchanged.
func TestEditedPlansAreRefused(t *testing.T) {
	doc := encoded(t, full(t))
	for name, edit := range map[string]func(map[string]any){
		"a finding taken out":    func(m map[string]any) { delete(m, "findings") },
		"a refusal made milder":  func(m map[string]any) { m["findings"].([]any)[0].(map[string]any)["severity"] = "note" },
		"a step taken out":       func(m map[string]any) { m["steps"] = m["steps"].([]any)[:2] },
		"steps exchanged":        func(m map[string]any) { s := m["steps"].([]any); s[0], s[1] = s[1], s[0] },
		"a step twice":           func(m map[string]any) { s := m["steps"].([]any); m["steps"] = append(s, s[0]) },
		"a guard taken out":      func(m map[string]any) { delete(m["steps"].([]any)[2].(map[string]any), "guards") },
		"a need taken out":       func(m map[string]any) { delete(m["steps"].([]any)[1].(map[string]any), "needs") },
		"another configuration":  func(m map[string]any) { m["digest"] = strings.Repeat("0", 64) },
		"another format":         func(m map[string]any) { m["format"] = 1 },
		"another program":        func(m map[string]any) { m["syncctl"] = "other" },
		"a difference taken out": func(m map[string]any) { delete(m["changes"].([]any)[0].(map[string]any), "diff") },
		"a member added":         func(m map[string]any) { m["more"] = 1 },
		"the seal taken out":     func(m map[string]any) { delete(m, "seal") },
	} {
		var m map[string]any
		if err := json.Unmarshal([]byte(doc), &m); err != nil {
			t.Fatal(err)
		}
		edit(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := planner.Decode(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: it is taken for a plan", name)
		}
	}
	for _, foreign := range []string{"", "null", "{}", "[]", "1", doc + "{}", doc + doc, doc[:len(doc)/2]} {
		if _, err := planner.Decode(strings.NewReader(foreign)); err == nil {
			t.Errorf("%.20q is taken for a plan", foreign)
		}
	}
}

// A step's print says whether another plan would do the same there.
func TestPrints(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := drawGraph(rt, false)
		p := made(rt, g.input(rt, false))
		if len(p.Steps) == 0 {
			return
		}
		in := g.input(rt, false)
		d := in.Drivers(in.Config.Resources[0].Addr).(*depot)
		changed := rapid.SampledFrom(p.Steps).Draw(rt, "changed")
		for i := range d.outlines[changed.Addr].Steps {
			if s := &d.outlines[changed.Addr].Steps[i]; s.Op == changed.Op {
				s.Summary = "something else"
			}
		}
		q := made(rt, in)
		for _, s := range p.Steps {
			same := q.Step(s.ID).Print == s.Print
			if depends := s.ID == changed.ID || reaches(p, s.ID, changed.ID); same == depends {
				rt.Fatalf("%s changed; the print of %s is the same: %v", changed.ID, s.ID, same)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	doc := encoded(plainT{f}, full(plainT{f}))
	f.Add([]byte(doc))
	f.Add([]byte(`{"format":2,"syncctl":"","digest":"","changes":null,"steps":null,"seal":""}`))
	f.Add([]byte(strings.Replace(doc, `"within": "1m30s"`, `"within": "x"`, 1)))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := planner.Decode(bytes.NewReader(src))
		if err != nil {
			if p != nil || !strings.HasPrefix(err.Error(), "reading the plan: ") {
				t.Fatalf("plan %v, error %v", p, err)
			}
			return
		}
		// What was taken for a plan comes back the same.
		again, err := planner.Decode(strings.NewReader(encoded(t, p)))
		if err != nil || encoded(t, again) != encoded(t, p) {
			t.Fatalf("it does not come back: %v\n%s", err, src)
		}
	})
}

// plainT lets a fuzz target make its seeds.
type plainT struct{ *testing.F }

// A file that was cut short, or is empty, is said to be: wherever it ends, no word of the decoder's shows.
func TestCutShort(t *testing.T) {
	in := input(load(t, "sync \"depot\" \"a\" {}\n"), busy("sync.depot.a"))
	in.Observations = planner.NewObservations()
	plan := encoded(t, made(t, in))
	var seen strings.Builder
	if err := in.Observations.Encode(&seen); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"plan": plan, "observations": seen.String()} {
		text = strings.TrimSpace(text)
		for end := range len(text) {
			var err error
			if what == "plan" {
				_, err = planner.Decode(strings.NewReader(text[:end]))
			} else if end > 0 { // no observations are none
				_, err = planner.DecodeObservations(strings.NewReader(text[:end]))
			} else {
				continue
			}
			if err == nil || strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "JSON input") {
				t.Fatalf("%s cut short after %d bytes: %v", what, end, err)
			}
		}
	}
}

// TestAuthentic: a plan is that of whoever has the key, and only as it was.
func TestAuthentic(t *testing.T) {
	p := &planner.Plan{Format: planner.Format, Digest: "d", Changes: []planner.ResourceChange{}, Steps: []planner.Step{}}
	if p.Authentic([]byte("key")) || p.Authentic(nil) {
		t.Error("nobody has authenticated it")
	}
	if err := p.Authenticate([]byte("key")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	read, err := planner.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	text := encoded(t, read)
	for key, want := range map[string]bool{"key": true, "other": false, "": false} {
		again, authentic, err := planner.DecodeAuthentic([]byte(text), []byte(key))
		if err != nil || authentic != want || again.Authentic([]byte(key)) != want {
			t.Errorf("with the key %q it is authentic: %v, %v", key, authentic, err)
		}
	}
	if _, authentic, err := planner.DecodeAuthentic([]byte(text), nil); authentic || err != nil {
		t.Error("without a key nothing is authentic", err)
	}
	read.Digest = "e"
	if read.Authentic([]byte("key")) {
		t.Error("it was changed")
	}
}

// TestProofs: what is proved in one pass is what each pass by itself proves, whatever characters the plan has; and a
// print that is wrong is found, though whoever changed the step has sealed the plan.
func TestProofs(t *testing.T) {
	p := full(t)
	p.Syncctl, p.Secrets = "1.2.3", "s"
	p.Findings = append(p.Findings, planner.Finding{Rule: "plan/targets", Summary: "<a> & \u2028 \xff\ufffd \u202e\n\"é"})
	if err := p.Authenticate([]byte("key")); err != nil {
		t.Fatal(err)
	}
	text := encoded(t, p)
	for _, change := range [][2]string{{}, {"\n", "\r\n\t "}, {"<", "\\u003c"}} {
		spaced := text
		if change[0] != "" {
			spaced = strings.ReplaceAll(text, change[0], change[1])
		}
		read, authentic, err := planner.DecodeAuthentic([]byte(spaced), []byte("key"))
		if err != nil || !authentic {
			t.Fatalf("%v, %v\n%s", authentic, err, spaced)
		}
		hash, err := read.Hash()
		if err != nil || !strings.Contains(text, `"hash": "`+hash+`"`) || !read.Authentic([]byte("key")) {
			t.Errorf("its hash is %s, %v\n%s", hash, err, text)
		}
	}
	for i := range p.Steps {
		changed, was := &p.Steps[i], p.Steps[i]
		for _, change := range []func(){
			func() { changed.Summary += "." }, func() { changed.Print = was.Print[1:] + "0" },
			func() { changed.Print = was.Print + "\"" },
		} {
			change()
			if _, err := planner.Decode(strings.NewReader(encoded(t, p))); err == nil {
				t.Errorf("step %s was changed", was.ID)
			}
			*changed = was
		}
	}
	if _, err := planner.Decode(strings.NewReader(encoded(t, p))); err != nil {
		t.Error(err)
	}
}

// A document that takes far more memory than it is long is refused before it is decoded.
func TestPlanOfManyValues(t *testing.T) {
	many := strings.Repeat("{},", printable.Documents.Values/2+1)
	for name, doc := range map[string]string{
		"findings": `{"format":2,"findings":[` + many + `{}]}`,
		"deep":     `{"format":2,"changes":` + strings.Repeat("[", printable.Documents.Depth+1),
	} {
		if _, err := planner.Decode(strings.NewReader(doc)); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMembersTwice: of a member that is there twice a reader may show one while another one is carried out.
func TestMembersTwice(t *testing.T) {
	p := full(t)
	p.Findings = append(p.Findings, planner.Finding{Rule: "plan/targets", Severity: planner.Note, Summary: "a part"})
	doc := encoded(t, p)
	for _, twice := range []string{
		strings.Replace(doc, `"summary": "`, `"summary": "harmless", "summary": "`, 1),
		strings.Replace(doc, `"summary": "`, `"SUMMARY": "harmless", "summary": "`, 1),
		strings.Replace(doc, `"box": "7"`, `"box": "8", "b\u006fx": "7"`, 1),
		strings.Replace(doc, `"steps": [`, `"steps": [], "steps": [`, 1),
		strings.Replace(strings.Replace(doc, `"addr": "",`, "", 1), `"summary": "`, `"summary": "harmless", "summary": "`, 1),
		strings.Replace(doc, `"addr": "",`, "", 1),
		strings.Replace(doc, `"summary": "`, `"SUMMARY": "`, 1),
	} {
		if twice == doc {
			t.Fatal("nothing is there twice")
		}
		if _, err := planner.Decode(strings.NewReader(twice)); err == nil {
			t.Errorf("it is read:\n%s", twice)
		}
	}
	if _, err := planner.Decode(strings.NewReader(strings.Replace(doc, `"box"`, `"b\u006fx"`, 1))); err != nil {
		t.Errorf("in other escapes: %v", err)
	}
}

// TestTooLargeToRead: a plan that could not be read again is not written.
func TestTooLargeToRead(t *testing.T) {
	p := &planner.Plan{Format: planner.Format, Digest: "d", Changes: []planner.ResourceChange{},
		Steps: []planner.Step{{ID: "s", Summary: strings.Repeat("x", printable.Documents.Text+1)}}}
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	_, unread := planner.Decode(&b)
	if text, err := p.Text(); err == nil || text != nil || unread == nil {
		t.Errorf("written: %v, read: %v", err, unread)
	}
}

// authenticated returns the text of a plan that has every field and is authenticated with a key.
func authenticated(t *testing.T, key string) string {
	t.Helper()
	p := full(t)
	p.Syncctl, p.Secrets = "1.2.3", strings.Repeat("5", 64)
	p.Findings = append(p.Findings, planner.Finding{Rule: "plan/targets", Summary: "<a> & \ufffd \n\"é\\"})
	if err := p.Authenticate([]byte(key)); err != nil {
		t.Fatal(err)
	}
	return encoded(t, p)
}

// TestEveryChangedByteIsNotAuthentic: what was authenticated is still known to be so, unless a byte was changed that
// says something.
func TestEveryChangedByteIsNotAuthentic(t *testing.T) {
	doc := authenticated(t, "key")
	read := func(text []byte) string {
		p, authentic, err := planner.DecodeAuthentic(text, []byte("key"))
		if err != nil || !authentic || !p.Authentic([]byte("key")) {
			return ""
		}
		p.MAC = strings.ToLower(p.MAC) // it may be in either case
		return encoded(t, p)
	}
	if read([]byte(doc)) != doc {
		t.Fatal("it is not read as it was written")
	}
	for i := range len(doc) {
		if testing.Short() && i%8 != 0 { // each is decoded seven times
			continue
		}
		for _, c := range []byte{doc[i] ^ 1, doc[i] ^ 0x20, '0', ' ', '"', 0} {
			changed := []byte(doc)
			if changed[i] = c; c == doc[i] {
				continue
			}
			if got := read(changed); got != "" && got != doc {
				t.Fatalf("byte %d, %q changed to %q, is authentic:\n%s", i, doc[i], c, changed)
			}
		}
		if got := read([]byte(doc[:i] + " " + doc[i:])); got != "" && got != doc {
			t.Fatalf("with a space before byte %d, another plan is authentic:\n%s", i, got)
		}
	}
}
