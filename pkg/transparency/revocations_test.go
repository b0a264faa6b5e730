package transparency_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// publishRevocations publishes a log with two states of a list of revocations, which are its
// entries 1 and 3.
func publishRevocations(t *testing.T, k *transparency.Key) (fstest.MapFS, transparency.RevocationList) {
	t.Helper()
	at := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	list := transparency.RevocationList{Origin: k.Origin(), Key: k.Public(), Revocations: []transparency.Revocation{
		{Reference: "VEC-IC-1", Status: "revoked", At: at},
		{Reference: "VEC-IC-2", Status: "superseded", At: at.Add(time.Hour), Successor: "VEC-IC-3"},
		{Reference: "VEC-IC-2", Status: "revoked", At: at.Add(2 * time.Hour)},
	}}
	entries := entriesOf("certificate", 4)
	h := transparency.NewRevocationHash()
	for i, r := range list.Revocations {
		h.Add(r)
		if i == 1 {
			continue
		}
		s := transparency.Statement{Kind: "revocations", Origin: k.Origin(), At: at.Add(time.Duration(i+1) * 24 * time.Hour), Count: h.Count, SHA256: h.SHA256()}
		entries[1+i] = s.Entry()
		list.Logged = append(list.Logged, transparency.LoggedList{Entry: int64(1 + i), At: s.At, Count: s.Count})
		var err error
		if list.Signed, err = k.SignStatement(s); err != nil {
			t.Fatal(err)
		}
	}
	files := publish(t, k, entries)
	files[transparency.LogPrefix(k.Public())+transparency.RevocationsFile] = &fstest.MapFile{Data: encoded(t, list)}
	return files, list
}

func encoded(t *testing.T, list transparency.RevocationList) []byte {
	t.Helper()
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRevocationsAreProven(t *testing.T) {
	k := newKey(t, "University")
	files, _ := publishRevocations(t, k)
	p := transparency.Folder{Files: files}
	list, err := transparency.ReadRevocations(t.Context(), p, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	log, err := transparency.OpenPublishedLog(t.Context(), p, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]int64{"VEC-IC-1": 1, "VEC-IC-2": 3} {
		since, err := list.LoggedSince(t.Context(), log, list.Find(reference))
		if err != nil || since.Entry != want {
			t.Errorf("%s is logged since %+v (%v), want entry %d", reference, since, err, want)
		}
	}
	if at := list.Find("VEC-IC-2"); at != 2 {
		t.Errorf("what was replaced and revoked is line %d", at)
	}
	if list.Find("VEC-IC-3") >= 0 {
		t.Error("the successor is in the list")
	}
	if at, err := list.At(); err != nil || at.Day() != 5 {
		t.Errorf("the list is of %v (%v)", at, err)
	}
}

func TestForgedRevocationsAreFound(t *testing.T) {
	k := newKey(t, "University")
	other, err := transparency.NewKey(strings.NewReader(strings.Repeat("x", 100)), "University")
	if err != nil {
		t.Fatal(err)
	}
	files, whole := publishRevocations(t, k)
	path := transparency.LogPrefix(k.Public()) + transparency.RevocationsFile
	lines := whole.Revocations
	dated := append([]transparency.Revocation{}, lines...)
	dated[0].At = dated[0].At.Add(-time.Hour)
	signed, err := other.SignStatement(transparency.Statement{Kind: "revocations", Origin: other.Origin(), Count: 0, SHA256: transparency.NewRevocationHash().SHA256()})
	if err != nil {
		t.Fatal(err)
	}
	empty := transparency.RevocationList{Revocations: []transparency.Revocation{}, Signed: signed}
	removed, changed := whole, whole
	removed.Revocations, changed.Revocations = lines[:2], dated
	for name, list := range map[string]transparency.RevocationList{"removed": removed, "changed": changed, "of another key": empty} {
		_, err := transparency.ReadRevocations(t.Context(), transparency.Folder{Files: edited(files, map[string][]byte{path: encoded(t, list)})}, k.Public())
		if !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A list that is signed and says that it was logged earlier than it was.
	early := whole
	early.Logged = []transparency.LoggedList{{Entry: 0, At: whole.Logged[0].At, Count: 1}}
	late := whole
	late.Logged = []transparency.LoggedList{{Entry: 1, At: whole.Logged[0].At.Add(-time.Hour), Count: 1}}
	beyond := whole
	beyond.Logged = []transparency.LoggedList{{Entry: 9, At: whole.Logged[0].At, Count: 1}}
	none := whole
	none.Logged = nil
	log, err := transparency.OpenPublishedLog(t.Context(), transparency.Folder{Files: files}, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string]transparency.RevocationList{"another entry": early, "another time": late, "no such entry": beyond, "never": none} {
		if since, err := list.LoggedSince(t.Context(), log, 0); !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %+v %v", name, since, err)
		}
	}
}

func TestPublishedLogContinues(t *testing.T) {
	k := newKey(t, "University")
	entries := entriesOf("a", 300)
	old, err := transparency.OpenPublishedLog(t.Context(), transparency.Folder{Files: publish(t, k, entries[:10])}, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	now, err := transparency.OpenPublishedLog(t.Context(), transparency.Folder{Files: publish(t, k, entries)}, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	fork, err := transparency.OpenPublishedLog(t.Context(), transparency.Folder{Files: publish(t, k, append(entriesOf("b", 1), entries[1:]...))}, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := now.Continues(t.Context(), old.Checkpoint); err != nil {
		t.Errorf("the grown log: %v", err)
	}
	if err := now.Continues(t.Context(), transparency.Checkpoint{Origin: k.Origin()}); err != nil {
		t.Errorf("the empty log: %v", err)
	}
	for name, err := range map[string]error{
		"shrunk": old.Continues(t.Context(), now.Checkpoint), "forked": fork.Continues(t.Context(), old.Checkpoint),
		"other": now.Continues(t.Context(), transparency.Checkpoint{Origin: "x"}),
	} {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entry, err := now.Entry(t.Context(), 299); err != nil || string(entry) != "a 299" {
		t.Errorf("entry 299 is %q (%v)", entry, err)
	}
	files := publish(t, k, entries)
	tile := files[transparency.LogPrefix(k.Public())+"tile/entries/001.p/44"]
	tile.Data[len(tile.Data)-1]++
	forged, err := transparency.OpenPublishedLog(t.Context(), transparency.Folder{Files: files}, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := forged.Entry(t.Context(), 299); !fault.Is(err, fault.Damaged) {
		t.Errorf("a changed entry: %v", err)
	}
}
