package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// benchRelay issues a batch on another vault, through a home in front of it and by "bulk --api".
// The vault is a fresh one each time, on this machine, and both fetch the verified PDFs.
func benchRelay(s setup, t *table) error {
	rows := min(s.rows, 2000)
	folder, err := batch(s.dir, rows, bulkSize)
	if err != nil {
		return err
	}
	var relayed, direct []float64
	for i := range s.repeat {
		for _, front := range []bool{i%2 == 0, i%2 != 0} { // each goes first in turn
			dir := filepath.Join(s.dir, fmt.Sprintf("relay-%d-%d-%v", os.Getpid(), i, front))
			took, err := issueThere(s, dir, folder, front)
			if err != nil {
				return err
			}
			if front {
				relayed = append(relayed, took)
			} else {
				direct = append(direct, took)
			}
		}
	}
	t.atMost(fmt.Sprintf("relay, %d rows of 50 KB, against bulk --api", rows), relayed, direct, 1.1, seconds)
	return nil
}

// issueThere issues a batch on a vault of its own, and returns how long that took.
func issueThere(s setup, dir, folder string, front bool) (float64, error) {
	there, here := filepath.Join(dir, "there"), filepath.Join(dir, "here")
	for _, home := range []string{there, here} {
		if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
			return 0, err
		}
	}
	create := []string{"token", "create", "--home", there, "bench"}
	for _, permission := range []string{"list", "view", "create", "download", "update"} {
		create = append(create, "-p", "certificate-vault:"+permission)
	}
	token, err := exec.Command(s.vecctl, create...).Output()
	if err != nil {
		return 0, fmt.Errorf("vecctl token create: %w", err)
	}
	agent, address, _, err := startAgentAt(s, there)
	if err != nil {
		return 0, err
	}
	defer stopAgent(agent)
	if err := quiet("sync"); err != nil {
		return 0, err
	}
	c := exec.Command(s.vecctl, "bulk", "--quiet", "--home", here, "--out", filepath.Join(dir, "out"), filepath.Join(folder, "manifest.csv"))
	url, secret := "VECCTL_API", "VECCTL_TOKEN"
	if front {
		url, secret = "VECCTL_RELAY_URL", "VECCTL_RELAY_TOKEN"
	}
	c.Env = append(os.Environ(), url+"="+address, secret+"="+strings.TrimSpace(string(token)))
	var out bytes.Buffer
	c.Stderr = &out
	took, err := timed(c.Run)
	if err != nil {
		return 0, fmt.Errorf("vecctl bulk: %w: %s", err, out.String())
	}
	return took, nil
}
