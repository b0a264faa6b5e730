package dropfolder

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/fault"
)

func TestWhichBatchesWaitForAnother(t *testing.T) {
	of := func(folder, digest string) *stagedBatch {
		return &stagedBatch{Batch: &staging.Batch{Record: staging.Record{Folder: folder, Digest: digest}}}
	}
	tests := map[string]struct {
		one, other        *stagedBatch
		running, standing bool
		want              bool
	}{
		"the other has not begun":         {one: of("a", "1"), other: of("a", "1")},
		"of one folder":                   {one: of("a", "1"), other: of("a", "2"), running: true, want: true},
		"of one folder, the other stands": {one: of("a", "1"), other: of("a", "2"), running: true, standing: true},
		"of two folders":                  {one: of("a", "1"), other: of("b", "2"), running: true},
		"the same manifest":               {one: of("a", "1"), other: of("b", "1"), running: true, want: true},
		"the same manifest stands":        {one: of("a", "1"), other: of("b", "1"), running: true, standing: true, want: true},
	}
	for name, tt := range tests {
		tt.other.running, tt.other.isStalled = tt.running, tt.standing
		if got := tt.one.waitsFor(tt.other); got != tt.want {
			t.Errorf("%s: waits %v, want %v", name, got, tt.want)
		}
	}
}

func TestABatchThatStandsStillIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moves, ended := make(chan struct{}), make(chan struct{})
		go func() {
			for range 3 {
				time.Sleep(stallTime - time.Second)
				moves <- struct{}{}
			}
			time.Sleep(time.Hour)
			close(ended)
		}()
		began := time.Now()
		waitWhileMoving(t.Context(), moves, ended)
		if got, want := time.Since(began), 3*(stallTime-time.Second)+stallTime; got != want {
			t.Errorf("waited %v, want %v", got, want)
		}
		began = time.Now()
		waitWhileMoving(t.Context(), moves, ended)
		if got := time.Since(began); got != stallTime {
			t.Errorf("waited %v, want %v", got, stallTime)
		}
		<-ended
		waitWhileMoving(t.Context(), moves, ended)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		waitWhileMoving(ctx, moves, make(chan struct{}))
	})
}

func TestAnEndedContextLeavesTheBatchForTheNextStart(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.settle()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s, _ := b.next()
	b.issuer.fail = fault.Wrap(fault.Internal, ctx.Err(), "interrupted")
	b.finishTry(ctx, s, b.issue(ctx, s, make(chan struct{}, 1)))
	b.lies("drop")
	b.issuer.fail = nil
	b.again()
	b.start()
	b.work()
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/report.csv")
}
