// Package vault is the domain: what an institution, a draft, a certificate, a
// batch, an event and a job are, which drafts are valid, and how a certificate
// moves from one state to the next. Transitions are pure functions: they return
// the new value and its effects, and the caller commits both together.
// The package does no input or output.
//
// Field names, limits, status values and message texts are those of the VEC.digital
// Certificate Vault guide (steps 4 to 10).
package vault
