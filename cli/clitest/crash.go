package clitest

import (
	"context"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// crashing returns the products with drivers that crash. how is WHERE:HOW. WHERE is observe, plan, execute or verify.
// HOW is panic (with the text SYNCCTL_TEST_SAYS), goroutine (the same panic, in a goroutine of its own), stack or
// memory (the driver runs out of it).
func crashing(how string, products []cli.Product) []cli.Product {
	where, how, _ := strings.Cut(how, ":")
	products = slices.Clone(products)
	for i, p := range products {
		products[i].Driver = func(e driver.Env) driver.Driver { return crasher{p.Driver(e), where, how} }
	}
	return products
}

type crasher struct {
	driver.Driver

	where, how string
}

func (c crasher) at(where string) {
	if c.where != where {
		return
	}
	switch c.how {
	case "panic":
		panic(os.Getenv("SYNCCTL_TEST_SAYS"))
	case "goroutine":
		go panic(os.Getenv("SYNCCTL_TEST_SAYS"))
		select {}
	case "stack":
		debug.SetMaxStack(1 << 20)
		_ = deeper(0)
	case "memory":
		_ = make([]byte, 1<<46)
	}
}

func deeper(n int) int { // until the stack is full
	if n < 0 {
		return 0
	}
	return deeper(n+1) + n
}

func (c crasher) Observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	c.at("observe")
	return c.Driver.Observe(ctx, r, n)
}

func (c crasher) Plan(ch planner.Change) (planner.Outline, hcl.Diagnostics) {
	c.at("plan")
	return c.Driver.Plan(ch)
}

func (c crasher) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	c.at("execute")
	return c.Driver.Execute(ctx, t)
}

func (c crasher) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	c.at("verify")
	return c.Driver.Verify(ctx, t)
}
