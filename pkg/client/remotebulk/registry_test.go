package remotebulk_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/remotebulk"
)

var at = time.Date(2026, 6, 4, 10, 30, 0, 500, time.UTC)

func status(t *testing.T, b *remotebulk.Registry, uuid string) string {
	t.Helper()
	all, err := b.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.UUID == uuid {
			return k.Status
		}
	}
	return ""
}

func TestBook(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "remote")
	b := remotebulk.NewRegistry(dir)
	note := func(uuid, state string, after time.Duration) bool {
		t.Helper()
		ok, err := b.Note(remotebulk.StatusUpdate{UUID: uuid, Status: state, At: at.Add(after)})
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if note("a", "approved", 0) {
		t.Error("something was noted where nothing was sent")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	line := func(text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, "x.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
	}
	line(`{"today":"2026-06-04"}` + "\n" + `{"certificate":{"uuid":"a","vault":"https://v","row":1,"status":"processing","at":"2026-06-04T10:30:00.0000005Z"}}` + "\n{\"cert")
	for i, step := range []struct {
		uuid, state string
		after       time.Duration
		ok          bool
		want        string
	}{
		{"b", "approved", 0, false, ""},
		{"a", "processing", 0, false, "processing"},
		{"a", "failed", -time.Minute, false, "processing"},
		{"a", "failed", 0, true, "failed"}, // within the same second
		{"a", "processing", 0, false, "failed"},
		{"a", "processing", time.Second, true, "processing"},
		{"a", "approved", time.Minute, true, "approved"},
		{"a", "approved", time.Minute, false, "approved"}, // it came again
		{"a", "processing", time.Second, false, "approved"},
	} {
		if ok := note(step.uuid, step.state, step.after); ok != step.ok || status(t, b, step.uuid) != step.want {
			t.Errorf("step %d: %v, now %q", i, ok, status(t, b, step.uuid))
		}
	}
	// What was cut short, by a crash or because it is being written, is read when it is whole.
	line(`ificate":{"uuid":"b","status":"processing","at":"2026-06-04T10:00:00Z"}}` + "\n")
	if status(t, b, "b") != "processing" {
		t.Error("what was added was not read")
	}
	f, err := os.OpenFile(filepath.Join(dir, "states.log"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(`{"uuid":"b","sta`)
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	b = remotebulk.NewRegistry(dir)
	if !note("b", "approved", 0) || status(t, remotebulk.NewRegistry(dir), "b") != "approved" || status(t, remotebulk.NewRegistry(dir), "a") != "approved" {
		t.Error("after a crash the states are others")
	}
}
