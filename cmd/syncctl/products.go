package main

import (
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim"
	"github.com/syncctl/syncctl/sandbox"
)

// product is all that the program knows of a product. This file is the only place that names one.
type product struct {
	name      string
	driver    func(driver.Env) driver.Driver
	simulator sandbox.Open // nil: the sandbox cannot simulate it
	tools     []driver.Tool
}

var products = []product{
	{name: "keystore", driver: keystore.New}, // every product's
	// One line a product. Taking a product out is taking out its line, its imports, and its folder.
	{name: "backbone", driver: backbone.New, simulator: func(seed []byte) (sandbox.World, error) { return backbonesim.Open(seed) }, tools: backbone.Tools()},
	{name: "teamwork_cloud", driver: teamworkcloud.New, simulator: func(seed []byte) (sandbox.World, error) { return twcsim.Open(seed) }},
}
