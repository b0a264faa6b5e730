package wake_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/pkg/wake"
)

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, begun := wake.New(), time.Now()
		waited := func(want time.Duration) {
			t.Helper()
			if got := time.Since(begun); got != want {
				t.Errorf("waited %v, want %v", got, want)
			}
			begun = time.Now()
		}
		b.Wait(t.Context(), time.Minute)
		waited(time.Minute)
		go func() {
			time.Sleep(time.Second)
			b.Notify()
		}()
		b.Wait(t.Context(), time.Minute)
		waited(time.Second)
		b.Notify()
		b.Notify() // before anybody waits: both are one
		b.Wait(t.Context(), time.Minute)
		waited(0)
		b.Wait(t.Context(), time.Minute)
		waited(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := wake.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		waited(time.Second)
		if err := wake.Sleep(ctx, time.Hour); err == nil {
			t.Error("an end that came before is not told")
		}
		waited(0)
		if err := wake.Sleep(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
		waited(time.Hour)
	})
}
