// Command syncctl-depot is syncctl with one product, the depot. A build with more products lists them here: those of
// cmd/syncctl are made by backbone.New, teamworkcloud.New and keystore.New.
package main

import (
	"example.com/syncctl-depot/depot"
	"github.com/syncctl/syncctl/cli"
)

func main() { cli.Main(depot.Product) }
