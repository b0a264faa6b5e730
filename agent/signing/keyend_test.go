package signing

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

type oneKey struct{ stamper *pdf.Stamper }

func (k oneKey) Stamper(uint32) (*pdf.Stamper, error)   { return k.stamper, nil }
func (oneKey) LogKey(uint32) (*transparency.Key, error) { return nil, nil }
func (oneKey) Links() vault.Links                       { return vault.Links{} }

// A key that has ended signs nothing, and its documents wait instead of failing.
func TestAnEndedKeyHoldsTheWork(t *testing.T) {
	made := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "Test University", made, 1)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	stamper := pdf.NewStamper(signer)
	if err := checkKey(stamper, made.AddDate(1, 0, 0)); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	now := made.AddDate(1, 0, 1)
	s := &Signer{Institutions: oneKey{stamper}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	change, err := s.Sign(t.Context(), vault.Certificate{Status: vault.Processing})
	if err == nil || change != nil || !strings.Contains(err.Error(), "ended on 2027-05-02") {
		t.Fatalf("signed with an ended key: %v", err)
	}
	reported := 0
	alarm := &recordedAlarm{}
	p := New(nil, nil, Options{Now: s.Now, Log: s.Log, OnError: func(error) { reported++ }, Holds: NewHolds(alarm)})
	for range 10 {
		got := p.settlementOf(task{job: vault.Job{Attempt: 9}}, nil, err)
		if !got.Release || got.Retry || got.Change != nil || !got.Job.RunAt.Equal(now.Add(holdRetry)) || !strings.Contains(got.Job.LastError, "ended on") {
			t.Fatalf("%+v", got)
		}
	}
	if reported != 10 {
		t.Errorf("reported %d times", reported)
	}
	if !strings.Contains(alarm.message, "Test University ended on 2027-05-02") {
		t.Errorf("staff see %q", alarm.message)
	}
}
