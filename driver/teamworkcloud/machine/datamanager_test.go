package machine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
)

const (
	idA = "a4c498c9-f125-453c-b9cb-3d5a6e675714"
	idB = "ald569ea-fe6a-402f-8a25-aef6b932de48" // as in the vendor's example, not quite hexadecimal
	idC = "0b0b0b0b-1111-4222-8333-444444444444"
)

func TestCommandLines(t *testing.T) {
	for want, got := range map[string][]string{
		"-lr":                   ListResources(),
		"-lrd":                  listRemoved(),
		"-lb resourceID=" + idA: ListBranches(idA),
		"-lrv resourceID=" + idA + " branchID=" + idB:        ListRevisions(idA, idB),
		"-dr " + idA + " " + idB:                             Remove([]string{idA, idB}),
		"-rrof --resourceID=" + idA + "," + idB:              Reactivate("")([]string{idA, idB}),
		"-rrof --resourceID=" + idA + " --categoryID=" + idB: Reactivate(idB)([]string{idA}),
	} {
		if strings.Join(got, " ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEachBatchNamesEveryIDOnce(t *testing.T) {
	var ids []string
	for i := range 2*batchSize + 1 {
		ids = append(ids, fmt.Sprintf("%08d-0000-0000-0000-000000000000", i))
	}
	got := Batches([]string{"datamanager"}, ids, Remove)
	if len(got) != 3 {
		t.Fatalf("%d commands, want 3", len(got))
	}
	var named []string
	for _, c := range got {
		if c[0] != "datamanager" || c[1] != "-dr" {
			t.Fatalf("%q", c[:2])
		}
		named = append(named, c[2:]...)
	}
	if !slices.Equal(named, ids) {
		t.Error("the ids are not those given")
	}
}

func TestNoStrangeIDOnACommandLine(t *testing.T) {
	for _, ids := range [][]string{nil, {""}, {"-drd"}, {idA, "-drd"}, {"--resourceID=x"}, {"a b"}, {"a,b"},
		{"$(reboot)"}, {"a;b"}, {"a\nb"}, {strings.Repeat("a", 129)}} {
		if CheckIDs(ids) == nil {
			t.Errorf("%q is taken", ids)
		}
	}
	if err := CheckIDs([]string{idA, idB, strings.Repeat("a", 128)}); err != nil {
		t.Error(err)
	}
}

func TestReadList(t *testing.T) {
	for name, c := range map[string]struct {
		out        host.Output
		want       []string
		unreadable string
	}{
		"one a line": {host.Output{Stdout: idA + "  Engine\n" + idB + "  Gearbox\n"}, []string{idA, idB}, ""},
		"name first": {host.Output{Stdout: "Engine (" + idA + ")\nGearbox (" + idB + ")\n"}, []string{idA, idB}, ""},
		"table": {host.Output{Stdout: "| ID | Name |\n|----|------|\n| " + idA + " | Engine |\n1 row\n"},
			[]string{idA}, ""},
		"upper case, CRLF": {host.Output{Stdout: strings.ToUpper(idA) + "\r\n"}, []string{idA}, ""},
		"JSON":             {host.Output{Stdout: `{"resources":["` + idA + `","` + idB + `"]}`}, []string{idA, idB}, ""},
		"log between": {host.Output{Stdout: "2024-05-01 10:00:00 INFO  connecting to localhost:9042\n" + idA +
			" Engine\n"}, []string{idA}, ""},
		"named like errors": {host.Output{Stdout: idA + " Failure modes\n" + idB + " Exception handling ERROR\n"},
			[]string{idA, idB}, ""},
		"nothing": {host.Output{}, nil, ""},
		"none":    {host.Output{Stdout: "No resources are marked as deleted.\n"}, nil, ""},
		"a warning": {host.Output{Stdout: idA + "\n",
			Stderr: "SLF4J: Defaulting to no-operation (NOP) logger implementation\n"}, []string{idA}, ""},
		"code": {host.Output{Stdout: idA + "\n", Code: 1, Stderr: "broken pipe"}, []string{idA},
			`it ended with code 1, saying "broken pipe"`},
		"cut": {host.Output{Stdout: idA + "\n", Truncated: true}, []string{idA},
			"it is longer than what was kept of it"},
		"database is away": {host.Output{Stdout: "Error: could not reach any contact point\n"}, nil,
			`it says "Error: could not reach any contact point"`},
		"exception": {host.Output{Stdout: idA + "\n",
			Stderr: "Exception in thread \"main\" com.datastax.AllNodesFailedException\n"}, []string{idA},
			`it says "Exception in thread \"main\" com.datastax.AllNodesFailedException"`},
		"asks for Java": {host.Output{Stdout: "Enter the path to Java:\nInvalid path.\n"}, nil, `it says "Invalid path."`},
		"unknown option": {host.Output{Stdout: "Unknown option: -lrd\nUsage: datamanager\n"}, nil,
			`it says "Unknown option: -lrd"`},
		"refused": {host.Output{Stderr: "localhost:9042: Connection refused\n"}, nil,
			`it says "localhost:9042: Connection refused"`},
	} {
		got := readList(c.out)
		if !slices.Equal(got.ids, c.want) || got.unreadable != c.unreadable {
			t.Errorf("%s: %q, %q; want %q, %q", name, got.ids, got.unreadable, c.want, c.unreadable)
		}
	}
}

func TestReadNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		out        string
		want       string
		unreadable bool
	}{
		"one a line":     {"1\n2\n3\n", "1-3", false},
		"newest first":   {"3  amelie  2019-04-01\n2  bo\n1  bo\n", "1-3", false},
		"labelled":       {"Revision: 1\nRevision: 2 (amelie)\n", "1, 2", false},
		"labelled twice": {"Revision ID = 7, author = bo\n", "7", false},
		"hash":           {"#12 - first\n#13 - second\n", "12, 13", false},
		"table": {"+----+\n| ID | author |\n| 1  | bo     |\n| 2  | bo 9   |\n+----+\n2 rows\n", "1, 2",
			false},
		"on one line":         {"Revisions: [1, 2, 3, 5]\n", "1-3, 5", false},
		"described by a year": {"3  2024\n4  17\n", "3, 4", false},
		"a count":             {"1\n2\n2 revisions found\n", "1, 2", false},
		"a total":             {"Found 2 revisions\n1\n2\nTotal: 2\n", "1, 2", false},
		"a telling count":     {"1\n2\n3 revisions\n", "1-3", false}, // 3 may be a revision with the description "revisions"
		"log lines":           {"2024-05-01 10:00:00 INFO up\n1\n2\n", "1, 2", false},
		"errors described":    {"1  error in the chassis\n2 ERROR: fixed\n", "1, 2", false},
		"nothing":             {"", "", false},
		"a title":             {"Revisions of branch trunk:\n1\n2\n", "1, 2", false},
		"a banner's number":   {"3 updates can be applied\n1\n2\n3\n", "", true},
		"a banner, no list":   {"Last login: Mon Nov 3 10:00 from 10.0.0.1\n", "", true},
		"a number in words":   {"1\n2\nthere are 7 more\n", "", true},
		"twice":               {"1\n2\n2\n", "", true},
		"in no order":         {"1\n3\n2\n", "", true},
		"two forms":           {"Revision: 1\n2\n", "", true},
		"a revision 0":        {"0\n1\n", "", true},
		"an error in between": {"1\n2024-05-01 10:00:00 ERROR timeout\n", "", true},
		"an exception":        {"1\nException in thread main\n", "", true},
	} {
		got, why := readNumbers(host.Output{Stdout: c.out})
		if wording.Spans(got) != c.want || (why != "") != c.unreadable {
			t.Errorf("%s: %s, %q; want %s", name, wording.Spans(got), why, c.want)
		}
	}
}

