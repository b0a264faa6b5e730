package retention

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// of finds a kind in a list.
func of(t *testing.T, all []Item, what string) Item {
	t.Helper()
	i := slices.IndexFunc(all, func(one Item) bool { return one.What == what })
	if i < 0 {
		t.Fatalf("nothing is said of %s", what)
	}
	return all[i]
}

// What is due is listed with its size and removed by the run; what comes next is told with its
// day.
func TestDue(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	lay(t, root, map[string]int{
		"mail/1.eml": 31, "mail/2.eml": 29, "verified/b/x.pdf": 40, "verified/b/report.csv": 99, "failed/old.pdf": 400, "failed/old.pdf.reason.txt": 31,
		"vault.db.schema-1": 90, "vault.db.schema-2": 10, "vault.db": 99,
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-31 * day)
	must(os.WriteFile(filepath.Join(root, "vault.db.schema-1"), make([]byte, 5000), 0o600))
	must(os.Chtimes(filepath.Join(root, "vault.db.schema-1"), old, old))
	k, r, log := newKeeper(Limits{Mails: 30 * day, Verified: 30 * day, Refused: 30 * day, SchemaCopies: 30 * day})
	k.Folders = Folders{Mail: filepath.Join(root, "mail"), Verified: filepath.Join(root, "verified"), Refused: filepath.Join(root, "failed"), Database: filepath.Join(root, "vault.db")}
	r.old["mails"], r.next = 3, time.Now().Add(-10*day)
	before := left(t, root)
	all := k.Due(t.Context())
	for what, want := range map[string]int{"mails": 3, "files of mails": 1, "verified PDFs": 1, "refused files": 2, "copies of the database": 1, "backups": 0, "received events": 0} {
		if got := of(t, all, what); got.Due != want || got.Err != nil {
			t.Errorf("%s: %d are due, want %d (%v)", what, got.Due, want, got.Err)
		}
	}
	if got := of(t, all, "copies of the database"); got.Bytes != 5000 || got.Setting != "retention.schema_copies" || got.Next.Before(time.Now().Add(19*day)) || got.Next.After(time.Now().Add(20*day)) {
		t.Errorf("%+v", got)
	}
	if got := of(t, all, "mails"); got.Bytes != 300 || !got.Next.Equal(r.next.Add(30*day)) {
		t.Errorf("%+v", got)
	}
	if got := left(t, root); !slices.Equal(got, before) || len(r.asked) > 0 {
		t.Errorf("a look removed something: %q are left", got)
	}
	done := k.CleanDue(audit.NewContext(t.Context(), &audit.PendingAction{Action: audit.Action{Actor: "agent"}}))
	for i := range all {
		if all[i].Due != done[i].Due || all[i].Bytes != done[i].Bytes {
			t.Errorf("%s: %d of %d bytes were due, %d of %d were removed", all[i].What, all[i].Due, all[i].Bytes, done[i].Due, done[i].Bytes)
		}
	}
	if got, want := left(t, root), []string{"mail/2.eml", "vault.db", "vault.db.schema-2", "verified/b/report.csv"}; !slices.Equal(got, want) {
		t.Errorf("left are %q, want %q; %s", got, want, log)
	}
	want := "home; mails: 3, files of mails: 1, verified PDFs: 1, refused files: 2, copies of the database: 1"
	if len(r.audit) != 1 || r.audit[0].Object != want {
		t.Errorf("written down is %+v", r.audit)
	}
	k.CleanDue(audit.NewContext(t.Context(), &audit.PendingAction{}))
	if len(r.audit) != 1 {
		t.Errorf("a run with nothing to do was written down: %+v", r.audit)
	}
}

// Old backups of this home go from their folder, but for the newest and for what a younger one
// builds on. Without a folder, or with one that is not there, the reason is told.
func TestOldBackups(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(days int) time.Time {
		return time.Now().Add(-time.Duration(days) * day).UTC().Truncate(time.Second)
	}
	name := func(home string, days int) string { return backup.Name(home, at(days), time.Time{}, false) }
	base := backup.Name("0a1b2c3d", at(50), time.Time{}, true)
	onto := backup.Name("0a1b2c3d", at(5), at(50), true)
	gone := name("0a1b2c3d", 60)
	stay := []string{base, onto, name("99999999", 90), "notes.txt", "mine.tar.zst"}
	for _, one := range append([]string{gone}, stay...) {
		if err := os.WriteFile(filepath.Join(folder, one), []byte("backup"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, _, log := newKeeper(Limits{Backups: 30 * day})
	k.HomeID = "0a1b2c3d"
	if got := of(t, k.Due(t.Context()), "backups"); !fault.Is(got.Err, fault.Invalid) || !strings.Contains(got.Err.Error(), "retention.backup_dir") {
		t.Errorf("without a folder: %+v", got)
	}
	k.Folders.Backups = filepath.Join(folder, "none")
	if got := of(t, k.Due(t.Context()), "backups"); got.Err == nil {
		t.Error("a folder that is not there is taken for empty")
	}
	k.Folders.Backups = folder
	got := of(t, k.Due(t.Context()), "backups")
	if got.Due != 1 || got.Bytes != 6 || !got.Next.Equal(at(5).Add(30*day)) || got.Err != nil {
		t.Errorf("%+v", got)
	}
	k.CleanDue(t.Context())
	slices.Sort(stay)
	if got := left(t, folder); !slices.Equal(got, stay) {
		t.Errorf("left are %q, want %q; %s", got, stay, log)
	}
}
