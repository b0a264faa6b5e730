package remotebulk

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// duplicateText is the guide's text for a certificate that exists already (step 4).
const duplicateText = vault.DuplicateMessage

// entryField is what a server calls an entry, or a field of one.
var entryField = regexp.MustCompile(`^entries\.(\d{1,6})(?:\.([a-z_.]+))?$`)

// refusal is what a vault says about the entries of a call that it refused.
type refusal struct {
	duplicates []bool   // entries that exist
	lost       []bool   // entries whose files the vault no longer has
	problems   []string // what else is wrong with an entry
	// bareDuplicate is set if some entry exists and the vault does not say which.
	bareDuplicate bool
	// unnamed is set if something is wrong that concerns no entry.
	unnamed bool
}

// readRefusal sorts what a vault says about n entries.
func readRefusal(e *client.Error, n int) refusal {
	r := refusal{duplicates: make([]bool, n), lost: make([]bool, n), problems: make([]string, n)}
	for name, messages := range e.Errors {
		text := strings.Join(messages, " ")
		m := entryField.FindStringSubmatch(name)
		entry := n
		if m != nil {
			entry, _ = strconv.Atoi(m[1])
		}
		switch {
		case entry >= n && isDuplicate(text):
			r.bareDuplicate = true
		case entry >= n:
			r.unnamed = true
		case isDuplicate(text):
			r.duplicates[entry] = true
		case m[2] == "file_id" || m[2] == "" && isLostFile(text):
			r.lost[entry] = true
		case r.problems[entry] == "":
			r.problems[entry] = text
		}
	}
	if len(e.Errors) > 0 {
		return r
	}
	switch {
	case isDuplicate(e.Message):
		r.bareDuplicate = true
	case isLostFile(e.Message):
		for i := range r.lost {
			r.lost[i] = true
		}
	default:
		r.unnamed = true
	}
	return r
}

func isDuplicate(text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(duplicateText))
}

func isLostFile(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "file_id") && (strings.Contains(text, "not found") || strings.Contains(text, "resolved") ||
		strings.Contains(text, "invalid") || strings.Contains(text, "expired"))
}

// messageOf is what an error says to a person.
func messageOf(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}
