package drivertest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/planner"
)

// Constants whose names match these are IDs: of rules of findings (without the product), and of what is examined.
var (
	findingID     = regexp.MustCompile(`^[rR]ule[A-Z]`)
	examinationID = regexp.MustCompile(`^[wW]hat[A-Z]`)
	idForm        = regexp.MustCompile(`^[a-z][a-z0-9_]*/[A-Za-z][A-Za-z0-9-]*$`)
)

// RuleProblems compares rules with the code (without tests) in the folders dirs. Each constant that is an ID must
// have a rule and be used; an exported one of an examination may be used in other folders. Each rule of a finding or
// examination must have a constant, and the code must use the constant instead of its text. product is the prefix of
// the IDs of findings.
func RuleProblems(rules []planner.Rule, product string, dirs ...string) ([]string, error) {
	s := &ruleScan{ids: map[string]string{}, used: map[string]bool{}}
	for _, dir := range dirs {
		if err := s.dir(dir, product); err != nil {
			return nil, err
		}
	}
	out := append(s.problems, textProblems(rules)...)
	for name, id := range s.ids {
		kind := planner.KindFinding
		if examinationID.MatchString(name) {
			kind = planner.KindExamination
		}
		if !slices.ContainsFunc(rules, func(r planner.Rule) bool { return r.Kind == kind && isOf(r.ID, id) }) {
			out = append(out, fmt.Sprintf("%s (%s) is explained by no rule", name, id))
		}
		if shared := ast.IsExported(name) && kind == planner.KindExamination; !shared && !s.used[name] {
			out = append(out, fmt.Sprintf("%s (%s) is used nowhere but in the rules", name, id))
		}
	}
	for _, r := range rules {
		if r.Kind != planner.KindFinding && r.Kind != planner.KindExamination {
			continue
		}
		found := false
		for _, id := range s.ids {
			found = found || isOf(r.ID, id)
		}
		if !found {
			out = append(out, fmt.Sprintf("the rule %s has no constant in %q", r.ID, dirs))
		}
	}
	slices.Sort(out)
	return out, nil
}

// isOf reports whether a rule's ID is a constant's value, possibly followed by a blank and a name.
func isOf(rule, id string) bool { return rule == id || strings.HasPrefix(rule, id+" ") }

// textProblems lists what is missing or wrong in the rules themselves.
func textProblems(rules []planner.Rule) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range rules {
		say := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("the rule %s %s", r.ID, fmt.Sprintf(format, args...)))
		}
		if key := string(r.Kind) + " " + r.ID; seen[key] {
			say("is there twice")
		} else {
			seen[key] = true
		}
		for what, text := range map[string]string{"what it means": r.Meaning, "when it appears": r.When, "what to do": r.Do} {
			if text == "" || strings.ContainsAny(text, "\n\t") || text != strings.TrimSpace(text) ||
				!strings.HasSuffix(text, ".") {
				say("does not say in sentences, on one line, %s: %q", what, text)
			}
		}
		if r.Kind == planner.KindFinding && !idForm.MatchString(r.ID) {
			say("is not of the form product/rule")
		}
		if (r.Kind == planner.KindFinding) != (len(r.Severities) > 0) {
			say("has a severity if it is a finding's, and only then: %q", r.Severities)
		}
		for _, severity := range r.Severities {
			if !slices.Contains(grades, severity) {
				say("has an unknown severity %q", severity)
			}
		}
	}
	return out
}

// Unexplained lists the findings of a plan that no rule explains, or that have another severity than their rules say.
// rules are the driver's.
func Unexplained(p *planner.Plan, rules []planner.Rule) []string {
	var out []string
	all := slices.Concat(planner.Rules(), rules)
	for i := range p.Findings {
		if problem := findingRule(&p.Findings[i], all); problem != "" {
			out = append(out, fmt.Sprintf("finding %s of %s: %s", p.Findings[i].Rule, p.Findings[i].Addr, problem))
		}
	}
	return out
}

// findingRule returns what is wrong with a finding according to the rules, or "".
func findingRule(f *planner.Finding, rules []planner.Rule) string {
	for i := range rules {
		if r := &rules[i]; r.Kind == planner.KindFinding && r.ID == f.Rule {
			if !slices.Contains(r.Severities, f.Severity) {
				return fmt.Sprintf("its rule knows the severities %q, and not %q", r.Severities, f.Severity)
			}
			return ""
		}
	}
	return "no rule explains it"
}

// ruleScan collects the IDs that code declares and uses.
type ruleScan struct {
	ids      map[string]string // by the constant's name
	used     map[string]bool   // names used outside of functions that return rules
	problems []string
}

