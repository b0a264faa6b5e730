// Package store is the contract of persistence, in the terms of package vault: keep these
// certificates, apply this transition to that one, claim up to n jobs. Each noun has a
// file with its interface; Store is all of them. Package storetest is the contract as a
// test suite, and every store must pass it.
//
// What holds for every method:
//
//   - One call is one transaction, unless its comment says otherwise. It takes effect as a
//     whole or not at all, it is durable when the call returns, and every call that begins
//     later sees it.
//   - A context that has ended before the call is refused with its error and changes
//     nothing. One that ends meanwhile either interrupts the call, and then nothing is
//     changed and its error is returned, or has no effect.
//   - Errors are of package fault. NotFound, Conflict, Illegal, Invalid and Unavailable are
//     returned where the method's comment says so; Full and Damaged are of the disk
//     or the server; an error of a function that the caller passed in is returned as it is.
//   - Functions that the caller passes in must only compute. A store may run them inside a
//     transaction, so they must not call the store, and it may run them again.
package store

// Store is everything that is asked of a store. It is safe for concurrent use.
type Store interface {
	Accounts
	Applications
	AuditTrail
	Batches
	Certificates
	Corrections
	Deliveries
	Endpoints
	Events
	InboundEvents
	Institutions
	Logs
	Mails
	Maintenance
	Queue
	RowTables
	Tokens
	Uploads
}
