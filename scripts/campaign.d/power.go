//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// powerCuts ends the file system below the home while everything is in work.
type powerCuts struct{ kind string }

func (powerCuts) counts() (short, full int) { return 1, 200 }

// volumeSize is more than XFS asks for.
const volumeSize = 512 << 20

func (p powerCuts) run(ctx context.Context, s setup, count int, r *result) error {
	random := s.random("power-" + p.kind)
	return onVolumes(ctx, s, p.kind, count, r, func(v *site, disk *volume, n int) error {
		return p.home(ctx, v, disk, n, random, r)
	})
}

// onVolumes makes homes on file systems of their own, and has rounds done with each.
func onVolumes(ctx context.Context, s setup, kind string, count int, r *result, rounds func(v *site, disk *volume, n int) error) error {
	for done := 0; done < count; {
		n := min(perHome, count-done)
		folder := filepath.Join(s.dir, fmt.Sprintf("v%d", done))
		if err := onVolume(ctx, s, kind, folder, func(v *site, disk *volume) error { return rounds(v, disk, n) }); err != nil {
			return err
		}
		if err := removeAll(folder, r); err != nil {
			return err
		}
		done += n
	}
	return nil
}

func onVolume(ctx context.Context, s setup, kind, folder string, work func(v *site, disk *volume) error) (err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	disk, err := newVolume(ctx, folder, kind, volumeSize)
	if err != nil {
		return err
	}
	defer func() {
		if e := disk.unmount(); err == nil {
			err = e
		}
	}()
	v, err := newSite(ctx, s, disk.at, filepath.Join(s.dir, "inbox"))
	if err != nil {
		return err
	}
	defer v.close()
	return work(v, disk)
}

// home cuts the power of one home, then wants everything whole.
func (p powerCuts) home(ctx context.Context, v *site, disk *volume, n int, random *rand.Rand, r *result) error {
	for range n {
		if err := p.round(ctx, v, disk, random, r); err != nil {
			return err
		}
	}
	return v.finish(ctx, random, r, "after the power cuts")
}

func (p powerCuts) round(ctx context.Context, v *site, disk *volume, random *rand.Rand, r *result) error {
	agent, err := v.start(ctx)
	if err != nil {
		r.problem("after a power cut: %v", err)
		return err
	}
	if _, err := v.checkPresent(ctx, agent, r, "after a power cut"); err != nil {
		return err
	}
	way := "cut under load"
	if random.IntN(3) == 0 {
		way = "killed, started again, cut"
		if agent, err = killAndStart(ctx, v, agent, random, r); err != nil {
			return err
		}
	}
	moment := time.Duration(random.Int64N(int64(1200 * time.Millisecond)))
	after := time.Duration(random.Int64N(int64(100 * time.Millisecond)))
	var cut error
	err = underLoad(ctx, agent, random, r, func(context.Context) {
		time.Sleep(moment)
		cut = disk.cut()
		time.Sleep(after) // what it acknowledges now must be there too
		agent.kill()
	})
	if agent.broke() {
		r.problem("the agent broke: %s", agent.messages())
	}
	if cut != nil || err != nil {
		return firstOf(cut, err)
	}
	r.round(way)
	return disk.restart(ctx)
}

// killAndStart kills an agent under load and starts another: what the first had written
// without flushing it, the second must not take for certain.
func killAndStart(ctx context.Context, v *site, agent *process, random *rand.Rand, r *result) (*process, error) {
	moment := time.Duration(random.Int64N(int64(300 * time.Millisecond)))
	if err := underLoad(ctx, agent, random, r, func(context.Context) {
		time.Sleep(moment)
		agent.kill()
	}); err != nil {
		return nil, err
	}
	next, err := v.start(ctx)
	if err != nil {
		r.problem("after a kill: %v", err)
		return nil, err
	}
	// What is unknown is asked for again: an answer that it is there is an acknowledgement.
	return next, v.resolve(ctx, next)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
