// Package cli is the program syncctl, for any list of products: flags in, an exit code and words for people
// out. Only this package prints, asks, or exits.
//
// A build with a product of your own is a main of a few lines:
//
//	func main() { cli.Main(cli.Product{Name: "depot", Driver: depot.New, Simulator: depot.Open}) }
package cli

import (
	"context"
	"io"
	"io/fs"
	"log"
	"os"

	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/sandbox"
)

// Product is all that the program knows of a product.
type Product struct {
	Name      string                         // in sandbox seeds and logs, and the name of the command with its tools
	Driver    func(driver.Env) driver.Driver // makes the driver, once for each command
	Simulator sandbox.Open                   // opens the simulated world; nil: the sandbox cannot simulate it
	Tools     []driver.Tool                  // commands of its own beside the reconciler

	// Examples has a folder for each example, which init writes and rehearse finds by name; nil: none. One whose servers
	// cannot all be simulated is left out.
	Examples fs.FS

	// Guides has Markdown files, which docs shows by name; nil: none.
	Guides fs.FS
}

// Main runs syncctl with these products and exits. What is written to Go's standard logger is dropped: libraries put
// there what servers send, such as a repeated password, past all that takes secrets out.
func Main(products ...Product) {
	log.SetOutput(io.Discard)
	signals := takeSignals() // before anything else: until then one ends the process without a word
	hook.Started()
	crashApart()
	os.Exit(operatingSystem(products, signals).run(context.Background(), os.Args[1:]))
}
