package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/kballard/go-shellquote"
	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// draftFile is the name of the file that init writes.
const draftFile = "main.sync.hcl"

// The questions that every draft has.
const (
	productQuestion = "product"
	secretsQuestion = "passwords"
)

// interview is the making of one first configuration.
type interview struct {
	*command

	drafts  []driver.Draft
	given   map[string]string // with -set
	answers map[string]string
}

// initAsk writes a first configuration, and asks for missing answers.
func (c *command) initAsk(ctx context.Context, set []string, dir string) error {
	i := &interview{command: c, given: map[string]string{}, answers: map[string]string{}, drafts: c.drafts()}
	if len(i.drafts) == 0 {
		return failf(exitError, "the products of this program have no questions; give -example=NAME")
	}
	there, err := c.configurationIn(dir)
	switch {
	case err != nil:
		return err
	case there != "":
		return failf(exitError, "nothing was written: %s is a configuration already. Name another folder, as in "+
			"`syncctl init ... DIR`", there)
	}
	for _, text := range set {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return failf(exitError, "-set is written NAME=VALUE, not %q", text)
		}
		i.given[strings.TrimSpace(name)] = value
	}
	d, err := i.run(ctx)
	if err != nil {
		return err
	}
	return i.finish(ctx, d, dir)
}

// drafts returns the drafts of all products.
func (c *command) drafts() []driver.Draft {
	var out []driver.Draft
	_, drivers := c.catalog()
	for _, d := range drivers {
		if drafter, ok := d.(driver.Drafter); ok {
			out = append(out, drafter.Drafts()...)
		}
	}
	slices.SortFunc(out, func(a, b driver.Draft) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b driver.Draft) bool { return a.Name == b.Name }) // a driver has several types
}

// configurationIn returns a file of a configuration in a folder, or "" if there is none. The folder may be missing.
func (c *command) configurationIn(dir string) (string, error) {
	infos, err := afero.ReadDir(c.files(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("nothing was written: looking for a configuration in %s: %w", dir, err)
	}
	for _, info := range infos {
		if strings.HasSuffix(info.Name(), ".sync.hcl") || strings.HasSuffix(info.Name(), ".sync.hcl.json") {
			return schema.SanitizeLine(info.Name()), nil
		}
	}
	return "", nil
}

// completeAnswers returns the completions of -set: the choices, and the names of other questions.
func (c *command) completeAnswers() []cobra.Completion {
	i := &interview{command: c, drafts: c.drafts()}
	seen := map[string]bool{}
	var out []cobra.Completion
	offer := func(word, text string) {
		if !seen[word] {
			seen[word] = true
			out = append(out, cobra.CompletionWithDesc(word, text))
		}
	}
	for n := range i.drafts {
		for _, q := range i.questions(&i.drafts[n]) {
			for _, choice := range q.Choices {
				offer(q.Name+"="+choice.Value, choice.Text)
			}
			if len(q.Choices) == 0 {
				offer(q.Name+"=", q.Text)
			}
		}
	}
	return out
}

// questions returns all questions of a draft.
func (i *interview) questions(d *driver.Draft) []driver.Question {
	which := driver.Question{Name: productQuestion, Text: "What is synchronized?"}
	for _, one := range i.drafts {
		which.Choices = append(which.Choices, driver.Choice{Value: one.Name, Text: one.Summary})
	}
	if len(i.drafts) == 1 {
		which.Default = i.drafts[0].Name
	}
	all := []driver.Question{which}
	if d != nil {
		all = append(all, d.Questions...)
		all = append(all, driver.Question{Name: secretsQuestion, Text: "Where do passwords and tokens come from?",
			Default: "typed", Choices: []driver.Choice{
				{Value: "typed", Text: "a person types them when they are needed"},
				{Value: "environment", Text: "variables of the environment, as in CI"},
				{Value: "command", Text: "a program prints them, such as a password manager"},
			}})
	}
	return all
}

// draft returns the chosen draft, or nil before one is chosen.
func (i *interview) draft() *driver.Draft {
	at := slices.IndexFunc(i.drafts, func(d driver.Draft) bool { return d.Name == i.answers[productQuestion] })
	if at < 0 {
		return nil
	}
	return &i.drafts[at]
}

// leads reports whether the answers so far lead to a question.
func (i *interview) leads(q driver.Question) bool {
	for _, when := range q.When {
		name, values, _ := strings.Cut(when, "=")
		if !slices.Contains(strings.Split(values, "|"), i.answers[name]) {
			return false
		}
	}
	return true
}

// run collects all answers, from flags and from the person. Without a person, it reports everything that is missing at
// once.
func (i *interview) run(ctx context.Context) (*driver.Draft, error) {
	ask := i.app.tty.in && i.app.tty.err && i.mayAsk() && !i.flags.json
	var missing []string
	for n := 0; n < len(i.questions(i.draft())); n++ {
		q := i.questions(i.draft())[n]
		value, given := i.given[q.Name]
		switch {
		case !i.leads(q):
			continue
		case given:
			if err := wrongAnswer(q, value); err != nil {
				return nil, failf(exitError, "-set=%s=%s: %w", q.Name, value, err)
			}
		case ask:
			var err error
			if value, err = i.ask(ctx, q); err != nil {
				return nil, err
			}
		case q.Default != "":
			value = q.Default
		default:
			missing = append(missing, flagFor(q))
		}
		i.answers[q.Name] = value
	}
	if err := i.unknown(); err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, failf(exitError, "nobody can be asked. Give the rest as flags, or -example=NAME for an example:\n%s",
			strings.Join(missing, "\n"))
	}
	return i.draft(), nil
}

