package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// MostOfProgram is the maximum size, in bytes, of a file that enters the digest because a command or an argument names
// it.
const MostOfProgram = 256 << 20

// mostNames is the maximum number of names in a command line that may be files.
const mostNames = 100_000

const endsOfNames = " \t\r\n\"'`=,;:@&|()<>{}$"

// Sums returns the files of the folder that a command line names, also in a word that has more than the name, such as
// --script=FILE, or the text behind sh -c. The value is the SHA-256 of the content or, for a link that leads out of the
// folder, where the link leads. Whoever approves a command approves what it runs.
func (f Folder) Sums(words []string) (map[string]string, error) {
	out, tried := map[string]string{}, 0
	for _, word := range words {
		for name := range partsOf(word) {
			if _, had := out[name]; had {
				continue
			}
			if tried++; tried > mostNames {
				return nil, fmt.Errorf("the command has more than %d words that may be files: put it into a file", mostNames)
			}
			sum, err := f.sum(name)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
			if sum != "" {
				out[name] = sum
			}
		}
	}
	return out, nil
}

// partsOf yields what may be the name of a file in a word: all of it, what is behind =, and what is between signs that
// a shell or a program may take for the end of a name.
func partsOf(word string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(word) {
			return
		}
		if _, behind, some := strings.Cut(word, "="); some && !yield(behind) {
			return
		}
		for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune(endsOfNames, r) }) {
			if part != word && !yield(part) {
				return
			}
		}
	}
}

// sum returns the entry of Sums for one name, or "" if it does not name a file of the folder.
func (f Folder) sum(name string) (string, error) {
	const longest = 4096
	if name == "" || len(name) > longest || strings.ContainsRune(name, 0) {
		return "", nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir(), ".") + string(filepath.Separator) + path
	}
	path = f.absolute(path)
	real, err := f.resolve(path)
	if err != nil {
		return "", nil //nolint:nilerr // it is a word like any other
	}
	if !f.inside(real) {
		if dir := f.absolute(f.dir()); path != real && isBelow(dir, filepath.Clean(path)) {
			return "a link to " + f.leadsTo(name, real), nil
		}
		return "", nil
	}
	info, err := f.Fs.Stat(real)
	if err != nil || !info.Mode().IsRegular() {
		return "", nil //nolint:nilerr // see above
	}
	file, err := f.open(real)
	if err != nil {
		return "", err
	}
	defer file.Close() // nothing was written
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(file, MostOfProgram+1))
	if err == nil && n > MostOfProgram {
		err = errors.New("it is too large to compare with what was approved: put it outside of the configuration's folder")
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// leadsTo returns where a file of the folder leads. The result does not depend on where the folder is: it is relative
// to the folder, unless the name or a link is an absolute path itself.
func (f Folder) leadsTo(name, real string) string {
	if filepath.IsAbs(name) {
		return real
	}
	home, err := f.resolve(f.absolute(f.dir())) // links on the way to the folder do not count
	if err != nil {
		return real
	}
	if _, whole, err := f.follow(home + string(filepath.Separator) + name); err != nil || whole {
		return real
	}
	rel, err := filepath.Rel(home, real)
	if err != nil {
		return real
	}
	return filepath.ToSlash(rel)
}

func isBelow(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// acting holds the files of the folder that declarations use: those named by commands that run on this machine
// (objects with local = true), and those named by arguments ending in _file.
type acting struct{ commands, arguments map[string]string }

func (l *loader) acting(all []*Resource) acting {
	out := acting{map[string]string{}, map[string]string{}}
	may := map[*Type]bool{}
	for _, r := range all {
		if _, known := may[r.Type]; !known {
			may[r.Type] = mayName(bodyType(&r.Type.Body))
		}
		if !may[r.Type] {
			continue
		}
		add := func(to map[string]string, words []string) {
			var fresh []string
			for _, w := range words {
				if _, had := to[w]; !had {
					fresh = append(fresh, w)
				}
			}
			sums, err := l.folder().Sums(fresh)
			if err != nil {
				l.add(WithAddr(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Cannot read a file",
					Detail: sentence(err), Subject: &r.Range}, r.Addr))
			}
			maps.Copy(to, sums)
		}
		namedFiles(r.withoutPrivate(cty.NullVal(cty.DynamicPseudoType)), func(words []string, command bool) {
			if command {
				add(out.commands, words)
				return
			}
			add(out.arguments, words)
		})
		if len(r.private) > 0 {
			namedFiles(r.Value, func(words []string, _ bool) { add(out.arguments, words) })
		}
	}
	return out
}

// withoutPrivate returns a declaration's value with something else in the place of each argument that only its own site
// knows: other sites must compute the same digest.
func (r *Resource) withoutPrivate(instead cty.Value) cty.Value {
	if len(r.private) == 0 || r.Value == cty.NilVal || r.Value.IsMarked() || r.Value.IsNull() || !r.Value.IsKnown() {
		return r.Value
	}
	args := r.Value.AsValueMap()
	for name := range args {
		if r.private[name] {
			args[name] = instead
		}
	}
	return cty.ObjectVal(args)
}

// ofItsSite is the word for what only the declaration's site knows.
func (r *Resource) ofItsSite() cty.Value { return cty.StringVal("(of site " + r.Site + ")") }

// namedFiles calls add with the words in a value that may name an acting file.
func namedFiles(v cty.Value, add func(words []string, command bool)) {
	if v == cty.NilVal || v.IsMarked() || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return
	}
	local := v.Type().IsObjectType() && Get(v, "local").RawEquals(cty.True)
	for it := v.ElementIterator(); it.Next(); {
		key, elem := it.Element()
		switch {
		case elem.IsMarked() || elem.IsNull() || !elem.IsKnown():
		case elem.Type() == cty.String:
			if v.Type().IsObjectType() && strings.HasSuffix(key.AsString(), "_file") {
				add([]string{elem.AsString()}, false)
			}
		case local && (elem.Type().IsListType() || elem.Type().IsTupleType()):
			add(wordsIn(elem), true)
		default:
			namedFiles(elem, add)
		}
	}
}

// mayName reports whether namedFiles may find anything in a value of the type.
func mayName(ty cty.Type) bool {
	switch {
	case ty.IsObjectType():
		for name, of := range ty.AttributeTypes() {
			if name == "local" || strings.HasSuffix(name, "_file") || mayName(of) {
				return true
			}
		}
		return false
	case ty.IsTupleType():
		return slices.ContainsFunc(ty.TupleElementTypes(), mayName)
	case ty.IsCollectionType():
		return mayName(ty.ElementType())
	}
	return ty == cty.DynamicPseudoType
}

// wordsIn returns the strings in a list and in the lists nested in it.
func wordsIn(v cty.Value) []string {
	if v.IsMarked() || v.IsNull() || !v.IsKnown() {
		return nil
	}
	if v.Type() == cty.String {
		return []string{v.AsString()}
	}
	var out []string
	if v.CanIterateElements() {
		for it := v.ElementIterator(); it.Next(); {
			_, elem := it.Element()
			out = append(out, wordsIn(elem)...)
		}
	}
	return out
}
