package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// filePattern is an absolute path on another machine, split into names, in which * matches any part of one name. It
// matches a file, or a folder with everything inside it.
type filePattern []string

// everyFile matches every file of a machine.
var everyFile = []filePattern{{}}

// parsePattern reads an element of files in a host block.
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

// partsOf splits an absolute path into names.
func partsOf(name string) []string {
	parts := strings.Split(name, "/")
	return slices.DeleteFunc(parts, func(part string) bool { return part == "" || part == "." })
}

// literal escapes a pattern for path.Match, except for *.
var literal = strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`)

// begins reports whether pattern and path match in all names that both have.
func (p filePattern) begins(parts []string) bool {
	for i := range min(len(p), len(parts)) {
		if ok, err := path.Match(literal.Replace(p[i]), parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// FileAt returns nil if a configuration may read and write a file of a host. name must be absolute, and without links
// as far as the host can tell.
func (p *Policy) FileAt(host, name string) error {
	return p.fileAt(host, name, func(f filePattern, parts []string) bool { return len(parts) >= len(f) })
}

// FolderAt returns nil if a configuration may know that a folder of a host exists: FileAt allows it, or a file or
// folder inside it.
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
