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

// kills ends the agent without warning while everything is in work.
type kills struct{}

func (kills) counts() (short, full int) { return 3, 500 }

// perHome is how many rounds one home is disturbed before another is made.
const perHome = 25

func (k kills) run(ctx context.Context, s setup, count int, r *result) error {
	random := s.random("kills")
	return eachHome(ctx, s, count, "h", r, func(v *site, _, n int) error { return k.home(ctx, v, n, random, r) })
}

// eachHome spreads rounds over homes, and removes each when its rounds are over. Work does the
// rounds of one, n of them from first on.
func eachHome(ctx context.Context, s setup, count int, name string, r *result, work func(v *site, first, n int) error) error {
	for done := 0; done < count; {
		n := min(perHome, count-done)
		folder := filepath.Join(s.dir, fmt.Sprintf("%s%d", name, done))
		v, err := newSite(ctx, s, folder, filepath.Join(s.dir, "inbox"))
		if err != nil {
			return err
		}
		if err := work(v, done, n); err != nil {
			return err
		}
		v.close()
		if err := removeAll(folder, r); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// home kills the agents of one home, then wants everything whole.
func (k kills) home(ctx context.Context, v *site, n int, random *rand.Rand, r *result) error {
	for range n {
		if random.IntN(6) == 0 {
			if err := k.early(v, random, r); err != nil {
				return err
			}
			continue
		}
		agent, err := v.start(ctx)
		if err != nil {
			r.problem("after a kill: %v", err)
			return err
		}
		if _, err := v.checkPresent(ctx, agent, r, "after a kill"); err != nil {
			return err
		}
		moment := time.Duration(random.Int64N(int64(1500 * time.Millisecond)))
		if err := underLoad(ctx, agent, random, r, func(context.Context) {
			time.Sleep(moment)
			_ = agent.cmd.Process.Kill()
			<-agent.ended
		}); err != nil {
			return err
		}
		if agent.broke() {
			r.problem("the agent broke: %s", agent.messages())
		}
		r.round("killed under load")
	}
	return v.finish(ctx, random, r, "after the kills")
}

// early kills an agent that has just been started.
func (kills) early(v *site, random *rand.Rand, r *result) error {
	agent, _, err := v.launch()
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(random.Int64N(int64(80 * time.Millisecond))))
	_ = agent.cmd.Process.Kill()
	_ = agent.cmd.Wait()
	r.round("killed while starting")
	return nil
}

// underLoad keeps an agent busy while something is done to it.
func underLoad(ctx context.Context, agent *process, random *rand.Rand, r *result, disturb func(context.Context)) error {
	pause := 30 * time.Millisecond
	if agent.site.short {
		pause = 150 * time.Millisecond
	}
	l, err := newLoad(agent, pause, r)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(working, rand.New(rand.NewPCG(random.Uint64(), 1)))
	}()
	disturb(ctx)
	stop()
	<-ended
	return nil
}

// finish starts an agent that nobody disturbs, and wants everything whole.
func (v *site) finish(ctx context.Context, random *rand.Rand, r *result, when string) error {
	const patience = 3 * time.Minute
	agent, err := v.start(ctx)
	if err != nil {
		r.problem("%s: %v", when, err)
		return err
	}
	defer agent.kill()
	acked, open := v.ledger.totals()
	r.count(acked, open)
	if err := v.resolve(ctx, agent); err != nil {
		r.problem("%s: %v", when, err)
		return nil
	}
	if err := v.settled(ctx, patience); err != nil {
		r.problem("%s: %v", when, err)
	}
	if err := v.checkWhole(ctx, agent, random, r, when); err != nil {
		return err
	}
	if code := agent.stop(); code != 0 {
		r.problem("%s: the agent ends with exit code %d: %s", when, code, agent.messages())
	}
	return nil
}

// removeAll removes a folder, unless something was found in it that is worth a look.
func removeAll(folder string, r *result) error {
	if r.failed() {
		return nil
	}
	return os.RemoveAll(folder)
}
