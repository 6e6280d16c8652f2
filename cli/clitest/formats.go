package clitest

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/docs"
)

// format is what the program writes, as its JSON Schema in docs/schemas says.
type format func() (*jsonschema.Resolved, error)

var events, entries = formatOf("events"), formatOf("journal")

func formatOf(name string) format {
	return sync.OnceValues(func() (*jsonschema.Resolved, error) {
		text, err := docs.Files.ReadFile("schemas/" + name + ".schema.json")
		if err != nil {
			return nil, err
		}
		var s jsonschema.Schema
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		return s.Resolve(nil)
	})
}

// hold panics if a document is not as the format says.
func (f format) hold(text []byte) {
	s, err := f()
	var doc any
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err == nil {
		err = s.Validate(doc)
	}
	if err != nil {
		panic(fmt.Sprintf("not as docs/schemas says: %s: %v", text, err))
	}
}
