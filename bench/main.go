// Command bench runs syncctl and other programs on the same work, one after the other, and prints what each costs:
//
//	go run ./bench                         everything, ten minutes on two cores
//	go run ./bench -only=merge -runs=5     one race
//	go run ./bench -write                  bench/README.md too
//
// It makes its own inputs, from a fixed seed, in a temporary folder. Programs that are not installed are left out,
// which it reports. Figures are for whole processes: cpu is user and system time, memory the largest resident size.
// Compare the ratios: other work on the machine slows all of them down.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 && inside[os.Args[1]] != nil {
		exitOn(inside[os.Args[1]](ctx, os.Args[2:]))
		return
	}
	exitOn(run(ctx, os.Args[1:], os.Stdout))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options holds the flags.
type options struct {
	only  *regexp.Regexp
	runs  int
	scale int
	times int
	write bool
}

func parse(args []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "only races whose name this regular expression matches")
	o := options{}
	flags.IntVar(&o.runs, "runs", 3, "how often each is run; medians are shown")
	flags.IntVar(&o.scale, "scale", 1, "sizes are divided by this, for a quick look")
	flags.IntVar(&o.times, "times", 1, "sizes are multiplied by this; if it is above 1, terraform and tofu are left out")
	flags.BoolVar(&o.write, "write", false, "write the results to bench/README.md")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if min(o.runs, o.scale, o.times) < 1 || flags.NArg() > 0 {
		return o, fmt.Errorf("-runs, -scale and -times are at least 1, and there are no other arguments: %q", flags.Args())
	}
	var err error
	o.only, err = regexp.Compile(*only)
	return o, err
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "syncctl-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	tools, err := find(ctx, dir, o.times > 1)
	if err != nil {
		return err
	}
	var done []result
	for _, r := range races {
		if !o.only.MatchString(r.name) {
			continue
		}
		results, err := r.run(ctx, tools, filepath.Join(dir, strings.ReplaceAll(r.name, " ", "-")), o, out)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		done = append(done, results...)
	}
	page := report(tools, done)
	fmt.Fprintf(out, "\n%s", page)
	if !o.write {
		return nil
	}
	return writePage(filepath.Join("bench", "README.md"), page)
}