// FuzzListing checks that nothing is read into a listing that it does not have, and nothing overlooked, whatever
// surrounds it.
func FuzzListing(f *testing.F) {
	f.Add("Engine ", " 2019", "1\n2\n")
	f.Add("| ", " |", "Revision: 1\r\n")
	f.Add("ERROR ", "", "3 revisions")
	f.Add("\xff\xfe", "\x00", "1, 2, 3")
	f.Fuzz(func(t *testing.T, before, after, text string) {
		l := readList(host.Output{Stdout: before + " " + idC + " " + after})
		if !slices.Contains(l.ids, idC) {
			t.Errorf("%q … %q hides an id", before, after)
		}
		numbers, why := readNumbers(host.Output{Stdout: text})
		if why != "" && len(numbers) > 0 {
			t.Error("a listing that says nothing has numbers")
		}
		if !slices.IsSorted(numbers) {
			t.Errorf("not sorted: %v", numbers)
		}
		for _, n := range numbers {
			if !strings.Contains(text, fmt.Sprint(n)) && !strings.Contains(text, "0") {
				t.Errorf("%d is not in %q", n, text)
			}
		}
		if strings.ContainsAny(why, "\n\x00\x1b") {
			t.Errorf("%q is not fit to be shown", why)
		}
	})
}
