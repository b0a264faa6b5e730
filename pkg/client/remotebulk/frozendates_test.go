package remotebulk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

func key(email string) vault.Key {
	return vault.Draft{Content: vault.Content{Title: "D", Email: email}}.FreezeKey()
}

// TestDays keeps the first date of a row, whatever is noted later and however the
// file ends.
func TestDays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "remote", "dates.log")
	open := func() *FrozenDates {
		d, err := OpenFrozenDates(path)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	note := func(d *FrozenDates, rows map[vault.Key]vault.Date) {
		if err := d.Add(rows); err != nil {
			t.Fatal(err)
		}
	}
	d := open()
	if d.Date(key("a")) != "" {
		t.Error("a row has a date before it was sent")
	}
	note(d, nil)
	if _, err := os.Stat(path); err == nil {
		t.Error("a file without anything in it was made")
	}
	note(d, map[vault.Key]vault.Date{key("a"): "2026-06-01", key("b"): "2026-06-01"})
	note(d, map[vault.Key]vault.Date{key("a"): "2026-06-02", key("c"): "2026-06-02"})
	for _, d := range []*FrozenDates{d, open()} {
		if d.Date(key("a")) != "2026-06-01" || d.Date(key("c")) != "2026-06-02" || d.Date(key("d")) != "" {
			t.Errorf("%v", d.known)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Cut off at each byte: what is whole counts, and what comes after it too.
	for n := range file {
		if err := os.WriteFile(path, file[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		note(open(), map[vault.Key]vault.Date{key("z"): "2026-06-03"})
		after := open()
		if after.Date(key("z")) != "2026-06-03" {
			t.Fatalf("cut off at %d: %v", n, after.known)
		}
		if got := after.Date(key("a")); got != "" && got != "2026-06-01" {
			t.Fatalf("cut off at %d: %v", n, after.known)
		}
	}
}
