// Package open opens the store that a URL names. It is the one place that knows which
// kinds of stores there are.
package open

import (
	"regexp"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

// File returns the URL of the embedded store in a file.
func File(path string) string { return "file:" + path }

// scheme is what a URL begins with. One letter is a drive of Windows.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:`)

// Store opens the store that a URL names, and makes it when there is none:
//
//	/path, path, file:path, bolt:path    the embedded store in a file
//
// What follows the scheme is the path as it is, without escapes. Any other scheme is
// Invalid. Store waits at most wait for another process that has the store to itself; then
// the error's kind is Locked.
func Store(url string, wait time.Duration) (store.Store, error) {
	kind := strings.ToLower(scheme.FindString(url))
	rest := url[len(kind):]
	switch kind {
	case "", "file:", "bolt:":
		path := strings.TrimPrefix(rest, "//")
		if path == "" {
			return nil, fault.Newf(fault.Invalid, "the store %q names no file; give a path, such as file:/srv/vecctl/vault.db", url)
		}
		s, err := bolt.Open(path, wait)
		if err != nil {
			return nil, err // not s: a nil *bolt.Store would be no nil store.Store
		}
		return s, nil
	}
	return nil, fault.Newf(fault.Invalid, "the store %q is of a kind that this vecctl does not know; "+
		"it knows the embedded store: give a path, file:PATH or bolt:PATH", kind+"...")
}
