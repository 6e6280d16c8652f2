package driver

import (
	"errors"
	"net/url"
)

// Drafter is a Driver that knows first configurations, for `syncctl init`.
type Drafter interface {
	Drafts() []Draft
}

// Draft is a first configuration: what has to be known for it, and its text.
type Draft struct {
	Name      string // what is synchronized, such as the product
	Summary   string // in one line
	Questions []Question

	// Template is the configuration as text/template has it, with the answers by their names: {{ q .url }} is an answer in
	// quotes. What is secret is a sensitive variable without a value: answers hold no secret.
	Template string
}

// Question is asked of a person, and answered by -set=NAME=VALUE where nobody is there.
type Question struct {
	Name    string
	Text    string
	Choices []Choice // none: any text
	Default string   // "": there is none

	// When are the answers that lead to it, each as NAME=VALUE or NAME=VALUE|VALUE, of questions before it. All of them
	// must have been given. None: it is always asked.
	When []string

	// Check says what is wrong with an answer. nil: nothing is.
	Check func(answer string) error
}

// Choice is one of several answers.
type Choice struct{ Value, Text string }

// CheckURL is for answers that are the base URL of a server.
func CheckURL(answer string) error {
	u, err := url.Parse(answer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("a URL like https://server.example is needed, without a user or password")
	}
	return nil
}
