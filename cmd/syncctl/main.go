// Command syncctl carries out declared synchronizations and migrations, step by step. It is package cli with the
// products that are listed here. Outside of the products' own folders, only this file names them.
package main

import (
	"github.com/syncctl/syncctl/cli"
	"github.com/syncctl/syncctl/docs"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim"
	"github.com/syncctl/syncctl/examples"
	"github.com/syncctl/syncctl/sandbox"
)

var products = []cli.Product{
	{Name: "keystore", Driver: keystore.New, Examples: examples.Files, Guides: docs.Files}, // of all products
	// One line per product. To remove a product, remove its line, its imports, and its folder.
	{Name: "backbone", Driver: backbone.New, Simulator: simulator(backbonesim.Open), Seed: backbonesim.Seed,
		Tools: backbone.Tools()},
	{Name: "teamwork_cloud", Driver: teamworkcloud.New, Simulator: simulator(twcsim.Open), Seed: twcsim.Seed},
}

// simulator turns a product's function, which opens a world of the product's own type, into one for the sandbox.
func simulator[W sandbox.World](open func(seed []byte) (W, error)) sandbox.Open {
	return func(seed []byte) (sandbox.World, error) { return open(seed) }
}

func main() { cli.Main(products...) }
