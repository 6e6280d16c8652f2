//go:build unix && !linux

package cli

import "golang.org/x/sys/unix"

// preventCoreFile prevents core files, of this process and of the commands that it runs.
func preventCoreFile() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	limit.Cur = 0
	return unix.Setrlimit(unix.RLIMIT_CORE, &limit)
}
