package cli

import "golang.org/x/sys/unix"

// preventCoreFile lets no core file be written, nor be handed to a program, which a limit of 0 bytes does not prevent.
// Nor can other processes of this user read the memory any more. Commands that are run are not concerned: they are as
// before from their exec on.
func preventCoreFile() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
