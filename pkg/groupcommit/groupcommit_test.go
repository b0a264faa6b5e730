package groupcommit_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/vecctl/vecctl/pkg/groupcommit"
)

// TestWhatComesMeanwhileIsCommittedTogether holds the first commit open until
// nine more operations wait.
func TestWhatComesMeanwhileIsCommittedTogether(t *testing.T) {
	odd := errors.New("odd")
	var sizes []int
	entered, leave := make(chan struct{}), make(chan struct{})
	waiting := make(chan struct{}, 9)
	q := groupcommit.New(func(runs []func(int) error) []error {
		sizes = append(sizes, len(runs))
		if len(sizes) == 1 {
			close(entered)
			<-leave
		}
		out := make([]error, len(runs))
		for i, run := range runs {
			out[i] = run(len(sizes))
		}
		return out
	})
	var all sync.WaitGroup
	all.Go(func() {
		if err := q.Do(func(int) error { return nil }); err != nil {
			t.Error(err)
		}
	})
	<-entered
	ran := make([]int, 9)
	for i := range 9 {
		all.Go(func() {
			waiting <- struct{}{}
			err := q.Do(func(commit int) error {
				ran[i]++
				if i%2 == 1 {
					return odd
				}
				return nil
			})
			if (i%2 == 1) != errors.Is(err, odd) {
				t.Errorf("operation %d got %v", i, err)
			}
		})
	}
	for range 9 {
		<-waiting
	}
	close(leave)
	all.Wait()
	if slices.Max(ran) != 1 || slices.Min(ran) != 1 {
		t.Errorf("run %v times", ran)
	}
	if sum := len(sizes); sizes[0] != 1 || sum > 10 {
		t.Errorf("commits of %v operations", sizes)
	}
	if err := q.Do(func(int) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	inside, total := 0, 0
	q := groupcommit.New(func(runs []func(*int) error) []error {
		if inside++; inside != 1 {
			t.Error("two commits at once")
		}
		out := make([]error, len(runs))
		for i, run := range runs {
			out[i] = run(&total)
		}
		inside--
		return out
	})
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 200 {
				if err := q.Do(func(n *int) error { *n++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if total != 32*200 {
		t.Errorf("%d were committed, want %d", total, 32*200)
	}
}
