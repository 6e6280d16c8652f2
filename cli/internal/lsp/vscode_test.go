package lsp

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestColoursKnowTheBlocks checks that the syntax colours that VS Code shows before the server has answered know every
// type of block at the top of a file.
func TestColoursKnowTheBlocks(t *testing.T) {
	text, err := os.ReadFile("../../../editors/vscode/syntaxes/syncctl.tmLanguage.json")
	if err != nil {
		t.Fatal(err)
	}
	var grammar struct {
		Repository struct {
			Block struct {
				Patterns []struct {
					Match string `json:"match"`
				} `json:"patterns"`
			} `json:"block"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(text, &grammar); err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(grammar.Repository.Block.Patterns[0].Match, "(")
	list, _, _ = strings.Cut(list, ")")
	known := strings.Split(list, "|")
	for _, kind := range []fileKind{configuration, tests} {
		for _, word := range topWords(kind) {
			if !slices.Contains(known, word) {
				t.Errorf("%q is not in the colours", word)
			}
		}
	}
	if want := len(topWords(configuration)) + len(topWords(tests)); len(known) != want {
		t.Errorf("%d words, want %d", len(known), want)
	}
}
