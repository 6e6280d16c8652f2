package syncctl_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dialect are phrases that are not idiomatic English, with what is written instead.
var dialect = []struct {
	phrase  *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\banew\b`), "again, new, re-"},
	{regexp.MustCompile(`\b(go|goes|gone|going) on with\b`), "continue, resume"},
	{regexp.MustCompile(`\b(is|are) none of\b`), "is not one of, does not belong to"},
	{regexp.MustCompile(`\bon the strength of\b`), "because of, after"},
	{regexp.MustCompile(`\bwhat is not there\b`), "what is missing"},
	{regexp.MustCompile(`\bnobody knows\b`), "is unknown"},
	{regexp.MustCompile(`\bin truth\b`), "actually"},
	{regexp.MustCompile(`\bby the word of\b`), "according to"},
	{regexp.MustCompile(`\S+ (is|are) no [a-z]+`), "is not a"},
}

// idiom is what the last phrase also finds.
var idiom = regexp.MustCompile(`[Tt]here (is|are) no | (is|are) no (longer|more|less|older|newer|later|earlier)$`)

// TestDialect looks for the phrases in all that people read: code, comments, golden files, documentation.
func TestDialect(t *testing.T) {
	read := []string{".go", ".md", ".hcl", ".txtar", ".golden", ".txt"}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".syncctl", "dist", "node_modules"}, d.Name()):
			return filepath.SkipDir
		case !d.Type().IsRegular() || !slices.Contains(read, filepath.Ext(path)) || path == "words_test.go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, d := range dialect {
				if found := d.phrase.FindString(line); found != "" && !idiom.MatchString(found) {
					t.Errorf("%s:%d: %q: write %s", path, i+1, found, d.instead)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
