//go:build !unix

package host

import "io/fs"

// localOwner reports that files here have no numeric user and group.
func localOwner(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }

// SeveralNames reports that it is not known of any file here whether it has other names.
func SeveralNames(fs.FileInfo) bool { return false }

// AtOnce makes opening a file not block, on systems that have pipes among their files.
const AtOnce = 0
