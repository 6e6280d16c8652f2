package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// filePattern is an absolute path on another machine, taken apart, with * for any part of one name. It stands for a
// file, and for a folder with all that is in it.
type filePattern []string

// everyFile stands for every file of a machine.
var everyFile = []filePattern{{}}

// parsePattern reads a path of a host block's files.
func parsePattern(s string) (filePattern, error) {
	switch {
	case !path.IsAbs(s):
		return nil, errors.New("write the whole path on that machine: it begins with /")
	case slices.Contains(partsOf(s), ".."):
		return nil, errors.New("write the path without .. in it")
	case strings.Contains(s, "**"):
		return nil, errors.New("one * stands for any part of one name; a folder stands for all that is in it")
	}
	return partsOf(s), nil
}

// partsOf takes an absolute path apart.
func partsOf(name string) []string {
	parts := strings.Split(name, "/")
	return slices.DeleteFunc(parts, func(part string) bool { return part == "" || part == "." })
}

// literal has path.Match take nothing but * for more than itself.
var literal = strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`)

// begins tells whether the first parts of a pattern are those of a path, as far as both go.
func (p filePattern) begins(parts []string) bool {
	for i := range min(len(p), len(parts)) {
		if ok, err := path.Match(literal.Replace(p[i]), parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// FileAt tells whether a configuration may have a file of a host read and written. name is absolute there, and free of
// links as far as the host tells.
func (p *Policy) FileAt(host, name string) error {
	return p.fileAt(host, name, func(f filePattern, parts []string) bool { return len(parts) >= len(f) })
}

// FolderAt tells whether a configuration may know of a folder of a host that it is there: it is one of FileAt, or leads
// to one.
func (p *Policy) FolderAt(host, name string) error {
	return p.fileAt(host, name, func(filePattern, []string) bool { return true })
}

func (p *Policy) fileAt(host, name string, within func(filePattern, []string) bool) error {
	if p == nil {
		return nil
	}
	named := false
	parts := partsOf(name)
	if !path.IsAbs(name) || slices.Contains(parts, "..") {
		return &Refusal{fmt.Sprintf("the file %s on %s", name, host), "write its whole path, without .."}
	}
	allows := func(f filePattern) bool { return f.begins(parts) && within(f, parts) }
	allowed := p.host(host, func(h hostRule) bool {
		named = named || len(h.files) > 0
		return slices.ContainsFunc(h.files, allows)
	})
	if allowed {
		return nil
	}
	what := fmt.Sprintf("the file %s on %s", name, host)
	if !named {
		what += ", nor any other there"
	}
	return p.elsewhere(what, fmt.Sprintf("files = [%q] in host %q { … }", name, host), true)
}
