//go:build !unix

package host

import "io/fs"

// localOwner: files here have no user and group by number.
func localOwner(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }
