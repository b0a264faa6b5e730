// Package fault gives errors a kind. A kind says what a caller can do about an
// error; it is mapped to an HTTP status in one place for each API dialect and
// to an exit code in one place of the command line.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind sorts errors by what the person or program that meets them can do.
type Kind uint8

// The kinds of error.
const (
	Internal        Kind = iota // a bug or a failure with no better kind
	Invalid                     // the input is wrong and nothing was done
	NotFound                    // what was asked for does not exist here
	Conflict                    // another one like it exists, or is in flight
	Illegal                     // the present state does not allow the act
	Unauthenticated             // no valid credentials
	Forbidden                   // credentials without the needed permission
	Unavailable                 // not reachable, or busy: try again later
	Locked                      // another process holds the home
	Full                        // no space, or a place that cannot be written
	Damaged                     // stored data do not check out
)

// String names the kind in log lines.
func (k Kind) String() string {
	names := [...]string{"internal", "invalid", "not found", "conflict", "illegal",
		"unauthenticated", "forbidden", "unavailable", "locked", "full", "damaged"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", k)
}

// Field is a complaint about one named field of an input.
type Field struct {
	Name    string // as the caller spells it: "applicant_email", "entries.0.file_id"
	Message string // a sentence for a person
}

// Error is an error with a kind. Message speaks to a person: what failed,
// where, and what to do. Err, where set, is the cause; it is for logs and
// errors.Is, and its text is part of Error() but not of Message.
type Error struct {
	Kind    Kind
	Message string
	Fields  []Field
	Err     error
}

// New makes an error of a kind with a message for a person.
func New(kind Kind, message string) *Error {
	return &Error{Kind: kind, Message: message}
}

// Newf is New with a format.
func Newf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives err a kind and a message for a person. Wrap of nil is nil.
func Wrap(kind Kind, err error, message string) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Message: message, Err: err}
}

// At puts where something happened in front of an error's message: a file, a
// row. The kind stays. At of nil is nil.
func At(where string, err error) error {
	if err == nil {
		return nil
	}
	message, ok := Message(err)
	if !ok {
		return fmt.Errorf("%s: %w", where, err)
	}
	return &Error{Kind: KindOf(err), Message: where + ": " + message, Fields: FieldsOf(err), Err: errors.Unwrap(err)}
}

// InvalidFields makes an Invalid error out of complaints about fields; it is
// nil when there are none.
func InvalidFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Message
	}
	return &Error{Kind: Invalid, Message: strings.Join(parts, "; "), Fields: fields}
}

// Error is the message followed by the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost Error in err's chain, Internal when
// there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind. A nil error is of no kind.
func Is(err error, kind Kind) bool {
	return err != nil && KindOf(err) == kind
}

// FieldsOf returns the complaints about fields that err carries, nil for none.
func FieldsOf(err error) []Field {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fields
	}
	return nil
}

// Message returns what a person may read of err: the message of the outermost
// Error in its chain, without causes. ok is false when there is none, and then
// only a log may carry the text.
func Message(err error) (message string, ok bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message, true
	}
	return "", false
}
