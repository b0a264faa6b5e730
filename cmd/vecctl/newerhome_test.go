package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A home that a newer version made is left alone by every command, in words that name
// the fix.
func TestAHomeOfANewerVersion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, s.batch(3))
	database := filepath.Join(s.home, "vault.db")
	body, err := os.ReadFile(database)
	must(t, err)
	version := regexp.MustCompile(`schema\x00{7}[\x01-\x62]`)
	if !version.Match(body) {
		t.Fatal("the database tells no version")
	}
	newer := version.ReplaceAll(body, binary.BigEndian.AppendUint64([]byte("schema"), 99))
	must(t, os.WriteFile(database, newer, 0o600))

	says := []string{"made by a newer vecctl (schema 99, this one knows ", "use that version, or restore a backup"}
	path := filepath.Join(s.dir, "b.tar.zst")
	for _, args := range [][]string{
		{"list"}, {"status"}, {"agent", "--listen", "none"}, {"bulk", filepath.Join(s.docs, "batch.csv")}, {"init", "--no-input", "--institution", "Other"},
		{"compact"}, {"key", "rotate"}, {"backup", path}, {"audit", "verify"},
	} {
		s.want(1, args...).says(t, says...)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a backup that this version cannot restore")
	}
	s.want(1, "doctor").says(t, says[0])
	if after, err := os.ReadFile(database); err != nil || !bytes.Equal(after, newer) {
		t.Errorf("the database was changed: %v", err)
	}
	must(t, os.WriteFile(database, body, 0o600))
	s.done("list")
}
