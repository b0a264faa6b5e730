package layout

import "github.com/vecctl/vecctl/pkg/vault"

// Symbol is a sign beside the words that say what a certificate counts for.
func Symbol(s vault.Validity) string {
	switch s {
	case vault.ValidityGenuine:
		return "\u2713"
	case vault.ValiditySuperseded:
		return "\u21bb"
	case vault.ValidityExpired:
		return "\u231b\ufe0e"
	case vault.ValidityProcessing:
		return "\u2026"
	case vault.ValidityUnknown:
		return "?"
	case vault.ValidityRevoked, vault.ValidityFailed, vault.ValidityWithdrawn:
	}
	return "\u2715"
}
