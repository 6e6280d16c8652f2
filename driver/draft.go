package driver

import (
	"errors"
	"net/url"
)

// Drafter is a Driver with first configurations for `syncctl init`.
type Drafter interface {
	Drafts() []Draft
}

// Draft is a first configuration: the questions about it, and its text.
type Draft struct {
	Name      string // what is synchronized, such as the product
	Summary   string // in one line
	Questions []Question

	// Template is the configuration as a text/template. It refers to the answers by their names: {{ q .url }} is an
	// answer in quotes. A secret is a sensitive variable without a value, because answers hold no secrets.
	Template string
}

// Question is a question to a person. Without a person, -set=NAME=VALUE answers it.
type Question struct {
	Name    string
	Text    string
	Choices []Choice // if empty, any text is an answer
	Default string   // "" if there is none

	// When lists the answers to earlier questions that lead to this one, each as NAME=VALUE or NAME=VALUE|VALUE. All
	// of them must have been given. If it is empty, the question is always asked.
	When []string

	// Check returns an error if an answer is invalid. It may be nil.
	Check func(answer string) error
}

// Choice is one of several answers.
type Choice struct{ Value, Text string }

// CheckURL checks answers that are the base URL of a server.
func CheckURL(answer string) error {
	u, err := url.Parse(answer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("a URL like https://server.example is needed, without a user or password")
	}
	return nil
}
