// Package docs has the pages beside it as a part of the program, so that whoever has the program alone can read them:
// syncctl docs NAME. schemas/ is what the files and the -json of the program look like.
package docs

import "embed"

// Files are the pages. Those that are written from the program itself are left out where they are shown.
//
//go:embed *.md tutorials schemas
var Files embed.FS
