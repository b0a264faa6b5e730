//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// diskFull fills the disk under an agent at work, and makes room again.
type diskFull struct{}

func (diskFull) counts() (short, full int) { return 1, 100 }

func (d diskFull) run(ctx context.Context, s setup, count int, r *result) error {
	random := s.random("disk-full")
	return onVolumes(ctx, s, "ext4", count, r, func(v *site, disk *volume, n int) error {
		for range n {
			if err := d.round(ctx, v, disk, random, r); err != nil {
				return err
			}
		}
		return v.finish(ctx, random, r, "after the full disks")
	})
}

// round fills the disk but for a little, keeps the agent busy until that is gone and after,
// makes room, and wants the same agent to go on.
func (d diskFull) round(ctx context.Context, v *site, disk *volume, random *rand.Rand, r *result) error {
	agent, err := v.start(ctx)
	if err != nil {
		r.problem("after a full disk: %v", err)
		return err
	}
	defer agent.kill()
	if _, err := v.checkPresent(ctx, agent, r, "after a full disk"); err != nil {
		return err
	}
	filler := filepath.Join(disk.at, "filler")
	var failed error
	err = underLoad(ctx, agent, random, r, func(context.Context) {
		time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
		failed = fill(filler, random.Int64N(2<<20))
		time.Sleep(300*time.Millisecond + time.Duration(random.Int64N(int64(time.Second))))
	})
	if failed != nil || err != nil {
		return firstOf(failed, err)
	}
	select {
	case <-agent.ended:
		r.problem("on a full disk the agent ended: %s", agent.messages())
		return os.Remove(filler)
	default:
	}
	if _, err := v.checkPresent(ctx, agent, r, "on a full disk"); err != nil {
		r.problem("on a full disk nothing can be read: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	if err := v.takesAgain(ctx, agent); err != nil {
		r.problem("with room again: %v", err)
	}
	if agent.broke() {
		r.problem("on a full disk the agent broke: %s", agent.messages())
	}
	r.round("filled, went on")
	return nil
}

// fill takes all room of a disk but a little.
func fill(path string, leave int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	free := int64(st.Bavail)*st.Bsize - leave
	err = unix.Fallocate(int(f.Fd()), 0, 0, max(free, 1))
	if errors.Is(err, unix.ENOSPC) {
		err = nil // the agent was quicker
	}
	return errors.Join(err, f.Close())
}

// takesAgain waits until the agent takes what is asked for anew.
func (v *site) takesAgain(ctx context.Context, agent *process) error {
	const patience = 30 * time.Second
	api, err := agent.api()
	if err != nil {
		return err
	}
	o := v.ledger.open(byUpload, 1)[0]
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		c, err := api.Upload(ctx, o.upload(), nil)
		if err == nil {
			v.ledger.named(o, c.UUID)
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v it still takes nothing: %w", patience, err)
		}
	}
}
