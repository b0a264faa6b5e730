package vault_test

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

// The state that an event says is the one that its transition leaves.
func TestEventsSayTheStateThatTheyLeave(t *testing.T) {
	for _, test := range []struct {
		event  vault.EventType
		source vault.Source
		want   vault.Status
	}{
		{vault.EventCreated, vault.FromVault, vault.Processing},
		{vault.EventCreated, vault.FromCustomer, vault.Pending},
		{vault.EventInReview, vault.FromCustomer, vault.InReview},
		{vault.EventProcessing, vault.FromCustomer, vault.Processing},
		{vault.EventRejected, vault.FromCustomer, vault.Rejected},
		{vault.EventApproved, vault.FromVault, vault.Approved},
		{vault.EventFailed, vault.FromVault, vault.Failed},
		{vault.EventRetried, vault.FromVault, vault.Processing},
		{vault.EventRevoked, vault.FromVault, vault.Revoked},
		{vault.EventSuperseded, vault.FromVault, ""},
		{vault.EventErased, vault.FromVault, ""},
		{"store_certification.created", vault.FromVault, ""},
	} {
		if got := test.event.ResultingStatus(test.source); got != test.want {
			t.Errorf("%s of %s leaves %q, want %q", test.event, test.source, got, test.want)
		}
	}
}
