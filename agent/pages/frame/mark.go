package frame

import "github.com/vecctl/vecctl/pkg/vault"

// Mark is a sign beside the words that say what a certificate counts for.
func Mark(s vault.Standing) string {
	switch s {
	case vault.Genuine:
		return "\u2713"
	case vault.Superseded:
		return "\u21bb"
	case vault.Unfinished:
		return "\u2026"
	case vault.Unknown:
		return "?"
	case vault.TakenBack, vault.Unissued, vault.Withdrawn:
	}
	return "\u2715"
}
