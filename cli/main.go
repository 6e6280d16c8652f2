// Package cli is the program syncctl, for any list of products: flags go in, an exit code comes out, and words for people in
// between. Only this package prints, asks, and exits.
//
// A build with a product of your own is a main of a few lines:
//
//	func main() { cli.Main(cli.Product{Name: "depot", Driver: depot.New, Simulator: depot.Open}) }
package cli

import (
	"os"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/sandbox"
)

// Product is all that the program knows of a product.
type Product struct {
	Name      string                         // in seeds of the sandbox, in the log, and as the command that has its tools
	Driver    func(driver.Env) driver.Driver // makes the driver, once a command
	Simulator sandbox.Open                   // opens the product's simulated world; nil: the sandbox cannot simulate it
	Tools     []driver.Tool                  // commands that it brings beside the reconciler
}

// Main runs syncctl with these products and exits.
func Main(products ...Product) { os.Exit(operatingSystem(products).run(os.Args[1:])) }
