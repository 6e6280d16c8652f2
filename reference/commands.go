package reference

import (
	"fmt"
	"strings"
)

// Command is one command of the program.
type Command struct {
	Name     string     `json:"name" jsonschema:"the words after the program's name"`
	Summary  string     `json:"summary" jsonschema:"one sentence, without a full stop"`
	Long     string     `json:"description,omitempty" jsonschema:"paragraphs; indented lines are shown as they are"`
	Usage    string     `json:"usage" jsonschema:"the command line in short"`
	Example  string     `json:"example,omitempty" jsonschema:"command lines"`
	Flags    []Flag     `json:"flags,omitempty" jsonschema:"its own; those of every command are in flags"`
	Commands []string   `json:"commands,omitempty" jsonschema:"the names of the commands below it"`
	Exits    []ExitCode `json:"exit_codes,omitempty" jsonschema:"those that it ends with"`
	JSON     bool       `json:"json,omitempty" jsonschema:"whether it has -json"`
	Formats  []string   `json:"formats,omitempty" jsonschema:"what -json writes, one of these: docs/schemas has each"`
	NoJSON   string     `json:"no_json,omitempty" jsonschema:"why it has no -json"`
}

// Flag is a flag of a command.
type Flag struct {
	Name    string `json:"name" jsonschema:"without dashes"`
	Letter  string `json:"letter,omitempty" jsonschema:"its short form"`
	Value   string `json:"value,omitempty" jsonschema:"what its value is; a flag without is true where it stands"`
	Default string `json:"default,omitempty" jsonschema:"its value where it is not given"`
	Doc     string `json:"description" jsonschema:"what it is for"`
}

// ExitCode is an exit code of the program.
type ExitCode struct {
	Code    int    `json:"code" jsonschema:"the number"`
	Meaning string `json:"meaning" jsonschema:"how the command has ended"`
}

// Variable is an environment variable that the program reads.
type Variable struct {
	Name    string `json:"name" jsonschema:"as it is written"`
	Meaning string `json:"meaning" jsonschema:"what it is for"`
}

// Program is what the pages need to know about the program, apart from the language.
type Program struct {
	Name      string // the name by which it is called
	Commands  []Command
	Global    []Flag // the flags of every command
	Exits     []ExitCode
	Variables []Variable
	Files     []Variable // names of files, with their meaning
	NoJSON    []Variable // the commands without -json, and why
}

func (g *Program) pages() []*Page {
	var out []*Page
	for i := range g.Commands {
		out = append(out, g.commandPage(&g.Commands[i]))
	}
	return append(out, g.flagsPage(), g.exitsPage(),
		g.namesPage("environment", "Environment variables", "The environment variables that it reads.", g.Variables),
		g.namesPage("files", "Files", "The files that it reads and writes.", g.Files))
}

func (g *Program) commandPage(c *Command) *Page {
	p := &Page{Word: c.Name, Group: Commands, Title: quoted(g.Name + " " + c.Name), Summary: c.Summary + "."}
	p.say("%s.", c.Summary)
	p.code("", c.Usage)
	p.prose(c.Long)
	if len(c.Commands) > 0 {
		p.say("Its commands: %s.", list(quoteAll(c.Commands), "and"))
	}
	if len(c.Flags) > 0 {
		p.heading("Flags")
		p.list(flagItems(c.Flags))
	}
	if c.JSON {
		var pages []string
		for _, name := range c.Formats {
			pages = append(pages, quoted(name+".json"))
		}
		p.say("With `-json` it writes JSON, for programs: %s (`%s docs WORD` has the page of each). The flags of every "+
			"command: `%s docs flags`.", list(pages, "or"), g.Name, g.Name)
	} else if c.NoJSON != "" && len(c.Commands) == 0 {
		p.say("It has no `-json`: %s. The flags of every command: `syncctl docs flags`.", c.NoJSON)
	}
	if len(c.Exits) > 0 {
		p.heading("Exit codes")
		p.list(exitItems(c.Exits))
	}
	if c.Example != "" {
		p.heading("Example")
		p.code("sh", unindent(c.Example))
	}
	return p
}

// prose adds paragraphs of text. Indented lines are shown unchanged.
func (p *Page) prose(text string) {
	for _, para := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		switch {
		case strings.TrimSpace(para) == "":
		case strings.HasPrefix(para, "  "):
			p.code("", unindent(para))
		default:
			p.say("%s", strings.ReplaceAll(para, "\n", " "))
		}
	}
}

func unindent(text string) string {
	var out []string
	for _, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		out = append(out, strings.TrimPrefix(line, "  "))
	}
	return strings.Join(out, "\n")
}

func flagItems(flags []Flag) []item {
	var out []item
	for _, f := range flags {
		name := quoted("-" + f.Name)
		if f.Value != "" {
			name = quoted("-" + f.Name + "=" + f.Value)
		}
		if f.Letter != "" {
			name += " or " + quoted("-"+f.Letter)
		}
		text := f.Doc
		if f.Default != "" {
			text += fmt.Sprintf(" (default %s)", quoted(f.Default))
		}
		out = append(out, item{name: name, text: text})
	}
	return out
}

func exitItems(codes []ExitCode) []item {
	var out []item
	for _, e := range codes {
		out = append(out, item{name: quoted(fmt.Sprint(e.Code)), text: e.Meaning})
	}
	return out
}

func (g *Program) flagsPage() *Page {
	p := &Page{Word: "flags", Group: Topics, Title: "Flags of every command", Summary: "The flags that every command " +
		"takes."}
	p.say("They stand before or after the command. Every flag can be written with one dash or two, and its value after " +
		"= or as the next argument.")
	p.list(flagItems(g.Global))
	p.say("With -json a command prints one document, or events, however it ends; the page of the command says in which " +
		"format. If it has failed, that is diagnostics.json or an event. The file of -json-into gets the same, unless the " +
		"command line cannot be read. A document or event that is no JSON any more without its secrets, because one of " +
		"them is a piece of its syntax or a number, is one JSON text.")
	if len(g.NoJSON) > 0 {
		p.heading("Commands without -json")
		var without []item
		for _, v := range g.NoJSON {
			without = append(without, item{name: v.Name, text: v.Meaning})
		}
		p.list(without)
	}
	return p
}

func (g *Program) exitsPage() *Page {
	p := &Page{Word: "exit-codes", Group: Topics, Title: "Exit codes", Summary: "How commands end."}
	p.say("`%s explain CODE` says when a command ends so, and what to do.", g.Name)
	p.list(exitItems(g.Exits))
	return p
}

func (g *Program) namesPage(word, title, summary string, names []Variable) *Page {
	p := &Page{Word: word, Group: Topics, Title: title, Summary: summary}
	p.say("%s", summary)
	var items []item
	for _, v := range names {
		items = append(items, item{name: quoted(v.Name), text: v.Meaning})
	}
	p.list(items)
	return p
}

func quoteAll(words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, quoted(w))
	}
	return out
}
