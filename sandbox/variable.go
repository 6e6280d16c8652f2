package sandbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ofVariables begins the names of the variables that syncctl takes values of the configuration's variables from.
const ofVariables = "SYNCCTL_VAR_"

var variableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// given are the words that the name of a variable may end in: what the simulated servers give.
var given = []string{
	"ADDRESS", "CA", "CERT", "CERTIFICATE", "HOST", "HOSTS", "KEY", "LOGIN", "NAME", "PASS", "PASSWORD", "PLAIN", "PORT",
	"SSH", "TLS", "TOKEN", "URL", "USER",
}

// ofPrograms are those of such names that a program takes for a command to run, or for who somebody is.
var ofPrograms = []string{"GIT_SSH", "SVN_SSH", "USER", "LOGNAME", "NAME", "HOST"}

// checkVariable refuses a variable that a seed may not set. A seed is a file that others may have written, and what it
// sets is seen by shells and programs, and by syncctl itself: LD_PRELOAD, BASH_ENV or SYNCCTL_LOG_PATH would do
// something there.
func checkVariable(name string) error {
	if !variableName.MatchString(name) {
		return fmt.Errorf("the variable %q: its name has letters, digits and _, and begins with a letter", name)
	}
	upper := strings.ToUpper(name)
	if strings.HasPrefix(name, ofVariables) && len(name) > len(ofVariables) {
		return nil
	}
	words := strings.Split(upper, "_")
	if strings.HasPrefix(upper, "SYNCCTL_") || slices.Contains(ofPrograms, upper) ||
		!slices.Contains(given, words[len(words)-1]) {
		return fmt.Errorf("the variable %s may mean something to other programs: use %sNAME, or a name that ends in _%s",
			name, ofVariables, strings.Join(given, ", _"))
	}
	return nil
}
