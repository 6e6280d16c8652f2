package schema

// Access is what a policy permits a configuration to reach on the machine that reads it. Where a function is nil, the
// rule without a policy holds. The functions decide; they do no I/O.
type Access struct {
	// ReadFile decides on a file outside of the configuration's folder. nil: a file that an argument names by its whole
	// path may be read, nothing else.
	ReadFile func(Reading) error

	// Env decides on env(name). nil: every variable may be read.
	Env func(name string) error

	// NamesDecide: a variable whose name tells of a secret is one, whatever its block says. Else who may write the
	// configuration could show every secret that a variable is given, as with nonsensitive().
	NamesDecide bool

	// Nonsensitive decides on nonsensitive(), by which a configuration can show a secret: whole, or letter by letter.
	// nil: it may be used.
	Nonsensitive func() error
}

func (a Access) env(name string) error {
	if a.Env == nil {
		return nil
	}
	return a.Env(name)
}

func (a Access) nonsensitive() error {
	if a.Nonsensitive == nil {
		return nil
	}
	return a.Nonsensitive()
}

// Reading is a file that a configuration has read.
type Reading struct {
	Path string // for Access: absolute where the file system knows such names, without links
	By   string // what reads it: file(), or the name of an argument
	Most int64  // bytes; a larger file is refused

	// Whole: a whole path (absolute) is the person's own word, and may lead out of the folder where no policy decides.
	Whole bool
}
