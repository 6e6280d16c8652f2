package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
)

// Bounds of fileset.
const (
	mostListed = 10000 // files and folders that are examined
	mostDepth  = 32    // folders inside of each other
)

// fileSet implements fileset(PATH, PATTERN). It finds only files of the configuration's folder, whatever a policy
// permits.
func (l *loader) fileSet(args []cty.Value) (cty.Value, error) {
	pattern, err := functions.Glob(args[1].AsString())
	if err != nil {
		return cty.NilVal, err
	}
	levels := mostDepth
	if text := args[1].AsString(); !strings.Contains(text, "**") {
		levels = strings.Count(text, "/")
	}
	found, seen, err := l.folder().list(args[0].AsString(), levels)
	if err != nil {
		return cty.NilVal, fmt.Errorf("listing %s: %w", args[0].AsString(), err)
	}
	if err := l.meter.visit(int64(seen)); err != nil {
		return cty.NilVal, err
	}
	var out []cty.Value
	for _, name := range found {
		if !pattern.MatchString(NameForm(name)) {
			continue
		}
		out = append(out, cty.StringVal(name))
	}
	if len(out) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(out), nil
}

var errLinked = errors.New("it is a link, and links are not listed: copy what it leads to, or leave it out of the " +
	"folder")

// list returns the files in a folder inside of the configuration's folder, and in its subfolders down to levels,
// sorted. It returns none if the folder is missing. seen is the number of entries examined.
func (f Folder) list(name string, levels int) (found []string, seen int, err error) {
	name = filepath.ToSlash(name)
	if name == "" {
		name = "."
	}
	if len(name) > 1 {
		name = strings.TrimSuffix(name, "/")
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, 0, fmt.Errorf("%w, or has a whole path", ErrOutside)
	}
	at := f.absolute(f.dir())
	for _, part := range strings.Split(path.Clean(name), "/") {
		switch {
		case part == ".":
			continue
		case Apart(part):
			return nil, 0, nil
		}
		at = Locate(f.Fs, filepath.Join(at, part))
		switch link, err := f.link(at); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, 0, nil
		case err != nil:
			return nil, 0, err
		case link != "":
			return nil, 0, errLinked
		case f.alias(at):
			return nil, 0, nil
		}
	}
	if err := f.walk(at, "", levels, &found, &seen); err != nil {
		return nil, 0, err
	}
	slices.Sort(found)
	return found, seen, nil
}

func (f Folder) walk(dir, below string, levels int, found *[]string, seen *int) error {
	infos, err := afero.ReadDir(f.Fs, dir)
	if err != nil {
		return err
	}
	for _, info := range infos {
		if *seen++; *seen > mostListed {
			return fmt.Errorf("it has more than %d files and folders", mostListed)
		}
		name := path.Join(below, info.Name())
		switch mode := info.Mode(); {
		case Apart(info.Name()):
		case mode&(fs.ModeSymlink|fs.ModeIrregular) != 0:
			return fmt.Errorf("%s: %w", name, errLinked)
		case mode.IsDir() && strings.Count(name, "/") >= mostDepth:
			return fmt.Errorf("%s: more than %d folders are inside of each other", below, mostDepth)
		case mode.IsDir() && levels > 0:
			if err := f.walk(filepath.Join(dir, info.Name()), name, levels-1, found, seen); err != nil {
				return err
			}
		case mode.IsRegular():
			*found = append(*found, name)
		}
	}
	return nil
}
