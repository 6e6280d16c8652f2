package clitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/docs"
)

// format is what the program writes, as its JSON Schema in docs/schemas says.
type format func() (*jsonschema.Resolved, error)

var entries = formatOf("journal")

func formatOf(name string) format {
	return sync.OnceValues(func() (*jsonschema.Resolved, error) {
		s, err := schemaOf(name)
		if err != nil {
			return nil, err
		}
		return s.Resolve(nil)
	})
}

func schemaOf(name string) (*jsonschema.Schema, error) {
	text, err := docs.Files.ReadFile("schemas/" + name + ".schema.json")
	if err != nil {
		return nil, err
	}
	s := &jsonschema.Schema{}
	return s, json.Unmarshal(text, s)
}

// schemasOf returns the JSON Schemas of a format: of what commands write, those of one command alone.
func schemasOf(command, name string) ([]*jsonschema.Schema, error) {
	s, err := schemaOf(name)
	if err != nil || name != "commands" {
		return []*jsonschema.Schema{s}, err
	}
	return slices.DeleteFunc(s.OneOf, func(one *jsonschema.Schema) bool {
		return !strings.HasPrefix(one.Title+" ", command+" ")
	}), nil
}

// holdDocument panics if a document is in none of the formats that the command may write.
func holdDocument(command string, formats []string, text []byte) {
	var doc any
	why := json.Unmarshal(text, &doc)
	for _, name := range formats {
		all, err := schemasOf(command, name)
		why = errors.Join(why, err)
		for _, s := range all {
			r, err := s.Resolve(nil)
			if err == nil {
				err = r.Validate(doc)
			}
			if err == nil {
				return
			}
			why = errors.Join(why, fmt.Errorf("%s: %w", name, err))
		}
	}
	panic(fmt.Sprintf("%s: not as docs/schemas says: %s: %v", command, text, why))
}

// oneDocument panics if a command with -json has ended and has not written one document. The console writes one for
// each line.
func oneDocument(command string, documents int) {
	if documents != 1 && command != "console" {
		panic(fmt.Sprintf("%s -json: %d documents", command, documents))
	}
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
