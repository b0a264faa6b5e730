package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// How long programs of others may take. That fsck reads a damaged bundle for ever is known.
const (
	buildTimeout = 20 * time.Minute
	checkTimeout = 30 * time.Second
)

// outside runs a command in a folder under a time limit.
func outside(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	limit := checkTimeout
	if name == "go" {
		limit = buildTimeout
	}
	ctx, stop := context.WithTimeout(t.Context(), limit)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -p=2")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Verifiers that others wrote accept the published log and a proof out of a PDF, and refuse both
// when they were changed. They are built from the module proxy.
func TestOutsideVerifiersAcceptTheLog(t *testing.T) {
	if !long() {
		t.Skip("builds other programs from the module proxy; set VECCTL_LONG")
	}
	s := newSite(t)
	path := func(name string) string { return filepath.Join(s.dir, name) }
	must(t, os.MkdirAll(path("outside"), 0o755))
	must(t, os.WriteFile(path("outside/go.mod"), []byte("module outside\n\ngo 1.24\n"), 0o600))
	for _, tool := range []string{"filippo.io/torchwood/cmd/spicy@v0.9.0", "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"} {
		program, _, _ := strings.Cut(tool, "@")
		if out, err := outside(t, path("outside"), "go", "get", tool); err != nil {
			t.Skipf("the module proxy does not serve %s: %v\n%s", tool, err, out)
		}
		if out, err := outside(t, path("outside"), "go", "build", "-o", path("outside")+"/", program); err != nil {
			t.Fatalf("%s cannot be built: %v\n%s", tool, err, out)
		}
	}
	s.bulk(0, "--files", s.docs, s.batch(300))
	issued := s.all()
	s.done("revoke", issued[1].UUID, "--reason", "mistaken", "--yes")
	s.done("export", "site", path("site"))
	var logs []adminclient.LogStatus
	must(t, json.Unmarshal([]byte(s.done("tlog", "status", "--json").stdout), &logs))
	must(t, os.WriteFile(path("log.pub"), []byte(logs[0].Key+"\n"), 0o600))
	folder := filepath.Join(path("site"), "log", logs[0].ID)

	if out, err := outside(t, s.dir, path("outside/fsck"), "--storage_url=file://"+folder+"/", "--origin="+logs[0].Origin, "--public_key="+path("log.pub"), "--ui=false"); err != nil {
		t.Errorf("fsck does not accept the log: %v\n%s", err, out)
	}
	s.done("tlog", "proof", issued[0].UUID, "--out", path("tlog-proof"))
	entry := entryOf(t, folder, path("tlog-proof"))
	// This spicy knows proofs without the line of their version, and without a salt.
	text, err := os.ReadFile(path("tlog-proof"))
	must(t, err)
	_, bare, _ := strings.Cut(string(text), "\nindex ")
	must(t, os.WriteFile(path("proof.spicy"), []byte("index "+bare), 0o600))
	must(t, os.WriteFile(path("proof"), entry, 0o600))
	if out, err := outside(t, s.dir, path("outside/spicy"), "-verify", logs[0].Key, path("proof")); err != nil {
		t.Errorf("spicy does not accept the proof: %v\n%s", err, out)
	}
	must(t, os.WriteFile(path("proof"), append([]byte{entry[0] ^ 1}, entry[1:]...), 0o600))
	if out, err := outside(t, s.dir, path("outside/spicy"), "-verify", logs[0].Key, path("proof")); err == nil {
		t.Errorf("spicy accepts the proof of another entry:\n%s", out)
	}
	bundle := filepath.Join(folder, "tile", "entries", "000")
	data, err := os.ReadFile(bundle)
	must(t, err)
	data[len(data)-1] ^= 1
	must(t, os.WriteFile(bundle, data, 0o600))
	// Accepted or refused: one that does not come to an end has not accepted it.
	if out, err := outside(t, s.dir, path("outside/fsck"), "--storage_url=file://"+folder+"/", "--origin="+logs[0].Origin, "--public_key="+path("log.pub"), "--ui=false"); err == nil {
		t.Errorf("fsck accepts an edited log:\n%s", out)
	}
}

// entryOf returns the entry that a proof is of, from the published log.
func entryOf(t *testing.T, folder, proof string) []byte {
	t.Helper()
	text, err := os.ReadFile(proof)
	must(t, err)
	_, after, _ := strings.Cut(string(text), "\nindex ")
	number, _, _ := strings.Cut(after, "\n")
	var index int
	must(t, json.Unmarshal([]byte(number), &index))
	const width, length = 256, 2 + 32
	files, err := filepath.Glob(filepath.Join(folder, "tile", "entries", "00"+string(rune('0'+index/width))+"*"))
	must(t, err)
	if len(files) == 0 {
		t.Fatalf("entry %d is in no bundle", index)
	}
	name := files[0]
	if info, err := os.Stat(name); err == nil && info.IsDir() { // a bundle that is not full
		parts, err := filepath.Glob(filepath.Join(name, "*"))
		must(t, err)
		name = parts[len(parts)-1]
	}
	data, err := os.ReadFile(name)
	must(t, err)
	at := index % width * length
	return data[at+2 : at+length]
}
