package source

// Word is a word of the source: a name, or a quoted label or key without its quotes.
type Word struct {
	Text string
	Span
}

// Block is a block, or the whole file. The Type of a file is empty.
type Block struct {
	Span

	Parent *Block // nil for the file
	Type   Word
	Labels []Word // spans without the quotes
	Body   Span   // between the braces
	Closed bool   // its closing brace is there

	Arguments []*Argument
	Blocks    []*Block
	Words     []Word // words that begin a line and are not an argument or a block yet
}

// Argument is NAME = VALUE.
type Argument struct {
	Span

	Name  Word
	In    *Block
	Value Span
}

// Find returns the argument with that name, or nil if there is none.
func (b *Block) Find(name string) *Argument {
	for _, a := range b.Arguments {
		if a.Name.Text == name {
			return a
		}
	}
	return nil
}

// Label returns the label with index i, or "" if there is none.
func (b *Block) Label(i int) string {
	if i >= len(b.Labels) {
		return ""
	}
	return b.Labels[i].Text
}

// Top returns the block at the top of the file that contains b, which may be b itself. It returns nil for the file.
func (b *Block) Top() *Block {
	for ; b.Parent != nil; b = b.Parent {
		if b.Parent.Parent == nil {
			return b
		}
	}
	return nil
}

// Reference is a name in an expression with the names after it, such as server.depot.north.url.
type Reference struct {
	Span

	Steps    []Step // the first is the root
	In       *Block
	Argument *Argument
	Bound    *Binding // the binding of the first step, if an enclosing for expression binds that name
}

// Step is one name of a reference.
type Step struct {
	Word

	Index bool // it is a key, such as ["north"]; the text of a computed key is empty
}

// Binding is a name that a for expression binds to the elements of a collection, or to their keys.
type Binding struct {
	Word

	Value bool       // it is bound to the elements, not to the keys
	Of    *Reference // the collection, if it is only a reference
}

// Role says what a word is.
type Role int

// The roles.
const (
	BlockType Role = iota
	Label
	Name // of an argument
	Key  // of an object
	Function
	Root   // the first step of a reference
	Member // another step
	Local  // a name that a for expression binds
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

// Tree is the content of a file, as far as it could be read.
type Tree struct {
	File       *Block
	References []*Reference
	Marks      []Mark // in about the order of the file: sort them if it matters
}

// Place says what is around a cursor and what kind of word may be typed there.
type Place struct {
	Kind  PlaceKind
	In    *Block
	Head  []Word // at a label: the block's type and the labels before it
	Typed Span   // the beginning of the word, up to the cursor

	Argument *Argument  // in a value
	Outer    []Enclosed // in a value: what encloses the cursor, the outermost first
	Before   *Reference // after a dot: the steps before the word; otherwise nil
	Names    []string   // names that enclosing for expressions bind

	// Only in JSON.
	Quoted bool // the word is in a quoted text
	Bare   bool // a value begins, and there are no quotes yet
	Plain  bool // the text is an expression as a whole, without ${}
}

// PlaceKind is the kind of word that may be typed at a place.
type PlaceKind int

// The kinds of places.
const (
	Nothing     PlaceKind = iota // no word, such as in a comment or a number
	AtItem                       // an argument or a block begins
	AtLabel                      // a label, within its quotes
	AtBareLabel                  // a label, without quotes yet
	AtValue                      // an expression begins
	AtText                       // a quoted text
)

// Enclosed is one syntax element within a value that encloses a cursor.
type Enclosed struct {
	Kind     rune   // one of ( [ { " or $ (for ${ and %{) or f (a function call)
	Function string // in a call
	Index    int    // index of the argument or element
	Key      string // in an object: the key whose value it is; "" at a key
}
