package openbadge_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/openbadge"
)

// outsideVerdict is what other makers' software says of a credential.
type outsideVerdict struct {
	Proof struct {
		Verified, Revoked bool
		Error             string
	}
	Token struct {
		Verified bool
		Error    string
	}
}

// TestOutsideVerifiers has @digitalbazaar/vc with eddsa-rdfc-2022 and a Bitstring Status List, and
// jose, judge what this package signs: genuine, in any script, altered, revoked, ended, and by a
// key that the issuer does not list.
func TestOutsideVerifiers(t *testing.T) {
	t.Parallel()
	script := os.Getenv("VECCTL_CREDENTIALS")
	if script == "" {
		t.Skip("VECCTL_CREDENTIALS names no verifier of credentials; scripts/test installs it")
	}
	list := openbadge.NewStatusList()
	list.Set(4711)
	type want struct{ proof, token, revoked bool }
	var files []string
	var wanted []want
	dir := t.TempDir()
	add := func(name string, i *issuer, a openbadge.Award, at time.Time, change [2]string, w want) {
		signed := i.signed(a)
		documents := map[string]json.RawMessage{}
		for address, d := range i.documents {
			documents[address] = d
		}
		credential := json.RawMessage(strings.Replace(string(signed["json"]), change[0], change[1], 1))
		path := filepath.Join(dir, name+".json")
		data := i.json(map[string]any{"credential": credential, "token": strings.TrimSpace(string(signed["jwt"])), "documents": documents, "now": at})
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files, wanted = append(files, path), append(wanted, w)
	}
	i := newIssuer(t)
	add("genuine", i, award("Diploma", "Ada"), now(), [2]string{}, want{true, true, false})
	add("scripts", i, award(`محمد 王 "x" \ <b> 😀`, "नमस्ते "+strings.Repeat("ß", 240)), now(), [2]string{}, want{true, true, false})
	endless := award("Diploma", "")
	endless.ValidUntil, endless.Picture = time.Time{}, ""
	add("endless", i, endless, now().AddDate(0, 0, 3), [2]string{}, want{true, true, false})
	add("altered", i, award("Diploma", "Ada"), now(), [2]string{`"Diploma"`, `"Diplome"`}, want{false, true, false})
	add("ended", i, award("Diploma", "Ada"), now().AddDate(3, 0, 0), [2]string{}, want{false, false, false})
	i.publish(list, farAway())
	add("revoked", i, award("Diploma", "Ada"), now(), [2]string{}, want{true, true, true})
	foreign := newIssuer(t)
	foreign.lists(foreign.newKey(1))
	add("foreign", foreign, award("Diploma", "Ada"), now(), [2]string{}, want{false, false, false})
	out, err := exec.CommandContext(t.Context(), "node", append([]string{script}, files...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d answers about %d files:\n%s", len(lines), len(files), out)
	}
	for n, line := range lines {
		var got outsideVerdict
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if (want{got.Proof.Verified, got.Token.Verified, got.Proof.Revoked}) != wanted[n] {
			t.Errorf("%s: %s, want %+v", filepath.Base(files[n]), line, wanted[n])
		}
	}
}
