// Package examples has the examples beside it as a part of the program, so that whoever has the program alone can look
// at them and rehearse them.
package examples

import "embed"

// Files are the folders, each an example. driver/ is a module of its own, and stays out.
//
//go:embed behind-firewall-* email-in-error twc-*
var Files embed.FS
