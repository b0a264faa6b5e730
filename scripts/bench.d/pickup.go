package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	pickupDrops  = 40
	pickupSettle = 5 * time.Second
	burstFiles   = 50_000
)

// benchPickup drops batches into the folder of a running agent, then a burst of
// files.
func benchPickup(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("pickup-%d", os.Getpid()))
	agent, _, err := startAgent(s, home, "VECCTL_SETTLE="+pickupSettle.String())
	if err != nil {
		return err
	}
	defer stopAgent(agent)
	drop := filepath.Join(home, "drop")
	late, err := pickUps(drop)
	if err != nil {
		return err
	}
	slices.Sort(late)
	t.below("pick-up of a drop, 95th percentile", once(late[len(late)*95/100]), (pickupSettle + 2*time.Second).Seconds(), seconds)
	seen, err := burst(s, home, drop)
	if err != nil {
		return err
	}
	t.below(fmt.Sprintf("a burst of %d files is seen", burstFiles), once(seen), 60, seconds)
	return nil
}

// pickUps drops batches a quarter of a second apart and returns how long each
// lay there after its last byte was written, in seconds.
func pickUps(drop string) ([]float64, error) {
	took, failed := make([]float64, pickupDrops), make([]error, pickupDrops)
	var all sync.WaitGroup
	for i := range pickupDrops {
		all.Go(func() { took[i], failed[i] = pickUp(filepath.Join(drop, fmt.Sprintf("batch-%d", i)), i) })
		time.Sleep(250 * time.Millisecond)
	}
	all.Wait()
	return took, errors.Join(failed...)
}

func pickUp(folder string, n int) (float64, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(folder, "d.pdf"), document(uint64(n), bulkSize), 0o600); err != nil {
		return 0, err
	}
	manifest := filepath.Join(folder, "manifest.csv")
	table := fmt.Sprintf("title,name,email,file\nDiploma,Person %d,person%d@example.org,d.pdf\n", n, n)
	if err := os.WriteFile(manifest, []byte(table), 0o600); err != nil {
		return 0, err
	}
	const patience = time.Minute
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(manifest); errors.Is(err, fs.ErrNotExist) {
			return time.Since(begun).Seconds(), nil
		}
		if time.Since(begun) > patience {
			return 0, fmt.Errorf("%s was not picked up in %s", folder, patience)
		}
	}
}

// burst writes many files at once and returns how long after the last one the
// agent knew of all.
func burst(s setup, home, drop string) (float64, error) {
	folder := filepath.Join(drop, "burst")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	for i := range burstFiles {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("loose-%d.pdf", i)), []byte("%PDF-1.4\n"), 0o600); err != nil {
			return 0, err
		}
	}
	return timed(func() error {
		for {
			out, err := exec.Command(s.vecctl, "status", "--json", "--home", home).Output()
			if err != nil {
				return fmt.Errorf("vecctl status: %w", err)
			}
			var status struct {
				Drop struct{ Total int } `json:"drop"`
			}
			if err := json.Unmarshal(out, &status); err != nil {
				return err
			}
			if status.Drop.Total >= burstFiles {
				return nil
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}
