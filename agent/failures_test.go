package agent_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// What fails in these tests is what waits when its batch is cancelled: the vault
// does not work before it is told to.
func cancelledBatch(t *testing.T, c *adminclient.Client, n int) client.BulkReport {
	t.Helper()
	report := issue(t, c, manifestOf(t, n))
	if _, err := c.ActOnBatch(t.Context(), report.BatchID, adminclient.CancelBatch); err != nil {
		t.Fatal(err)
	}
	return report
}

func TestFailuresAreGroupedByCause(t *testing.T) {
	t.Parallel()
	c, _ := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	if groups, err := c.Failures(t.Context(), ""); err != nil || len(groups) != 0 {
		t.Fatalf("%+v, %v in an empty vault", groups, err)
	}
	report := cancelledBatch(t, c, 5)
	for _, batch := range []string{"", report.BatchID} {
		groups, err := c.Failures(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) != 1 || groups[0].Code != "cancelled" || groups[0].Count != 5 ||
			!strings.Contains(groups[0].Reason, "cancelled before") || groups[0].Fix == "" {
			t.Errorf("groups %+v", groups)
		}
	}
	page, err := c.FailedFor(t.Context(), "cancelled", "", 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Data) != 2 || page.Meta.Total != 5 || page.Meta.LastPage != 3 || *page.Meta.From != 3 || page.Data[0].Name != "Person 2" {
		t.Errorf("page %+v", page)
	}
	// One of the first page leaves the list; the next page is read on from its last one.
	first, err := c.FailedFor(t.Context(), "cancelled", "", 1, 2)
	if err != nil || len(first.Data) != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := c.Retry(t.Context(), first.Data[0].UUID); err != nil {
		t.Fatal(err)
	}
	next, err := c.FailedFor(t.Context(), "cancelled", first.Data[1].UUID, 1, 2)
	if err != nil || len(next.Data) != 2 || next.Data[0].Name != "Person 2" || next.Meta.Total != 3 {
		t.Errorf("behind the first page: %+v, %v", next, err)
	}
	if _, err := c.FailedFor(t.Context(), "cancelled", "0198b1a4-0000-7000-8000-000000000000", 1, 2); !fault.Is(err, fault.NotFound) {
		t.Errorf("behind a certificate that does not exist: %v", err)
	}
	if page, err := c.FailedFor(t.Context(), "encrypted", "", 1, 2); err != nil || len(page.Data) != 0 || page.Meta.Total != 0 {
		t.Errorf("another cause has %+v, %v", page, err)
	}
	if _, err := c.FailedFor(t.Context(), "cancelled", "", 1, 101); err == nil {
		t.Error("a page of 101 is given")
	}
}

func TestManyAreRetriedAtOnce(t *testing.T) {
	t.Parallel()
	c, _ := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	cancelledBatch(t, c, 70)
	page, err := c.List(t.Context(), client.Filter{PerPage: 3})
	if err != nil {
		t.Fatal(err)
	}
	named := adminclient.Selection{UUIDs: []string{page.Data[0].UUID, page.Data[1].UUID, "0198b1a4-0000-7000-8000-000000000000"}}
	report, err := c.RetrySelected(t.Context(), named)
	if err != nil || report.Retried != 2 || len(report.Refused) != 1 || report.Refused[0].UUID != named.UUIDs[2] {
		t.Fatalf("%+v, %v", report, err)
	}
	report, err = c.RetrySelected(t.Context(), adminclient.Selection{UUIDs: named.UUIDs[:1]})
	if err != nil || report.Retried != 0 || len(report.Refused) != 1 || !strings.Contains(report.Refused[0].Message, "processing") {
		t.Errorf("what is processed already: %+v, %v", report, err)
	}
	report, err = c.RetrySelected(t.Context(), adminclient.Selection{Code: "cancelled"})
	if err != nil || report.Retried != 68 || len(report.Refused) != 0 {
		t.Errorf("the group: %+v, %v", report, err)
	}
	if _, err := c.RetrySelected(t.Context(), adminclient.Selection{}); err == nil {
		t.Error("nothing named is retried")
	}
}

func TestAStoryHasAllEvents(t *testing.T) {
	t.Parallel()
	c, work := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	cancelledBatch(t, c, 1)
	page, err := c.List(t.Context(), client.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	name := page.Data[0].ReferenceID
	if _, err := c.Retry(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	work()
	heard(t, c, "0", func(m adminclient.Message) bool {
		return m.Certificate != nil && strings.HasSuffix(m.Certificate.Event, ".approved")
	})
	story, err := c.History(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range story.Events {
		_, what, _ := strings.Cut(e.Event, ".")
		told = append(told, what)
	}
	if got := strings.Join(told, " "); got != "created failed retried approved" {
		t.Errorf("events %q", got)
	}
	if len(story.Chain) != 1 || story.Certificate.Status.Value != "approved" {
		t.Errorf("story %+v", story)
	}
	if _, err := c.History(t.Context(), "VEC-IC-2026AAAAAAAAAAAAA"); err == nil {
		t.Error("a certificate that does not exist has a story")
	}
}

// Others see what one of the staff does to a batch, though no certificate changes.
func TestActsOnABatchAreTold(t *testing.T) {
	t.Parallel()
	c, _ := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	report := issue(t, c, manifestOf(t, 2))
	begun := make(chan struct{})
	acted := make(chan error, 1)
	go func() {
		<-begun
		_, err := c.ActOnBatch(t.Context(), report.BatchID, adminclient.PauseBatch)
		acted <- err
	}()
	heard(t, c, "", func(m adminclient.Message) bool {
		if m.Snapshot != nil {
			close(begun)
		}
		return m.Batch != nil && m.Batch.Status == "paused"
	})
	if err := <-acted; err != nil {
		t.Error(err)
	}
}
