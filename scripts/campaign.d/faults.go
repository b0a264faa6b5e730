//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// injection is a system call that fails, once in each thread or from then on.
type injection struct {
	call, errno string
	when        int
	lasting     bool
}

func (f injection) String() string {
	return fmt.Sprintf("%s fails with %s at call %d, lasting %v", f.call, f.errno, f.when, f.lasting)
}

// tracer is the words that make a program's calls fail so, and not those of the programs that it
// starts.
func (f injection) tracer(log string) []string {
	more := ""
	if f.lasting {
		more = "+"
	}
	return []string{"strace", "-f", "-qqq", "--seccomp-bpf", "-b", "execve", "-o", log, "-e", "signal=none", "-e", "trace=" + f.call,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d%s", f.call, f.errno, f.when, more)}
}

func canTrace(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "strace", "-f", "--seccomp-bpf", "-b", "execve", "-e", "inject=fsync:error=EIO", "true").CombinedOutput(); err != nil {
		return cannotRun(fmt.Sprintf("strace is missing, or may not trace here: %v %s", err, out))
	}
	return nil
}

// faults makes each system call fail on which an acknowledgement rests.
type faults struct{}

// acknowledging are those calls: where a document is staged, flushed and named, and where the
// database is written.
var acknowledging = []string{"openat", "write", "pwrite64", "fsync", "fdatasync", "syncfs", "renameat", "ftruncate", "utimensat", "fchmod", "unlinkat", "close"}

var errnos = []string{"EIO", "ENOSPC", "EDQUOT", "EIO"}

func (faults) counts() (short, full int) { return 2, 20 * len(acknowledging) }

func (f faults) run(ctx context.Context, s setup, count int, r *result) error {
	if err := canTrace(ctx); err != nil {
		return err
	}
	random := s.random("faults")
	return eachHome(ctx, s, count, "f", r, func(v *site, first, n int) error {
		for i := range n {
			one := injection{call: acknowledging[(first+i)%len(acknowledging)], errno: errnos[random.IntN(len(errnos))], when: 1 + random.IntN(25), lasting: random.IntN(4) == 0}
			if err := f.round(ctx, v, one, random, r); err != nil {
				return err
			}
		}
		return v.finishAfterFaults(ctx, random, r, "after the faults")
	})
}

// round runs an agent whose calls fail, under load, then one whose calls do not.
func (faults) round(ctx context.Context, v *site, one injection, random *rand.Rand, r *result) error {
	way, err := v.runFailing(ctx, one, random, r)
	if err != nil {
		return err
	}
	r.round(way)
	r.note(one.call, 1)
	agent, err := v.start(ctx)
	if err != nil {
		r.problem("after %v: %v", one, err)
		return err
	}
	defer agent.kill()
	_, err = v.checkPresent(ctx, agent, r, fmt.Sprintf("after %v", one))
	return err
}

// runFailing runs an agent whose calls fail, under load, until it ends or a while has passed,
// and returns how it ended.
func (v *site) runFailing(ctx context.Context, one injection, random *rand.Rand, r *result) (way string, err error) {
	const patience = 1500 * time.Millisecond
	trace := filepath.Join(v.dir, "trace")
	agent, err := v.start(ctx, one.tracer(trace)...)
	switch {
	case agent == nil:
		return "", err
	case err != nil:
		way, err = "did not start", nil
		if !strings.Contains(attempted(agent, trace), "vecctl: ") && !runtimeBroke(agent, trace) {
			r.problem("with %v the agent does not start, and does not say why: %s", one, agent.messages())
		}
	default:
		way = "went on"
		err = underLoad(ctx, agent, random, r, func(context.Context) {
			select {
			case <-agent.ended:
				way = "stopped by itself"
			case <-time.After(patience):
			}
			agent.kill()
		})
	}
	if agent.broke() && !runtimeBroke(agent, trace) {
		r.problem("with %v the agent broke: %s", one, agent.messages())
	}
	if agent.broke() || way == "stopped by itself" && runtimeBroke(agent, trace) {
		way = "Go's own runtime ended it"
	}
	if agent.cmd.ProcessState != nil && way == "stopped by itself" && agent.cmd.ProcessState.ExitCode() != 1 {
		r.problem("with %v the agent ends with exit code %d: %s", one, agent.cmd.ProcessState.ExitCode(), agent.messages())
	}
	return way, err
}

