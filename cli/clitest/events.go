package clitest

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/docs"
)

// eventSchema is the JSON Schema of events.
var eventSchema = sync.OnceValues(func() (*jsonschema.Resolved, error) {
	text, err := docs.Files.ReadFile("schemas/events.schema.json")
	if err != nil {
		return nil, err
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	return s.Resolve(nil)
})

// fitting panics if an event is not as its JSON Schema says.
func fitting(line []byte) {
	s, err := eventSchema()
	var event any
	if err == nil {
		err = json.Unmarshal(line, &event)
	}
	if err == nil {
		err = s.Validate(event)
	}
	if err != nil {
		panic(fmt.Sprintf("docs/schemas/events.schema.json: an event is not valid: %s: %v", line, err))
	}
}
