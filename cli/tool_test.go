package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/driver"
)

// TestToolInterrupts: the first signal ends a tool's context; the second one does not wait for a tool that does
// not end.
func TestToolInterrupts(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		c := &command{app: &app{interrupts: &interrupt.Interrupts{}}}
		release := make(chan struct{})
		defer close(release)
		err := c.runTool(context.Background(), driver.Tool{Run: func(ctx context.Context, _ driver.ToolRun) error {
			go func() {
				c.app.interrupts.Deliver(os.Interrupt)
				if stuck {
					c.app.interrupts.Deliver(os.Interrupt)
				}
			}()
			<-ctx.Done()
			if stuck {
				<-release
			}
			return ctx.Err()
		}}, driver.ToolRun{})
		if code, _ := codeOf(err); code != exitInterrupted {
			t.Errorf("stuck=%v: %v", stuck, err)
		}
	}
}

func TestToolBrokenPipe(t *testing.T) {
	c := &command{app: &app{interrupts: &interrupt.Interrupts{}}}
	err := c.runTool(context.Background(), driver.Tool{Run: func(context.Context, driver.ToolRun) error {
		return fmt.Errorf("writing: %w", &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE})
	}}, driver.ToolRun{})
	if code, left := codeOf(err); code != exitBrokenPipe || left != nil {
		t.Error(code, left)
	}
}

func TestFlagErrors(t *testing.T) {
	cmd := &cobra.Command{Use: "merge"}
	cmd.Flags().Bool("allow-unmatched", false, "")
	cmd.Flags().Int("max", 0, "")
	cmd.Flags().Duration("within", 0, "")
	cmd.Flags().String("out", "", "")
	for arg, want := range map[string]string{
		"--allow-unmatched=maybe": "--allow-unmatched is on or off: leave out its value, or use =true or =false; " +
			`"maybe" is neither`,
		"--max=x":    `--max must be a whole number, not "x"`,
		"--within=x": `--within must be a time like 30s or 5m, not "x"`,
		"--output=x": `merge has no flag --output. Did you mean --out?`,
	} {
		err := flagError(cmd, cmd.ParseFlags([]string{arg}))
		if err == nil || err.Error() != want || strings.Contains(err.Error(), "strconv") {
			t.Errorf("%s: %v", arg, err)
		}
	}
	if err := flagError(cmd, pflag.ErrHelp); !errors.Is(err, pflag.ErrHelp) {
		t.Error(err)
	}
}
