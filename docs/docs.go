// Package docs has the pages beside it as a part of the program, so that whoever has the program alone can read them:
// syncctl docs NAME.
package docs

import "embed"

// Files are the pages. Those that are written from the program itself are left out where they are shown.
//
//go:embed *.md tutorials
var Files embed.FS
