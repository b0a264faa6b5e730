package doctor

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// signers has each signing key that lies in no file of the home sign a document for a test.
func (p Target) signers(ctx context.Context) (found []Finding) {
	const check = "signer"
	if p.Vault == nil {
		return nil // the check of the vault says why
	}
	keys, err := p.Vault.Keys(ctx)
	elsewhere := false
	for _, k := range keys {
		elsewhere = elsewhere || k.What == adminclient.InstitutionKey && k.Location != adminclient.InFile
	}
	if err != nil || !elsewhere {
		return nil
	}
	all, err := p.Vault.TestKeys(ctx)
	if err != nil {
		return failure(check, "see the message", "%s", errorText(err))
	}
	for _, k := range all {
		switch {
		case k.Location == adminclient.InFile:
		case k.Problem != "":
			found = append(found, failure(check, "correct the signer; certificates wait, and issuing goes on by itself", "the signing key of %s does not sign: %s", k.Of, k.Problem)...)
		default:
			found = append(found, ok(check, "the signing key of %s signs, in %s", k.Of, k.Location)...)
		}
	}
	return found
}
