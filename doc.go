// Package syncctl holds no code. It is the root of the module, and the place of the test that keeps the house in order
// (layers_test.go). The program is cmd/syncctl; CONTRIBUTING.md says what lies where.
package syncctl
