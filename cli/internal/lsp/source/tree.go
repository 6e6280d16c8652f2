package source

// Word is a name as it is written.
type Word struct {
	Text string
	Span
}

// Block is a block, or the whole file, whose Type is empty.
type Block struct {
	Span

	Parent *Block // nil of the file
	Type   Word
	Labels []Word // spans without the quotes
	Body   Span   // between the braces
	Closed bool   // its brace is there

	Arguments []*Argument
	Blocks    []*Block
	Words     []Word // that stand alone on a line: nobody can tell what they will be
}

// Argument is NAME = VALUE.
type Argument struct {
	Span

	Name  Word
	In    *Block
	Value Span
}

// Find is the argument of a name, or nil.
func (b *Block) Find(name string) *Argument {
	for _, a := range b.Arguments {
		if a.Name.Text == name {
			return a
		}
	}
	return nil
}

// Label is a label, "" where there is none.
func (b *Block) Label(i int) string {
	if i >= len(b.Labels) {
		return ""
	}
	return b.Labels[i].Text
}

// Top is the outermost block that a block is in, itself where it is one, and nil of the file.
func (b *Block) Top() *Block {
	for ; b.Parent != nil; b = b.Parent {
		if b.Parent.Parent == nil {
			return b
		}
	}
	return nil
}

// Reference is a name in an expression with the names behind it: server.depot.north.url.
type Reference struct {
	Span

	Steps    []Step // the first is the root
	In       *Block
	Argument *Argument
	Bound    *Binding // what the first step means, where a for expression around it gave it that name
}

// Step is one name of a reference.
type Step struct {
	Word

	Index bool // a key: ["north"], or one that is computed, whose text is empty
}

// Binding is a name that a for expression gives to the elements of a collection, or to their keys.
type Binding struct {
	Word

	Value bool       // to the elements
	Of    *Reference // the collection, where it is a reference and nothing else
}

// Role is what a word is.
type Role int

// The roles.
const (
	BlockType Role = iota
	Label
	Name // of an argument
	Key  // of an object
	Function
	Root   // the first step of a reference
	Member // another one
	Local  // a name that a for expression gives
	Keyword
	Number
	Quoted // a quoted text, or a piece of one
	Comment
	Operator
)

// Mark is a word with its role.
type Mark struct {
	Span

	Role Role
}

// Tree is what a file says, as far as it can be told.
type Tree struct {
	File       *Block
	References []*Reference
	Marks      []Mark // in their order
}

// Place is what stands around a cursor, and what may be typed there.
type Place struct {
	Kind  PlaceKind
	In    *Block
	Head  []Word // at a label: the block's type and the labels before
	Typed Span   // the word that has been begun, up to the cursor

	Argument *Argument  // in a value
	Outer    []Enclosed // what the cursor is in within the value, the outermost first
	Before   *Reference // the steps before the word, where there is a dot; nil
	Names    []string   // that for expressions around give

	// In JSON.
	Quoted bool // the word is in a text
	Bare   bool // a value begins, without quotes yet
	Plain  bool // the text is an expression as it stands, without ${}
}

// PlaceKind is what kind of word belongs to a place.
type PlaceKind int

// The kinds of places.
const (
	Nothing     PlaceKind = iota // a comment, a number
	AtItem                       // an argument or a block begins
	AtLabel                      // a label, within its quotes
	AtBareLabel                  // a label, without quotes yet
	AtValue                      // an expression begins
	AtText                       // a quoted text
)

// Enclosed is one thing that a cursor is in within a value.
type Enclosed struct {
	Kind     rune   // ( [ { " or f of a call
	Function string // of a call
	Index    int    // which argument of the call, or which element
	Key      string // of an object: the key whose value it is, "" at a key
}
