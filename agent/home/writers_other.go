//go:build !unix

package home

// CheckWriters checks nothing here: who may write is a matter of access control lists, which are not
// read. docs/operator.md says so.
func (d Dir) CheckWriters() error { return nil }

// CheckCommand checks nothing here, for the same reason.
func CheckCommand(string) error { return nil }
