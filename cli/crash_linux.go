package cli

import "golang.org/x/sys/unix"

// preventCoreFile prevents core files. It also prevents core dumps from being piped to a program, which a limit of 0
// bytes does not. Other processes of this user can no longer read the memory either. Programs that are run are not
// affected after their exec.
func preventCoreFile() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
