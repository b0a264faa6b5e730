package fsutil

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// DescribeDenied says that this process may not do something to a path, which user it runs
// as, and to which user the path belongs. An agent runs as a user of its own, so the person
// who gave the command may well have the right that is missing.
func DescribeDenied(path string) string {
	me, owner := userName(os.Geteuid()), ""
	if path != "" {
		owner = ownerOf(path)
	}
	switch {
	case me == "" || owner == "":
		return "permission denied; make the folder writable for this user, or name another with --home"
	case owner == me:
		return "permission denied to the user " + me + ", to whom it belongs; fix its rights (chmod u+rwX), or name another place"
	}
	return "permission denied to the user " + me + ", since it belongs to the user " + owner +
		"; run vecctl as " + owner + " (sudo -u " + owner + "), give " + me + " the right, or name another place"
}

// ownerOf is the user of the nearest folder on the way to a path that this
// process may look at; "" where it is not known.
func ownerOf(path string) string {
	for {
		if owner := Owner(path); owner != "" {
			return owner
		}
		parent := filepath.Dir(path)
		if parent == path {
			return ""
		}
		path = parent
	}
}

// Owner is the user to whom a file or folder belongs, by name or, where there is
// none, by number; "" where that cannot be told.
func Owner(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return userName(ownerID(info))
}

// userName is the name of a user, or the number where it has none; "" for a
// number below zero, which is that of systems without users of this kind.
func userName(id int) string {
	if id < 0 {
		return ""
	}
	number := strconv.Itoa(id)
	if found, err := user.LookupId(number); err == nil {
		return found.Username
	}
	return number
}
