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
	"runtime"
	"runtime/debug"

	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// Product is everything that the program knows about a product.
type Product struct {
	Name      string                         // in sandbox seeds and logs; also the name of the command for its tools
	Driver    func(driver.Env) driver.Driver // makes the driver, once for each command
	Simulator sandbox.Open                   // opens the simulated world; nil: the sandbox cannot simulate it
	Seed      func() ([]seed.Member, error)  // what a seed of the simulator has, for docs; nil: that is not shown
	Tools     []driver.Tool                  // additional commands of the product

	// Examples has a folder for each example. init writes it, and rehearse finds it by name. If Examples is nil, there
	// are none. Examples with servers that cannot be simulated are left out.
	Examples fs.FS

	// Guides has Markdown files, which docs shows by name, and JSON Schemas (*.schema.json) of what the program writes.
	// If it is nil, there are none.
	Guides fs.FS
}

// unusedSize is the size of memory that is never written to, so that it takes no space. The garbage collector counts it
// as used, and begins only when that much has been used up: most commands end before. To collect less often by percent
// would save as much time, but large configurations would take half as much memory again.
const unusedSize = 64 << 20

// Main runs syncctl with these products and exits. The output of Go's standard logger is dropped: libraries log what
// servers send, such as a repeated password, and nothing would redact it.
func Main(products ...Product) {
	log.SetOutput(io.Discard)
	signals := takeSignals() // first: until then, a signal ends the process without a message
	hook.Started()
	crashApart()
	a := operatingSystem(products, signals)
	a.unused = unusedMemory(a.env)
	code := a.run(context.Background(), os.Args[1:])
	runtime.KeepAlive(a)
	os.Exit(code)
}

// unusedMemory returns memory that is never written to; see unusedSize. It returns none if the environment says how
// memory is collected.
//
// Making it would begin a collection, which takes a quarter of a start's time and a megabyte. So collections begin late
// until the first has run: its finalizer sets the usual 100 percent.
func unusedMemory(env func(string) (string, bool)) []byte {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if v, _ := env(name); v != "" {
			return nil
		}
	}
	type garbage [64 << 10]byte // so large that a collection finds it first
	runtime.SetFinalizer(new(garbage), func(*garbage) { debug.SetGCPercent(100) })
	const least = 4 << 20 // at 100 percent, no collection begins below this size
	debug.SetGCPercent(2 * unusedSize / least * 100)
	return make([]byte, unusedSize)
}
