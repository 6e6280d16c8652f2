// Command syncctl turns declared synchronizations and migrations into reality, step by step: package cli, with
// the products listed here. This file is the only place that names one.
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
	{Name: "keystore", Driver: keystore.New, Examples: examples.Files, Guides: docs.Files}, // every product's
	// One line a product. Taking a product out is taking out its line, its imports, and its folder.
	{Name: "backbone", Driver: backbone.New, Simulator: simulator(backbonesim.Open), Tools: backbone.Tools()},
	{Name: "teamwork_cloud", Driver: teamworkcloud.New, Simulator: simulator(twcsim.Open)},
}

// simulator opens a product's own kind of world as the sandbox knows worlds.
func simulator[W sandbox.World](open func(seed []byte) (W, error)) sandbox.Open {
	return func(seed []byte) (sandbox.World, error) { return open(seed) }
}

func main() { cli.Main(products...) }