// unknown returns an error if there are answers to questions that are not asked.
func (i *interview) unknown() error {
	for _, name := range slices.Sorted(maps.Keys(i.given)) {
		if _, asked := i.answers[name]; asked {
			continue
		}
		var names []string
		for _, q := range i.questions(i.draft()) {
			if q.Name == name && i.answers[productQuestion] != "" {
				return failf(exitError, "-set=%s: the other answers do not lead to this question: it is for %s", name,
					strings.Join(q.When, " and "))
			}
			names = append(names, q.Name)
		}
		if i.answers[productQuestion] != "" {
			return failf(exitError, "-set: there is no question %q.%s", name,
				args.DidYouMean(name, names, " There are: "+strings.Join(names, ", ")))
		}
	}
	return nil
}

// flagFor returns the flag that answers a question without a person.
func flagFor(q driver.Question) string {
	value := "..."
	if len(q.Choices) > 0 {
		var values []string
		for _, choice := range q.Choices {
			values = append(values, choice.Value)
		}
		value = strings.Join(values, "|")
	}
	return "  -set=" + q.Name + "=" + value + "  " + q.Text
}

func wrongAnswer(q driver.Question, value string) error {
	if strings.TrimSpace(value) == "" {
		return errors.New("an answer is needed")
	}
	if len(q.Choices) > 0 && !slices.ContainsFunc(q.Choices, func(c driver.Choice) bool { return c.Value == value }) {
		var values []string
		for _, c := range q.Choices {
			values = append(values, c.Value)
		}
		return fmt.Errorf("one of these is needed: %s", strings.Join(values, ", "))
	}
	if q.Check != nil {
		return q.Check(value)
	}
	return nil
}

// ask repeats a question until the answer is valid.
func (i *interview) ask(ctx context.Context, q driver.Question) (string, error) {
	fmt.Fprintln(i.err, i.errStyle.Bold(q.Text))
	for _, choice := range q.Choices {
		fmt.Fprintf(i.err, "  %-12s %s\n", choice.Value, choice.Text)
	}
	for {
		prompt := "  Enter a value: "
		if q.Default != "" {
			prompt = "  Enter a value (" + q.Default + "): "
		}
		fmt.Fprint(i.err, prompt)
		value, err := i.app.input.Read(ctx)
		if err != nil {
			fmt.Fprintln(i.err)
			return "", err
		}
		if value = strings.TrimSpace(value); value == "" {
			value = q.Default
		}
		err = wrongAnswer(q, value)
		if err == nil {
			return value, nil
		}
		fmt.Fprintf(i.err, "  %s.\n", schema.SanitizeLine(err.Error()))
	}
}

// finish writes the configuration, if it is valid, and says what to do next.
func (i *interview) finish(ctx context.Context, d *driver.Draft, dir string) error {
	text, err := draftText(d, i.answers)
	if err != nil {
		return err
	}
	mem := afero.NewMemMapFs()
	if err := afero.WriteFile(mem, draftFile, text, 0o600); err != nil {
		return err
	}
	catalog, _ := i.catalog()
	cfg, diags := schema.Load(ctx, schema.Options{
		Fs: mem, Dir: ".", Catalog: catalog, Env: i.app.env, AllowUnset: true, Version: version(),
	})
	if err := i.diagnostics(diags, cfg.Files); err != nil {
		return err
	}
	if diags.HasErrors() {
		return failf(exitError, "nothing was written: the answers do not make a valid configuration")
	}
	texts := map[string][]byte{draftFile: text}
	if err := i.create(texts, i.abs(dir)); err != nil {
		return err
	}
	doctor, plan := i.next(cfg.Variables(), dir)
	if done, err := i.initialized(dir, texts, cfg.Variables(), doctor, plan); done {
		return err
	}
	i.say("Wrote %s to %s. Read it, and put in what you want to be synchronized.", draftFile, schema.SanitizeLine(dir))
	i.saySecrets(cfg.Variables())
	i.say("  %s", doctor)
	i.say("  %s", plan)
	return nil
}

// next returns the commands to run next.
func (i *interview) next(secrets []string, dir string) (doctor, plan string) {
	in, flags := "", ""
	if dir != "." {
		in = " -chdir=" + shellquote.Join(dir)
	}
	if i.answers[secretsQuestion] == "command" {
		for _, name := range secrets {
			flags += " -var-command='" + name + "=COMMAND'"
		}
	}
	return "syncctl" + in + " doctor" + flags, "syncctl" + in + " plan" + flags
}

// saySecrets explains how to supply the secrets.
func (i *interview) saySecrets(secrets []string) {
	switch i.answers[secretsQuestion] {
	case "environment":
		i.say("\nThe secrets come from the environment:")
		for _, name := range secrets {
			i.say("  SYNCCTL_VAR_%s", name)
		}
	case "command":
		i.say("\nFor each COMMAND put the program that prints the secret, such as pass show NAME:")
	default:
		i.say("\nThe secrets are asked for when they are needed:")
	}
}

// draftText returns the configuration for the answers, formatted.
func draftText(d *driver.Draft, answers map[string]string) ([]byte, error) {
	filled := map[string]string{}
	for _, q := range d.Questions {
		filled[q.Name] = answers[q.Name]
	}
	quote := func(text string) string { return string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes()) }
	t, err := template.New(d.Name).Option("missingkey=error").Funcs(template.FuncMap{"q": quote}).Parse(d.Template)
	if err != nil {
		return nil, fmt.Errorf("the configuration for %s: %w", d.Name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, filled); err != nil {
		return nil, fmt.Errorf("the configuration for %s: %w", d.Name, err)
	}
	text, diags := schema.Format(draftFile, append(bytes.TrimSpace(b.Bytes()), '\n'))
	if diags.HasErrors() {
		return nil, fmt.Errorf("the configuration for %s: %w", d.Name, diags)
	}
	return text, nil
}
