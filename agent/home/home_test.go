package home_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

func TestDefaultPlace(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems have a place of their own")
	}
	t.Setenv("HOME", "/home/ada")
	for given, want := range map[string]string{
		"": "/home/ada/.local/share/vecctl", "/data": "/data/vecctl", "relative": "/home/ada/.local/share/vecctl",
	} {
		got, err := home.Default(func(name string) string {
			if name == "XDG_DATA_HOME" {
				return given
			}
			return ""
		})
		if string(got) != want || err != nil {
			t.Errorf("XDG_DATA_HOME=%q: %s, %v; want %s", given, got, err, want)
		}
	}
	t.Setenv("HOME", "")
	if _, err := home.Default(func(string) string { return "" }); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "--home") {
		t.Errorf("without a home directory: %v", err)
	}
}

func TestExists(t *testing.T) {
	write := func(t *testing.T, path, body string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		make   func(*testing.T, home.Dir)
		exists bool
		kind   fault.Kind // of the error; Internal is none
	}{
		{"nothing", func(*testing.T, home.Dir) {}, false, 0},
		{"settings alone", func(t *testing.T, d home.Dir) { write(t, d.Config(), "") }, false, 0},
		{"a database that a crash left empty", func(t *testing.T, d home.Dir) { write(t, d.Database(), "") }, false, 0},
		{"a home", func(t *testing.T, d home.Dir) {
			write(t, d.Database(), "data")
			if err := os.Mkdir(d.Blobs(), 0o700); err != nil {
				t.Fatal(err)
			}
		}, true, 0},
		{"a home whose database was emptied", func(t *testing.T, d home.Dir) {
			write(t, d.Database(), "")
			if err := os.Mkdir(d.Blobs(), 0o700); err != nil {
				t.Fatal(err)
			}
		}, false, fault.Damaged},
		{"a home without its database", func(t *testing.T, d home.Dir) {
			if err := os.Mkdir(d.Blobs(), 0o700); err != nil {
				t.Fatal(err)
			}
		}, false, fault.Damaged},
		{"a file", func(t *testing.T, d home.Dir) {
			if err := errors.Join(os.Remove(string(d)), os.WriteFile(string(d), nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, false, fault.Invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := home.Dir(t.TempDir())
			test.make(t, d)
			exists, err := d.Exists()
			if exists != test.exists || (err != nil) != (test.kind != fault.Internal) || err != nil && !fault.Is(err, test.kind) {
				t.Errorf("exists %v, %v", exists, err)
			}
		})
	}
}

func TestMakeClosesItToOthers(t *testing.T) {
	d := home.Dir(filepath.Join(t.TempDir(), "a", "b"))
	for range 2 {
		if err := d.Make(); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{string(d), d.Keys(), d.Verified()} {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}

func TestLockedNamesTheHolder(t *testing.T) {
	d := home.Dir(t.TempDir())
	cause := errors.New("timeout")
	says := func(words ...string) {
		t.Helper()
		err := d.LockedError(cause)
		for _, w := range words {
			if !fault.Is(err, fault.Locked) || !errors.Is(err, cause) || !strings.Contains(err.Error(), w) {
				t.Errorf("got %v, want %q", err, w)
			}
		}
	}
	says("another process holds", string(d), "--home")
	if err := d.WriteLockInfo(home.LockInfo{PID: 4711, Command: "vecctl bulk", Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	says("process 4711 (vecctl bulk, since ", string(d))
	d.RemoveLockInfo()
	says("another process holds")
}

func TestTheSigningKey(t *testing.T) {
	d := home.Dir(t.TempDir())
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(d.Keys(), "signing.pem")
	if has, err := d.HasSigner(1); has || err != nil {
		t.Fatalf("a new home has a key: %v, %v", has, err)
	}
	made, err := d.MakeSigner(rand.Reader, 1, pdf.DefaultKeyAlgorithm, "Test University", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := d.Signer(1)
	if err != nil || !bytes.Equal(loaded.Certificate().Raw, made.Certificate().Raw) {
		t.Fatalf("another key is loaded than was made: %v", err)
	}
	if has, err := d.HasSigner(1); !has || err != nil {
		t.Fatalf("the key is not seen: %v, %v", has, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = d.Signer(1)
	if !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken key: %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != "rubbish" {
		t.Error("a broken key was replaced in silence")
	}
}

// A home that was copied while its agent ran holds that agent's note, which says nothing of
// the copy.
func TestANoteOfAnotherHomeIsIgnored(t *testing.T) {
	t.Parallel()
	original, copied := home.Dir(t.TempDir()), home.Dir(t.TempDir())
	l, endpoint, err := original.Listen(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	loopback, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer loopback.Close()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(string(original), link); err != nil {
		t.Fatal(err)
	}
	for _, at := range []home.Endpoint{endpoint, {Network: "tcp", Address: loopback.Addr().String(), Key: "k"}} {
		if err := original.WriteLockInfo(home.LockInfo{PID: 4711, Command: "vecctl agent", Since: time.Now(), Endpoint: &at}); err != nil {
			t.Fatal(err)
		}
		note, err := os.ReadFile(filepath.Join(string(original), "holder.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(string(copied), "holder.json"), note, 0o600); err != nil {
			t.Fatal(err)
		}
		for dir, want := range map[home.Dir]bool{original: true, home.Dir(link): true, copied: false} {
			if got, running := dir.Running(); running != want || running && got != at {
				t.Errorf("an agent at %s: %+v, %v; want %v", dir, got, running, want)
			}
		}
		if err := copied.LockedError(errors.New("busy")); strings.Contains(err.Error(), "4711") {
			t.Errorf("the copy is said to be held by the original's agent: %v", err)
		}
	}
	// An earlier version wrote no home down; where its agent answers says it.
	old, err := json.Marshal(map[string]any{"pid": 4711, "endpoint": endpoint})
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[home.Dir]bool{original: true, copied: false} {
		if err := os.WriteFile(filepath.Join(string(dir), "holder.json"), old, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, running := dir.Running(); running != want {
			t.Errorf("an agent of an earlier version at %s: %v, want %v", dir, running, want)
		}
	}
}
