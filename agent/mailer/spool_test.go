package mailer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/mail"
)

// TestTheEndDoesNotWaitForTheSpool has many mails written when the end was asked
// for: the spool gathers them and does not rest in between.
func TestTheEndDoesNotWaitForTheSpool(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		spool := mailer.NewSpool(folder)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				m := mail.Message{From: "a@example.org", To: "b@example.org", MessageID: fmt.Sprintf("%d.1@example.org", i+1), Date: begun}
				if err := spool.Send(ctx, m); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took != 0 {
			t.Errorf("the spool rested for %s", took)
		}
	})
}
