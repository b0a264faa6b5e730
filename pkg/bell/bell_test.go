package bell_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/pkg/bell"
)

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, begun := bell.New(), time.Now()
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
			b.Ring()
		}()
		b.Wait(t.Context(), time.Minute)
		waited(time.Second)
		b.Ring()
		b.Ring() // before anybody waits: both are one
		b.Wait(t.Context(), time.Minute)
		waited(0)
		b.Wait(t.Context(), time.Minute)
		waited(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := bell.Pause(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		waited(time.Second)
		if err := bell.Pause(ctx, time.Hour); err == nil {
			t.Error("an end that came before is not told")
		}
		waited(0)
		if err := bell.Pause(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
		waited(time.Hour)
	})
}
