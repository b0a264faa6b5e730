// Package authority is the certification authority's domain: stores, domains,
// certifications and the badge ladder, with their rules as pure functions. Its
// source is the VendWeave Certification Authority contract, version 1.0.0. No
// input or output.
package authority

import (
	"github.com/vecctl/vecctl/pkg/fault"
)

// Code is an error code of the contract ("Error Codes").
type Code string

// The contract's codes, and three of our own for what it does not name.
const (
	Unauthorized     Code = "UNAUTHORIZED"
	InvalidDomain    Code = "INVALID_DOMAIN"
	NotFound         Code = "NOT_FOUND"
	AlreadyCertified Code = "ALREADY_CERTIFIED"
	CannotRenew      Code = "CANNOT_RENEW"
	SDKOutdated      Code = "SDK_OUTDATED"
	RateLimited      Code = "RATE_LIMITED"
	ServerError      Code = "SERVER_ERROR"

	InvalidRequest Code = "INVALID_REQUEST" // the body or the query is not what the contract describes
	NotQualified   Code = "NOT_QUALIFIED"   // the snapshot earns no badge at all
	Forbidden      Code = "FORBIDDEN"       // plain HTTP from another machine
)

// kindOf is what a caller can do about a code.
func kindOf(code Code) fault.Kind {
	switch code {
	case Unauthorized:
		return fault.Unauthenticated
	case NotFound:
		return fault.NotFound
	case AlreadyCertified:
		return fault.Conflict
	case CannotRenew:
		return fault.Illegal
	case RateLimited:
		return fault.Unavailable
	case Forbidden:
		return fault.Forbidden
	case InvalidDomain, SDKOutdated, InvalidRequest, NotQualified:
		return fault.Invalid
	case ServerError:
	}
	return fault.Internal
}

// ContractError is an error with a code of the contract.
type ContractError struct {
	Code  Code
	cause *fault.Error
}

// NewContractError makes a refusal with a message for people.
func NewContractError(code Code, message string) *ContractError {
	return &ContractError{code, fault.New(kindOf(code), message)}
}

// Error is the message.
func (r *ContractError) Error() string { return r.cause.Message }

// Unwrap gives it its kind.
func (r *ContractError) Unwrap() error { return r.cause }

// ErrInvalidCredentials is the answer to credentials that are missing, wrong or disabled. It
// does not reveal which.
func ErrInvalidCredentials() error { return NewContractError(Unauthorized, "Invalid API credentials") }

// ErrDomainNotRegistered is the answer for a domain that the store has not registered,
// whether or not another has.
func ErrDomainNotRegistered() error {
	return NewContractError(InvalidDomain, "Domain is not registered in VendWeave Dashboard")
}

// ErrNoCertification is the answer for a domain or a hash without one.
func ErrNoCertification() error {
	return NewContractError(NotFound, "No certification found for this domain")
}
