package remotebulk_test

import (
	"os"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/vault"
)

// find looks rows up that were sent.
func (s *sender) find(what string, items []remotebulk.Item, statuses ...client.RowStatus) []remotebulk.Outcome {
	s.Helper()
	u := remotebulk.Uploader{Client: s.client(), Now: s.clock, Sleep: s.sleep}
	outcomes, err := u.Find(s.Context(), items)
	if err != nil {
		s.Fatal(err)
	}
	for i, o := range outcomes {
		if want := statuses[min(i, len(statuses)-1)]; o.Status != want {
			s.Errorf("%s: row %d is %s (%s), want %s", what, i+1, o.Status, o.Error, want)
		}
	}
	return outcomes
}

// TestFresh sends rows that the journal does not know without looking them up, where the vault
// names those that exist; what exists with other content is not taken for the row's.
func TestFresh(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		s.fresh, s.noWait = true, true
		rows := people(40)
		strangers := people(230)
		for i := range strangers {
			strangers[i].Title = "Other"
			s.server.Issue(strangers[i].Vault())
		}
		other := rows[7]
		other.Name = "Somebody Else"
		s.server.Issue(other.Vault(), rows[8].Vault())
		s.server.Set(clienttest.Faults{Dates: true, ProcessFor: 3})
		want := make([]client.RowStatus, len(rows))
		for i := range want {
			want[i] = client.RowProcessing
		}
		want[7], want[8] = client.RowRejected, client.RowUnchanged
		s.want("the first run", rows, want...)
		if n := s.server.Calls("list"); n > 12 {
			t.Errorf("%d list calls for 40 rows", n)
		}
		s.once(rows, len(strangers))
		s.server.Finish()
		outcomes := s.find("later", itemsOf(rows), client.RowIssued)
		if c := outcomes[3].Certificate; c.Email != rows[3].Email || !c.Status.Is(vault.Approved) {
			t.Errorf("%+v", c)
		}
	})
}

// TestFreshAnswerLost has the answer to the call lost. The next run finds the rows and sends none
// of them again.
func TestFreshAnswerLost(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		s.fresh, s.noWait = true, true
		rows := people(12)
		s.server.Set(clienttest.Faults{Dates: true, LoseBulk: 9, OneDuplicate: true})
		_, _ = s.run(rows)
		s.server.Set(clienttest.Faults{Dates: true})
		s.want("the next run", rows, client.RowUnchanged)
		s.once(rows, 0)
	})
}

// TestFindWithoutDates tells a certificate from an earlier one of the same person and title
// although the vault shows no dates.
func TestFindWithoutDates(t *testing.T) {
	t.Parallel()
	s := newSender(t, clienttest.Guide(t))
	s.fresh, s.noWait = true, true
	rows := people(3)
	earlier := rows[1]
	earlier.IssueDate = "2025-06-01"
	s.server.Issue(earlier.Vault())
	s.server.Set(clienttest.Faults{HideFor: 1 << 20})
	s.wait = 1
	outcomes := s.want("sent", rows, client.RowProcessing)
	if len(outcomes[0].Others) != 0 || len(outcomes[1].Others) != 1 {
		t.Fatalf("others: %v, %v", outcomes[0].Others, outcomes[1].Others)
	}
	items := itemsOf(rows)
	items[1].Others = outcomes[1].Others
	s.find("not listed yet", items, client.RowProcessing)
	s.server.Finish()
	found := s.find("listed", items, client.RowIssued)
	if found[1].Certificate.UUID == outcomes[1].Others[0] {
		t.Error("the earlier certificate is taken for the row's")
	}
}

// TestForget empties the journal once nothing in it is needed.
func TestForget(t *testing.T) {
	t.Parallel()
	s := newSender(t, clienttest.Reference(t))
	s.per = 2
	s.want("a run", people(4), client.RowIssued)
	journal, err := remotebulk.OpenJournal(s.notes, "2026-06-04")
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	size := func() int {
		content, err := os.ReadFile(s.notes)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(content), "\n")
	}
	all := size()
	if err := journal.Forget(1, 2, 3); err != nil || size() != all || len(journal.Rows()) != 2 {
		t.Errorf("%d lines of %d, rows %v, %v", size(), all, journal.Rows(), err)
	}
	if err := journal.Forget(4); err != nil || size() != 0 || len(journal.Rows()) != 0 {
		t.Errorf("%d lines, rows %v, %v", size(), journal.Rows(), err)
	}
}
