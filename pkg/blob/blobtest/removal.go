package blobtest

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

// removalTests are about contents that go.
func removalTests() []test {
	return []test{
		{"the sweep removes what is not referenced", swept},
		{"the sweep leaves what is young", sweptByAge},
		{"the sweep removes of one part", sweptByPart},
		{"the sweep stops when references are unknown", sweepFails},
		{"storing again protects from the sweep", storedAgain},
		{"storing against the sweep", storedWhileSwept},
		{"removing one content", removed},
		{"what is held stays", held},
	}
}

// soon is a moment before which everything was stored.
func soon() time.Time { return time.Now().Add(time.Hour) }

func swept(f *fixture) {
	sums := f.keep("used", "unused", "used too")
	if n := f.sweep(soon(), sums[0], sums[2]); n != 1 {
		f.Errorf("swept %d", n)
	}
	f.has(sums[0], sums[2])
	if got := f.read(sums[0]); got != "used" {
		f.Errorf("read %q", got)
	}
	if n := f.sweep(soon()); n != 2 {
		f.Errorf("swept %d", n)
	}
	f.has()
	f.keep("used") // it can come back
	f.has(sums[0])
}

func sweptByAge(f *fixture) {
	sums := f.keep("young")
	if n := f.sweep(time.Now().Add(-time.Hour)); n != 0 {
		f.Errorf("swept %d", n)
	}
	f.has(sums...)
}

func sweptByPart(f *fixture) {
	sums := f.keep("a", "b", "c")
	first, err := strconv.ParseUint(sums[0][:2], 16, 8)
	f.check(err)
	n, err := f.store.Sweep(f.Context(), int(first), soon(), references())
	f.check(err)
	if n != 1 {
		f.Errorf("swept %d", n)
	}
	f.has(sums[1:]...)
}

func sweepFails(f *fixture) {
	sums := f.keep("a", "b")
	unknown := errors.New("the database is away")
	failing := func(context.Context, string) (bool, error) { return false, unknown }
	var failed error
	for part := range blob.Parts {
		n, err := f.store.Sweep(f.Context(), part, soon(), failing)
		if n != 0 {
			f.Errorf("swept %d", n)
		}
		failed = errors.Join(failed, err)
	}
	if !errors.Is(failed, unknown) {
		f.Errorf("the error became %v", failed)
	}
	if gone, err := f.store.Remove(f.Context(), sums[0], failing); gone || !errors.Is(err, unknown) {
		f.Errorf("removed: %t, %v", gone, err)
	}
	f.has(sums...)
}

// storedAgain sweeps what was stored before a moment and not again after it.
func storedAgain(f *fixture) {
	sums := f.keep("again", "once")
	moment := time.Now()
	for !time.Now().After(moment) {
		continue // the clock's next tick
	}
	f.keep("again")
	if n := f.sweep(moment); n != 1 {
		f.Errorf("swept %d", n)
	}
	f.has(sums[0])
}

// storedWhileSwept stores a content again while the sweep asks whether it is referenced:
// whichever comes first, the content is there in the end.
func storedWhileSwept(f *fixture) {
	for round := range 100 {
		content := strconv.Itoa(round)
		sum, again := f.keep(content)[0], f.stage(content)
		part, err := strconv.ParseUint(sum[:2], 16, 8)
		f.check(err)
		var storing sync.WaitGroup
		var stored error
		_, err = f.store.Sweep(f.Context(), int(part), soon(), func(_ context.Context, candidate string) (bool, error) {
			if candidate != sum {
				return true, nil
			}
			storing.Go(func() { stored = f.store.Commit(f.Context(), again) })
			for range round {
				runtime.Gosched() // the commit gets more or less far
			}
			return false, nil
		})
		f.check(err)
		storing.Wait()
		f.check(stored)
		if got := f.read(sum); got != content {
			f.Errorf("round %d: read %q", round, got)
		}
	}
}

func removed(f *fixture) {
	sums := f.keep("used", "unused")
	for _, one := range []struct {
		sum  string
		gone bool
	}{{sums[0], false}, {sums[1], true}, {sums[1], false}} {
		if gone, err := f.store.Remove(f.Context(), one.sum, references(sums[0])); err != nil || gone != one.gone {
			f.Errorf("removing %s: %t, %v", one.sum, gone, err)
		}
	}
	f.has(sums[0])
}

func held(f *fixture) {
	sums := f.keep("a", "b")
	first, err := f.store.Hold(f.Context())
	f.check(err)
	second, err := f.store.Hold(f.Context())
	f.check(err)
	still := func() {
		f.Helper()
		if n := f.sweep(soon()); n != 0 {
			f.Errorf("swept %d", n)
		}
		if gone, err := f.store.Remove(f.Context(), sums[0], references()); gone || err != nil {
			f.Errorf("removed: %t, %v", gone, err)
		}
	}
	still()
	first()
	still()
	sums = append(sums, f.keep("c")...) // storing goes on
	f.has(sums...)
	second()
	if n := f.sweep(soon()); n != 3 {
		f.Errorf("swept %d after the release", n)
	}
}
