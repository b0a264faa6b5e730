package transparency_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"filippo.io/torchwood"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// entriesOf are n entries of a log; another seed gives others.
func entriesOf(seed string, n int) (entries [][]byte) {
	for i := range n {
		entries = append(entries, fmt.Appendf(nil, "%s %d", seed, i))
	}
	return entries
}

// publish returns the files of a log.
func publish(t *testing.T, k *transparency.Key, entries [][]byte) fstest.MapFS {
	t.Helper()
	p := &published{entries: entries}
	root := p.grow(t, 0, entries...).Root
	size := int64(len(entries))
	signed, err := k.Sign(size, root)
	if err != nil {
		t.Fatal(err)
	}
	prefix := transparency.LogPrefix(k.Public())
	files := fstest.MapFS{
		transparency.ListPath: {Data: fmt.Appendf(nil, `{"logs":[{"institution":"University","key":%q,"size":%d}]}`, k.Public(), size)},
		prefix + "checkpoint": {Data: signed},
	}
	for tile := range transparency.AllTiles(size) {
		path := torchwood.TilePath(tile)
		data, err := transparency.ReadTile(t.Context(), path, size, p)
		if err != nil {
			t.Fatal(err)
		}
		files[prefix+path] = &fstest.MapFile{Data: data}
	}
	return files
}

// edited returns a copy of files with some of them changed; nil removes one.
func edited(files fstest.MapFS, changes map[string][]byte) fstest.MapFS {
	files = maps.Clone(files)
	for path, data := range changes {
		if delete(files, path); data != nil {
			files[path] = &fstest.MapFile{Data: data}
		}
	}
	return files
}

// auditOnce audits files and returns what was found of the first log.
func auditOnce(t *testing.T, memory string, files fs.FS, day int) transparency.Audited {
	t.Helper()
	a := transparency.Auditor{Memory: memory, At: time.Date(2026, 5, day, 12, 0, 0, 0, time.UTC)}
	all, err := a.Audit(t.Context(), transparency.Folder{Files: files}, "https://vec.example.edu")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d logs were audited: %v", len(all), err)
	}
	return all[0]
}

