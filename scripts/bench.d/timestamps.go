package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/pkitest"
)

// benchTimestamps issues a batch with time stamps of a server on this machine, which shares its
// processors, against one without.
func benchTimestamps(s setup, t *table) error {
	folder, err := batch(s.dir, s.rows, bulkSize)
	if err != nil {
		return err
	}
	const year = 365 * 24 * time.Hour
	a, err := pkitest.New(nil, year)
	if err != nil {
		return err
	}
	defer a.Close()
	levels := []string{"b", "t", "lt", "lta"}
	took := map[string][]float64{}
	for i := range s.repeat {
		for _, level := range levels {
			env := []string{"VECCTL_SIGNING_LEVEL=" + level}
			if level != "b" {
				env = append(env, "VECCTL_SIGNING_TIMESTAMPS="+a.TimestampURL(), "VECCTL_SIGNING_ALLOW_PRIVATE=1")
			}
			home := filepath.Join(s.dir, fmt.Sprintf("stamps-%d-%d-%s", os.Getpid(), i, level))
			run, err := issue(s, home, folder, env...)
			if err != nil {
				return err
			}
			took[level] = append(took[level], run.seconds)
		}
	}
	t.atMost(fmt.Sprintf("bulk, %d rows with time stamps, against without", s.rows), took["t"], took["b"], 1.5, seconds)
	t.told(fmt.Sprintf("bulk, %d rows at level lt", s.rows), took["lt"], seconds)
	t.told(fmt.Sprintf("bulk, %d rows at level lta", s.rows), took["lta"], seconds)
	return nil
}
