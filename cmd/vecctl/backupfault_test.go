package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A backup that was cut off or changed is refused in words, before anything is
// written, and the home that it was made of goes on.
func TestBackupsThatAreDamaged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, s.batch(20))
	whole := filepath.Join(s.dir, "b.tar.zst")
	s.done("backup", whole)
	body, err := os.ReadFile(whole)
	must(t, err)
	flipped := bytes.Clone(body)
	flipped[len(flipped)/2] ^= 4
	target := filepath.Join(s.dir, "new")
	for name, damaged := range map[string]struct {
		body []byte
		says string
	}{
		"cut":     {body[:len(body)*2/3], "cut off"},
		"flipped": {flipped, "damaged"},
		"empty":   {nil, "cut off"},
	} {
		path := filepath.Join(s.dir, name)
		must(t, os.WriteFile(path, damaged.body, 0o600))
		for _, args := range [][]string{{"backup", "verify", path}, {"restore", path, "--home", target}} {
			r := s.want(1, args...)
			if r.says(t, path); !strings.Contains(r.stderr, damaged.says) {
				t.Errorf("%s of a file that is %s says %v", args[0], name, r)
			}
		}
		if n := glob(t, s.dir, ".vecctl-restore-*"); n > 0 {
			t.Errorf("%d half-restored homes were left behind", n)
		}
		if _, err := os.Stat(target); err == nil {
			t.Errorf("a file that is %s was restored", name)
		}
	}
	// Over a home that is there, a good one neither.
	s.want(1, "restore", whole).says(t, "there is a home in")
	s.want(2, "restore", whole, "--home", whole).says(t, "is not a folder; name another home")
	s.want(2, "backup", "verify", s.dir).says(t, "is a folder; name the backup in it")
	if r := s.bulk(0, filepath.Join(s.docs, "batch.csv")); r.Unchanged != 20 {
		t.Errorf("the home afterwards: %+v", r)
	}
	s.done("restore", whole, "--home", target)
}