func TestAuditFinds(t *testing.T) {
	k := newKey(t, "University")
	other, err := transparency.NewKey(rand.NewChaCha8([32]byte{9}), "University")
	if err != nil {
		t.Fatal(err)
	}
	prefix := transparency.LogPrefix(k.Public())
	entries := entriesOf("entry", 700)
	now, later, earlier := publish(t, k, entries), publish(t, k, append(entriesOf("entry", 700), []byte("more"))), publish(t, k, entries[:500])
	flip := func(path string) map[string][]byte {
		data := append([]byte(nil), now[prefix+path].Data...)
		data[len(data)-1] ^= 1
		return map[string][]byte{prefix + path: data}
	}
	with := func(from fstest.MapFS, path string) map[string][]byte {
		return map[string][]byte{prefix + path: from[prefix+path].Data}
	}
	withoutLast := func(path string, n int) map[string][]byte {
		data := now[prefix+path].Data
		return map[string][]byte{prefix + path: data[:len(data)-n]}
	}
	foreign, err := other.Sign(700, transparency.Hash{1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  transparency.Finding
		since int // day
	}{
		"the same":                      {now, transparency.Consistent, 2},
		"a larger one":                  {later, transparency.Consistent, 2},
		"a rolled-back home":            {earlier, transparency.Shrunk, 2},
		"an older tree, signed again":   {publish(t, k, entries[:699]), transparency.Shrunk, 2},
		"another history":               {publish(t, k, entriesOf("forged", 700)), transparency.Forked, 2},
		"another history, larger":       {publish(t, k, entriesOf("forged", 900)), transparency.Forked, 2},
		"a removed leaf":                {publish(t, k, append(append([][]byte(nil), entries[:10]...), entriesOf("other", 700)...)), transparency.Forked, 2},
		"an edited entry":               {edited(now, flip("tile/entries/001")), transparency.Damaged, 2},
		"a bundle that is cut":          {edited(now, withoutLast("tile/entries/002.p/188", 5)), transparency.Damaged, 2},
		"a bundle with too much":        {edited(now, map[string][]byte{prefix + "tile/entries/001": append(append([]byte(nil), now[prefix+"tile/entries/001"].Data...), 0, 0)}), transparency.Damaged, 2},
		"a bundle of another place":     {edited(now, map[string][]byte{prefix + "tile/entries/001": now[prefix+"tile/entries/000"].Data}), transparency.Damaged, 2},
		"a bundle that is missing":      {edited(now, map[string][]byte{prefix + "tile/entries/000": nil}), transparency.Damaged, 2},
		"an edited tile":                {edited(now, flip("tile/0/000")), transparency.Damaged, 2},
		"an edited tile further up":     {edited(now, flip("tile/1/000.p/2")), transparency.Damaged, 2},
		"a tile that is missing":        {edited(now, map[string][]byte{prefix + "tile/0/002.p/188": nil}), transparency.Damaged, 2},
		"a checkpoint by another key":   {edited(now, map[string][]byte{prefix + "checkpoint": foreign}), transparency.OtherKey, 2},
		"an edited checkpoint":          {edited(now, flip("checkpoint")), transparency.OtherKey, 2},
		"the checkpoint of a later log": {edited(now, with(later, "checkpoint")), transparency.Damaged, 2},
		"a checkpoint that is missing":  {edited(now, map[string][]byte{prefix + "checkpoint": nil}), transparency.Removed, 2},
		"a log that is not listed":      {edited(now, map[string][]byte{transparency.ListPath: []byte(`{"logs":[]}`)}), transparency.Removed, 2},
	} {
		t.Run(name, func(t *testing.T) {
			memory := filepath.Join(t.TempDir(), "seen")
			if first := auditOnce(t, memory, now, 2); first.Finding != transparency.Consistent || first.Before != nil || first.Checkpoint.Size != 700 {
				t.Fatalf("at first: %+v", first)
			}
			found := auditOnce(t, memory, c.files, 3)
			if found.Finding != c.want || found.Since.Day() != c.since || (found.Reason == "") != (c.want == transparency.Consistent) {
				t.Errorf("%s since day %d (%s), want %s since day %d", found.Finding, found.Since.Day(), found.Reason, c.want, c.since)
			}
			// Whatever was found, what was seen before is not forgotten.
			if again := auditOnce(t, memory, earlier, 4); again.Finding != transparency.Shrunk {
				t.Errorf("afterwards an older log is %s", again.Finding)
			}
		})
	}
}

// A log of the same name with another key is not taken for the one that was seen.
func TestAuditFindsAnotherKeyInTheList(t *testing.T) {
	k := newKey(t, "University")
	memory := filepath.Join(t.TempDir(), "seen")
	auditOnce(t, memory, publish(t, k, entriesOf("entry", 3)), 2)
	forged, err := transparency.NewKey(rand.NewChaCha8([32]byte{5}), "University")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Glob(filepath.Join(memory, "*.json"))
	if err != nil || len(path) != 1 {
		t.Fatalf("%v, %v", path, err)
	}
	data, err := os.ReadFile(path[0])
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), k.Public(), forged.Public(), 1)
	if err := os.WriteFile(path[0], []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := auditOnce(t, memory, publish(t, k, entriesOf("entry", 3)), 3); found.Finding != transparency.OtherKey {
		t.Errorf("the log is %s", found.Finding)
	}
}

func TestAuditNeedsItsMemory(t *testing.T) {
	k := newKey(t, "University")
	memory := filepath.Join(t.TempDir(), "seen")
	files := publish(t, k, entriesOf("entry", 3))
	auditOnce(t, memory, files, 2)
	path, err := filepath.Glob(filepath.Join(memory, "*.json"))
	if err != nil || len(path) != 1 {
		t.Fatalf("%v, %v", path, err)
	}
	if err := os.WriteFile(path[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = transparency.Auditor{Memory: memory}.Audit(t.Context(), transparency.Folder{Files: files}, "x")
	if !fault.Is(err, fault.Damaged) {
		t.Errorf("with a damaged memory: %v", err)
	}
	if _, err := (transparency.Auditor{Memory: memory}).Audit(t.Context(), transparency.Folder{Files: fstest.MapFS{}}, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("where nothing is published: %v", err)
	}
}
