package schema

import "io/fs"

// Access is what a policy permits a configuration to reach on the machine that reads it. If a function is nil, the
// default without a policy applies. The functions decide; they do no I/O.
type Access struct {
	// ReadFile decides on a file outside of the configuration's folder. If it is nil, only a file that an argument
	// names by its absolute path may be read.
	ReadFile func(Reading) error

	// Env decides on env(name). If it is nil, every variable may be read.
	Env func(name string) error

	// NamesDecide: a variable whose name sounds like a secret is a secret, whatever its block says. Otherwise whoever
	// may write the configuration could show every secret that is passed in a variable, as with nonsensitive().
	NamesDecide bool

	// Nonsensitive decides on nonsensitive(), which lets a configuration show a secret, whole or letter by letter. If
	// it is nil, nonsensitive() may be used.
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
	Path string // for Access: absolute, without symbolic links, where the file system supports that
	By   string // what reads it: file(), or the name of an argument
	Most int64  // bytes; a larger file is refused

	// Whole: an absolute path was chosen by the person, and may lead out of the folder unless a policy forbids it.
	Whole bool

	listed fs.FileInfo // what the folder's list says of it; nil if Path is not from there
}
