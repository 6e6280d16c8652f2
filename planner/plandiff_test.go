package planner_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/planner"
	"pgregory.net/rapid"
)

func hashOf(t fataler, p *planner.Plan) string {
	t.Helper()
	hash, err := p.Hash()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return hash
}

// again is a copy of a plan that shares nothing with it.
func again(t fataler, p *planner.Plan) *planner.Plan {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var out planner.Plan
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%v", err)
	}
	return &out
}

func diffOf(t fataler, old, made *planner.Plan) *planner.PlanDiff {
	t.Helper()
	d, err := planner.DiffPlans(old, made)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return d
}

// TestHash: it is the same wherever and with whatever program the plan was made, and after it was written and read. It
// is in the file, and cannot be changed there.
func TestHash(t *testing.T) {
	p := full(t)
	hash := hashOf(t, p)
	if !planner.IsHash(hash) || planner.IsHash(hash[1:]) || planner.IsHash(strings.ToUpper(hash)) {
		t.Errorf("%q", hash)
	}
	other := again(t, p)
	other.Syncctl, other.Secrets = "other", "xyz"
	if err := other.Authenticate([]byte("key")); err != nil {
		t.Fatal(err)
	}
	doc := encoded(t, other)
	read, err := planner.Decode(strings.NewReader(doc))
	if err != nil || hashOf(t, read) != hash || !strings.Contains(doc, `"hash": "`+hash+`"`) {
		t.Errorf("%v\n%s", err, doc)
	}
	if _, err := planner.Decode(strings.NewReader(strings.Replace(doc, hash, hash[:len(hash)-1]+"0", 1))); err == nil &&
		!strings.HasSuffix(hash, "0") {
		t.Error("another hash is taken")
	}
	if _, err := planner.Decode(strings.NewReader(strings.Replace(doc, `"hash": "`+hash+`",`, "", 1))); err != nil {
		t.Errorf("a file without a hash: %v", err)
	}
}

// TestEveryFieldIsInHashAndDiff: whatever field of a plan another value has, its hash is another, and the difference
// shows it. Fields that follow from others, and those that the hash does not cover, are named here.
func TestEveryFieldIsInHashAndDiff(t *testing.T) {
	apart := []string{"Format", "Syncctl", "Secrets", "MAC"} // the first is one of the program
	var walk func(path string, at func(*planner.Plan) reflect.Value)
	walked := 0
	walk = func(path string, at func(*planner.Plan) reflect.Value) {
		old := full(t)
		old.Sites, old.Turns = []planner.PlanSite{{Name: "acme", MaxAge: 5}}, []planner.Turn{{Site: "acme", Steps: 3}}
		changed := again(t, old)
		v := at(changed)
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			walk(path, func(p *planner.Plan) reflect.Value { return at(p).Elem() })
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Field(i).Name
				if path != "" || !slices.Contains(apart, name) {
					walk(path+"."+name, func(p *planner.Plan) reflect.Value { return at(p).Field(i) })
				}
			}
			return
		case reflect.Slice:
			for i := range v.Len() {
				walk(path+"[]", func(p *planner.Plan) reflect.Value { return at(p).Index(i) })
			}
			if v.Len() == 0 {
				return
			}
			v.Set(v.Slice(0, v.Len()-1))
		case reflect.Map:
			if v.Len() == 0 {
				return
			}
			v.Clear()
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		default:
			t.Fatalf("%s is a %s: the test does not know how to change it", path, v.Kind())
		}
		walked++
		if strings.HasSuffix(path, ".Print") {
			return // it follows from the others
		}
		d := diffOf(t, old, changed)
		if d.Same() || hashOf(t, old) == hashOf(t, changed) {
			t.Errorf("%s is not in the hash", path)
		}
		if !d.Configuration && len(d.Steps)+len(d.Facts)+len(d.Findings)+len(d.Declarations)+len(d.Order)+len(d.Sites) == 0 {
			t.Errorf("%s is not in the difference", path)
		}
	}
	walk("", func(p *planner.Plan) reflect.Value { return reflect.ValueOf(p).Elem() })
	if walked < 60 {
		t.Errorf("only %d fields were changed", walked)
	}
}

func TestDiffPlans(t *testing.T) {
	old, made := full(t), full(t)
	if d := diffOf(t, old, made); !d.Same() || !reflect.DeepEqual(d, &planner.PlanDiff{Was: d.Was, Is: d.Is}) {
		t.Errorf("%+v", d)
	}
	const a, b = "sync.depot.a", "sync.depot.b"
	scrap := made.Step(b + "/scrap")
	scrap.Facts[0].Value, scrap.Args["box"], scrap.Summary = "8", "8", "scrap another"
	made.Findings[0].Summary = "it is half full"
	made.Findings = append(made.Findings, planner.Finding{Rule: "depot/wet", Severity: planner.Warn, Addr: a})
	made.Changes[1].Action = planner.Create
	extra := *made.Step(a + "/check")
	extra.ID, extra.Op = a+"/again", "again"
	made.Steps = []planner.Step{*scrap, *made.Step(a + "/check"), extra} // label is removed
	d := diffOf(t, old, made)
	want := &planner.PlanDiff{
		Was: d.Was, Is: d.Is,
		Steps: []planner.StepDiff{
			{Sort: planner.Changed, ID: b + "/scrap", Number: 1, Mark: planner.MarkFinal, Summary: "scrap another",
				What: []planner.Moved{{Path: "args.box", Was: "7", Is: "8"},
					{Path: "summary", Was: "scrap it", Is: "scrap another"}}},
			{Sort: planner.Added, ID: a + "/again", Number: 3, Mark: planner.MarkCheck, Summary: "check it"},
			{Sort: planner.Removed, ID: a + "/label", Number: 2, Mark: planner.MarkPerson, Summary: "label it"},
		},
		Facts: []planner.FactDiff{{Addr: b, Name: "self.box", Was: "7", Is: "8", Steps: []string{b + "/scrap"}}},
		Findings: []planner.FindingDiff{
			{Sort: planner.Added, Finding: made.Findings[1]},
			{Sort: planner.Changed, Finding: made.Findings[0], Was: &old.Findings[0]},
		},
		Declarations: []planner.DeclarationDiff{{Sort: planner.Changed, Addr: a,
			What: []planner.Moved{{Path: "action", Was: "update", Is: "create"}}}},
		Order: []planner.Reordered{{ID: b + "/scrap", Was: 3, Is: 1}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

// TestDiffOrder: the steps that are named, moved alone, explain the new order.
func TestDiffOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 9).Draw(t, "n")
		numbers := make([]int, n)
		for i := range numbers {
			numbers[i] = i
		}
		plan := func(order []int) *planner.Plan {
			p := &planner.Plan{}
			for _, i := range order {
				p.Steps = append(p.Steps, planner.Step{ID: "sync.depot.a/" + string(rune('a'+i))})
			}
			return p
		}
		order := rapid.Permutation(numbers).Draw(t, "order")
		d := diffOf(t, plan(numbers), plan(order))
		var left []int
		for at, i := range order {
			if !slices.ContainsFunc(d.Order, func(r planner.Reordered) bool { return r.Is == at+1 && r.Was == i+1 }) {
				left = append(left, i)
			}
		}
		if !slices.IsSorted(left) || len(left)+len(d.Order) != n || len(d.Order) > max(0, n-1) {
			t.Fatalf("%v of %v stay, moved: %v", left, order, d.Order)
		}
	})
}