// sourceDirs returns a folder and its subfolders with code of the same driver. It leaves out simulators, which have
// no rules.
func sourceDirs(root string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); name == "testdata" || strings.HasSuffix(name, "sim") {
			return filepath.SkipDir
		}
		out = append(out, path)
		return nil
	})
	return out, err
}

func (s *ruleScan) dir(dir, product string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	takes := map[string]int{} // functions with a parameter rule, and its index
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				s.constants(d, product)
			case *ast.FuncDecl:
				if at := ruleParameter(d.Type); at >= 0 {
					takes[d.Name.Name] = at
				}
			}
		}
	}
	for _, f := range files {
		for _, d := range f.Decls {
			s.uses(fset, d, takes)
		}
	}
	return nil
}

// constants records the constants that are IDs.
func (s *ruleScan) constants(d *ast.GenDecl, product string) {
	if d.Tok != token.CONST {
		return
	}
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		for i := range v.Values {
			name := v.Names[i].Name
			lit, isText := v.Values[i].(*ast.BasicLit)
			if !ok || !isText || !findingID.MatchString(name) && !examinationID.MatchString(name) {
				continue
			}
			id, _ := strconv.Unquote(lit.Value) // the parser has checked that it is a string
			if findingID.MatchString(name) && !strings.Contains(id, "/") {
				id = product + "/" + id
			}
			s.ids[name] = id
		}
	}
}

// uses records which names a declaration uses, and reports IDs that are written as text. takes holds the package's
// functions that take a rule. Functions that are made inside the declaration take precedence.
func (s *ruleScan) uses(fset *token.FileSet, d ast.Decl, takes map[string]int) {
	f, isFunc := d.(*ast.FuncDecl)
	if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST || isFunc && givesRules(f.Type) {
		return
	}
	own := map[string]int{}
	ast.Inspect(d, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i := range a.Rhs {
			name, isName := a.Lhs[i].(*ast.Ident)
			if made, ok := a.Rhs[i].(*ast.FuncLit); ok && isName {
				own[name.Name] = ruleParameter(made.Type)
			}
		}
		return true
	})
	literal := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s.problems = append(s.problems, fmt.Sprintf("%s: the id %s is not a constant", fset.Position(e.Pos()), lit.Value))
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			s.used[n.Name] = true
		case *ast.KeyValueExpr:
			if isKey(n, "Rule") {
				literal(n.Value)
			}
		case *ast.CompositeLit:
			for _, x := range examinations(n) {
				for _, e := range x.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && isKey(kv, "What") {
						literal(kv.Value)
					}
				}
			}
		case *ast.CallExpr:
			at, ok := -1, false
			switch called := n.Fun.(type) {
			case *ast.Ident:
				if at, ok = own[called.Name]; !ok {
					at, ok = takes[called.Name]
				}
			case *ast.SelectorExpr:
				at, ok = takes[called.Sel.Name]
			}
			if ok && at >= 0 && at < len(n.Args) {
				literal(n.Args[at])
			}
		}
		return true
	})
}

// givesRules reports whether a function returns rules or a rule. An ID in such a function does not count as used.
func givesRules(t *ast.FuncType) bool {
	if t.Results == nil {
		return false
	}
	return slices.ContainsFunc(t.Results.List, func(f *ast.Field) bool {
		result := f.Type
		if list, ok := result.(*ast.ArrayType); ok {
			result = list.Elt
		}
		if s, ok := result.(*ast.SelectorExpr); ok {
			result = s.Sel
		}
		name, ok := result.(*ast.Ident)
		return ok && name.Name == "Rule"
	})
}

func isKey(e *ast.KeyValueExpr, name string) bool {
	key, ok := e.Key.(*ast.Ident)
	return ok && key.Name == name
}

// examinations returns the literals of Examination in a literal: itself, or its elements.
func examinations(lit *ast.CompositeLit) []*ast.CompositeLit {
	isOne := func(t ast.Expr) bool {
		if s, ok := t.(*ast.SelectorExpr); ok {
			t = s.Sel
		}
		name, ok := t.(*ast.Ident)
		return ok && name.Name == "Examination"
	}
	if isOne(lit.Type) {
		return []*ast.CompositeLit{lit}
	}
	list, ok := lit.Type.(*ast.ArrayType)
	if !ok || !isOne(list.Elt) {
		return nil
	}
	var out []*ast.CompositeLit
	for _, e := range lit.Elts {
		if one, ok := e.(*ast.CompositeLit); ok {
			out = append(out, one)
		}
	}
	return out
}

// ruleParameter returns the index of a function's parameter that is called rule, or -1 if there is none.
func ruleParameter(t *ast.FuncType) int {
	at := 0
	for _, field := range t.Params.List {
		for _, name := range field.Names {
			if name.Name == "rule" {
				return at
			}
			at++
		}
		if len(field.Names) == 0 {
			at++
		}
	}
	return -1
}