// attempted is the messages of the program, and those that it could not write since write fails
// for good: only the trace has them, cut after 32 characters.
func attempted(p *process, trace string) string {
	text := p.messages()
	written, err := os.ReadFile(trace)
	if err != nil {
		return text
	}
	for line := range strings.Lines(string(written)) {
		if strings.Contains(line, " write(2, ") {
			text += line
		}
	}
	return text
}

// runtimeBroke reports whether Go's runtime ended the program since a call failed that it
// makes for itself and that never fails.
func runtimeBroke(p *process, trace string) bool {
	text := attempted(p, trace)
	for _, known := range []string{"netpollBreak write fail", "runtime: epollctl failed", "runtime: write to", "runtime: netpoll", "failed to create new OS thread"} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}

// finishAfterFaults is finish for homes whose documents could not be read at times: what failed
// for that is tried again first.
func (v *site) finishAfterFaults(ctx context.Context, random *rand.Rand, r *result, when string) error {
	agent, err := v.start(ctx)
	if err != nil {
		r.problem("%s: %v", when, err)
		return err
	}
	if err := v.settled(ctx, 3*time.Minute); err != nil {
		r.problem("%s: %v", when, err)
	}
	got := v.run(ctx, "list", "--status", "failed", "-o", "csv")
	// The drop folder has put those aside, with the reason.
	if err := os.RemoveAll(filepath.Join(v.home, "failed")); err != nil {
		return err
	}
	if n := strings.Count(got.stdout, "@"); n > 0 {
		r.note("certificates tried again", n)
		if got := v.run(ctx, "retry", "--all-failed"); got.code != 0 {
			r.problem("%s: vecctl retry: %v", when, got)
		}
	}
	agent.stop()
	return v.finish(ctx, random, r, when)
}

// failedFlushes makes flushes fail, then cuts the power: what could not be flushed is lost, and
// must not have been acknowledged.
type failedFlushes struct{}

func (failedFlushes) counts() (short, full int) { return 2, 200 }

func (f failedFlushes) run(ctx context.Context, s setup, count int, r *result) error {
	if err := canTrace(ctx); err != nil {
		return err
	}
	random := s.random("fsync")
	calls := []string{"fdatasync", "fsync", "syncfs"}
	made := 0
	return onVolumes(ctx, s, "ext4", count, r, func(v *site, disk *volume, n int) error {
		for range n {
			one := injection{call: calls[made%len(calls)], errno: "EIO", when: 1 + random.IntN(20), lasting: random.IntN(2) == 0}
			made++
			if err := f.round(ctx, v, disk, one, random, r); err != nil {
				return err
			}
		}
		return v.finishAfterFaults(ctx, random, r, "after the failed flushes")
	})
}

func (failedFlushes) round(ctx context.Context, v *site, disk *volume, one injection, random *rand.Rand, r *result) error {
	way, err := v.runFailing(ctx, one, random, r)
	if err != nil {
		return err
	}
	r.round(one.call + ": " + way)
	if err := disk.cut(); err != nil {
		return err
	}
	if err := disk.restart(ctx); err != nil {
		return err
	}
	agent, err := v.start(ctx)
	if err != nil {
		r.problem("after %v and a power cut: %v", one, err)
		return err
	}
	_, err = v.checkPresent(ctx, agent, r, fmt.Sprintf("after %v and a power cut", one))
	agent.kill()
	return err
}
