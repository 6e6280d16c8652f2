// Command syncctl turns declared synchronizations and migrations into reality, step by step. Flags go in, an exit code comes
// out, and words for people in between: only this package prints, asks, and exits.
package main

import "os"

func main() { os.Exit(operatingSystem().run(os.Args[1:])) }
