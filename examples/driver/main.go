// Command syncctl-depot is syncctl with one product, the depot. A build with more products lists them here: those of
// cmd/syncctl are made by backbone.New, teamworkcloud.New and keystore.New.
package main

import (
	"embed"

	"example.com/syncctl-depot/depot"
	"github.com/syncctl/syncctl/cli"
)

//go:embed example
var examples embed.FS

// product is the depot with its example, for `syncctl-depot init` and rehearse.
func product() cli.Product {
	p := depot.Product
	p.Examples = examples
	return p
}

func main() { cli.Main(product()) }
