package lsp

import (
	"encoding/json"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
)

// The messages of the Language Server Protocol 3.17 that are used here, with the names of the protocol.

type textRange struct {
	Start source.Position `json:"start"`
	End   source.Position `json:"end"`
}

type location struct {
	URI   string    `json:"uri"`
	Range textRange `json:"range"`
}

type textEdit struct {
	Range   textRange `json:"range"`
	NewText string    `json:"newText"`
}

type workspaceEdit struct {
	Changes map[string][]textEdit `json:"changes"`
}

type referenceParams struct {
	positionParams

	Context struct {
		IncludeDeclaration bool `json:"includeDeclaration"`
	} `json:"context"`
}

type renameParams struct {
	positionParams

	NewName string `json:"newName"`
}

type renameRange struct {
	Range       textRange `json:"range"`
	Placeholder string    `json:"placeholder"`
}

type highlight struct {
	Range textRange `json:"range"`
}

type documentSymbol struct {
	Name           string           `json:"name"`
	Kind           int              `json:"kind"`
	Range          textRange        `json:"range"`
	SelectionRange textRange        `json:"selectionRange"`
	Children       []documentSymbol `json:"children,omitempty"`
}

type searchParams struct {
	Query string `json:"query"`
}

type symbolInformation struct {
	Name     string   `json:"name"`
	Kind     int      `json:"kind"`
	Location location `json:"location"`
}

type semanticTokens struct {
	Data []int `json:"data"`
}

type actionParams struct {
	documentParams

	Range   textRange `json:"range"`
	Context struct {
		Diagnostics []struct {
			Data json.RawMessage `json:"data"`
		} `json:"diagnostics"`
	} `json:"context"`
}

type codeAction struct {
	Title string        `json:"title"`
	Kind  string        `json:"kind"`
	Edit  workspaceEdit `json:"edit"`
}

type markup struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

func markdown(text string) *markup { return &markup{"markdown", text} }

type initializeParams struct {
	RootURI          string `json:"rootUri"`
	WorkspaceFolders []struct {
		URI string `json:"uri"`
	} `json:"workspaceFolders"`
	Capabilities struct {
		General struct {
			PositionEncodings []source.Encoding `json:"positionEncodings"`
		} `json:"general"`
		TextDocument struct {
			Completion struct {
				CompletionItem struct {
					SnippetSupport bool `json:"snippetSupport"`
				} `json:"completionItem"`
			} `json:"completion"`
		} `json:"textDocument"`
		Workspace struct {
			DidChangeWatchedFiles struct {
				DynamicRegistration bool `json:"dynamicRegistration"`
			} `json:"didChangeWatchedFiles"`
		} `json:"workspace"`
	} `json:"capabilities"`
}

type documentID struct {
	URI string `json:"uri"`
}

type openParams struct {
	TextDocument struct {
		documentID

		Version int    `json:"version"`
		Text    string `json:"text"`
	} `json:"textDocument"`
}

type changeParams struct {
	TextDocument struct {
		documentID

		Version int `json:"version"`
	} `json:"textDocument"`
	ContentChanges []struct {
		Range *textRange `json:"range"`
		Text  string     `json:"text"`
	} `json:"contentChanges"`
}

type documentParams struct {
	TextDocument documentID `json:"textDocument"`
}

type watchedParams struct {
	Changes []documentID `json:"changes"`
}

type foldersParams struct {
	Event struct {
		Added   []documentID `json:"added"`
		Removed []documentID `json:"removed"`
	} `json:"event"`
}

type positionParams struct {
	documentParams

	Position source.Position `json:"position"`
}

type publishParams struct {
	URI         string       `json:"uri"`
	Version     *int         `json:"version,omitempty"`
	Diagnostics []diagnostic `json:"diagnostics"`
}

type diagnostic struct {
	Range    textRange `json:"range"`
	Severity int       `json:"severity"`
	Source   string    `json:"source"`
	Message  string    `json:"message"`
	Data     string    `json:"data,omitempty"` // missing as JSON; editors send it back with a request for actions
}

// missing is what a diagnostic says is missing in a block, and where that is.
type missing struct {
	URI  string          `json:"uri"`
	At   source.Position `json:"at"`
	Ways [][]string      `json:"ways"`
}

type completionItem struct {
	Label            string    `json:"label"`
	Kind             int       `json:"kind"`
	Detail           string    `json:"detail,omitempty"`
	Documentation    *markup   `json:"documentation,omitempty"`
	SortText         string    `json:"sortText,omitempty"`
	InsertTextFormat int       `json:"insertTextFormat,omitempty"` // 2: a snippet
	TextEdit         *textEdit `json:"textEdit"`
}

// The kinds of completion items.
const (
	kindFunction   = 3
	kindField      = 5
	kindVariable   = 6
	kindClass      = 7
	kindModule     = 9
	kindProperty   = 10
	kindKeyword    = 14
	kindFolder     = 19
	kindEnumMember = 20
	kindConstant   = 21
)

type completionList struct {
	IsIncomplete bool             `json:"isIncomplete"`
	Items        []completionItem `json:"items"`
}

type hover struct {
	Contents *markup   `json:"contents"`
	Range    textRange `json:"range"`
}

type signatureHelp struct {
	Signatures      []signatureInformation `json:"signatures"`
	ActiveSignature int                    `json:"activeSignature"`
	ActiveParameter int                    `json:"activeParameter"`
}

type signatureInformation struct {
	Label         string                 `json:"label"`
	Documentation *markup                `json:"documentation"`
	Parameters    []parameterInformation `json:"parameters"`
}

type parameterInformation struct {
	Label         string  `json:"label"`
	Documentation *markup `json:"documentation,omitempty"`
}

type documentLink struct {
	Range  textRange `json:"range"`
	Target string    `json:"target"`
}

type showMessageParams struct {
	Type    int    `json:"type"` // 1: an error
	Message string `json:"message"`
}

// capabilities returns what the server can do, for the answer to initialize.
func capabilities(e source.Encoding) json.RawMessage {
	all := map[string]any{
		"positionEncoding": e,
		"textDocumentSync": map[string]any{"openClose": true, "change": 2, "save": true},
		"completionProvider": map[string]any{
			"triggerCharacters": []string{".", "\"", "{", "["},
		},
		"hoverProvider":              true,
		"definitionProvider":         true,
		"referencesProvider":         true,
		"documentHighlightProvider":  true,
		"documentLinkProvider":       map[string]any{},
		"documentSymbolProvider":     true,
		"workspaceSymbolProvider":    true,
		"documentFormattingProvider": true,
		"renameProvider":             map[string]any{"prepareProvider": true},
		"codeActionProvider":         map[string]any{"codeActionKinds": []string{"quickfix"}},
		"signatureHelpProvider":      map[string]any{"triggerCharacters": []string{"(", ","}},
		"semanticTokensProvider": map[string]any{"full": true, "legend": map[string]any{"tokenTypes": tokenTypes,
			"tokenModifiers": []string{}}},
		"workspace": map[string]any{
			"workspaceFolders": map[string]any{"supported": true, "changeNotifications": true},
		},
	}
	out, err := json.Marshal(all)
	if err != nil {
		panic("lsp: words always marshal: " + err.Error())
	}
	return out
}
