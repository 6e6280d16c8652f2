package cli

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// newServer holds the flags of import that declare a server.
type newServer struct {
	url, user, caFile string
	token             bool
}

func (n *newServer) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.url, "url", "", "declare SERVER, which is not declared yet, with this `URL`")
	cmd.Flags().StringVar(&n.user, "user", "", "with -url: the `NAME` of the user, who has a password")
	cmd.Flags().BoolVar(&n.token, "token", false, "with -url and -user: the user has a token instead of a password")
	cmd.Flags().StringVar(&n.caFile, "ca-file", "", "with -url: the `FILE` of the CAs that are trusted in addition to "+
		"the system's, in the folder or with an absolute path")
}

// newServerFile is the name that diagnostics have for a server that is declared by flags.
const newServerFile = "-url" + configurationSuffix

// declareNew declares a server by flags for the whole command, and returns its text. It returns nil without -url.
func (c *command) declareNew(server string, n *newServer) ([]byte, error) {
	if n.url == "" {
		rest := []flagGiven{{"-user", n.user != ""}, {"-token", n.token}, {"-ca-file", n.caFile != ""}}
		if name := given(rest); name != "" {
			return nil, failf(exitError, "%s is about a server that is declared by flags: add -url=URL", name)
		}
		return nil, nil
	}
	addr, err := schema.ParseAddr(server)
	if err != nil || addr.Kind != schema.Server || addr.All() != addr || addr.Module != "" {
		return nil, failf(exitError, "-url declares a server, as server.TYPE.NAME, and not %q", server)
	}
	catalog, _ := c.catalog()
	if catalog.Lookup(addr.Kind, addr.Type) == nil {
		var types []string
		for i := range catalog {
			if catalog[i].Kind == schema.Server {
				types = append(types, catalog[i].Name)
			}
		}
		slices.Sort(types)
		return nil, failf(exitError, "there is no server %q.%s", addr.Type, args.DidYouMean(addr.Type, types, ""))
	}
	if err := driver.CheckURL(n.url); err != nil {
		return nil, failf(exitError, "-url: %w", err) // without its text, which may have a password
	}
	text := n.text(addr)
	c.added = map[string][]byte{newServerFile: text}
	return text, nil
}

// secret returns the argument for the secret, and the name of its variable.
func (n *newServer) secret(addr schema.Addr) (argument, variable string) {
	if argument = "password"; n.token || n.user == "" {
		argument = "token"
	}
	return argument, addr.Name + "_" + argument
}

// text returns the declaration of the server, and of the variable for its secret.
func (n *newServer) text(addr schema.Addr) []byte {
	argument, name := n.secret(addr)
	file := hclwrite.NewEmptyFile()
	variable := file.Body().AppendNewBlock("variable", []string{name}).Body()
	variable.SetAttributeRaw("type", hclwrite.TokensForIdentifier("string"))
	variable.SetAttributeValue("sensitive", cty.True)
	file.Body().AppendNewline()
	body := file.Body().AppendNewBlock(string(addr.Kind), []string{addr.Type, addr.Name}).Body()
	body.SetAttributeValue("url", cty.StringVal(n.url))
	if n.user != "" {
		body.SetAttributeValue("user", cty.StringVal(n.user))
	}
	body.SetAttributeRaw(argument, hclwrite.TokensForIdentifier("var."+name))
	if n.caFile != "" {
		body.SetAttributeValue("ca_file", cty.StringVal(n.caFile))
	}
	return hclwrite.Format(file.Bytes())
}

// secretWords says where the secret comes from.
func (n *newServer) secretWords(addr schema.Addr) string {
	argument, name := n.secret(addr)
	return "The " + argument + " was not written. Whoever plans gives the variable " + name + ", such as by SYNCCTL_VAR_" +
		name + ", or is asked for it."
}
