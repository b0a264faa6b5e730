package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

const bulkSize = 50_000

// benchBulk issues batches with the built binary, against reading, hashing and
// writing the same bytes durably with the system's own tools.
func benchBulk(s setup, t *table) error {
	large, err := batch(s.dir, s.rows, bulkSize)
	if err != nil {
		return err
	}
	small, err := batch(s.dir, max(s.rows/10, 1), bulkSize)
	if err != nil {
		return err
	}
	var limits, larges, smalls, agains, memory []float64
	for i := range s.repeat {
		limit, err := copyDurably(large, filepath.Join(s.dir, fmt.Sprintf("copy-%d-%d", os.Getpid(), i)))
		if err != nil {
			return err
		}
		home := filepath.Join(s.dir, fmt.Sprintf("home-%d-%d", os.Getpid(), i))
		first, err := issue(s, home+"-large", large)
		if err != nil {
			return err
		}
		again, err := issue(s, home+"-large", large)
		if err != nil {
			return err
		}
		tenth, err := issue(s, home+"-small", small)
		if err != nil {
			return err
		}
		limits, larges, smalls = append(limits, limit), append(larges, first.seconds), append(smalls, tenth.seconds)
		agains, memory = append(agains, again.seconds), append(memory, first.memory)
	}
	n := float64(s.rows)
	t.atMost(fmt.Sprintf("bulk, %d rows of 50 KB", s.rows), larges, limits, 3, seconds)
	t.atMost("bulk, time a certificate, all against a tenth", over(larges, n), over(smalls, float64(max(s.rows/10, 1))), 1.25, millis)
	t.below("bulk, memory", memory, 200<<20, megas)
	t.told("bulk, the same again", agains, seconds)
	return nil
}

// copyDurably is the limit: sha256sum, cp, sync.
func copyDurably(from, to string) (float64, error) {
	if err := os.Mkdir(to, 0o700); err != nil {
		return 0, err
	}
	if err := quiet("sync"); err != nil {
		return 0, err
	}
	return timed(func() error {
		for _, command := range []string{
			fmt.Sprintf("find %q -name '*.pdf' -print0 | xargs -0 sha256sum", from),
			fmt.Sprintf("cp -r %q %q", from, to),
			"sync",
		} {
			if err := quiet("sh", "-c", command); err != nil {
				return err
			}
		}
		return nil
	})
}

func quiet(name string, args ...string) error {
	var out bytes.Buffer
	c := exec.Command(name, args...)
	c.Stderr = &out
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out.String())
	}
	return nil
}

type issued struct{ seconds, memory float64 }

// issue runs "vecctl bulk" on a home, with more in its environment.
func issue(s setup, home, folder string, env ...string) (issued, error) {
	if err := quiet("sync"); err != nil {
		return issued{}, err
	}
	c := exec.Command(s.vecctl, "bulk", "--quiet", "--home", home, filepath.Join(folder, "manifest.csv"))
	c.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	c.Stderr = &out
	took, err := timed(c.Run)
	if err != nil {
		return issued{}, fmt.Errorf("vecctl bulk: %w: %s", err, out.String())
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return issued{}, fmt.Errorf("the system does not tell how much memory was used")
	}
	return issued{seconds: took, memory: float64(usage.Maxrss) * 1024}, nil
}
