package doctor_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/doctor"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

var now = time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)

// vault answers with what a test gives it.
type vault struct {
	status  adminclient.AgentStatus
	pages   [][]client.Certificate
	listErr error
	keysErr error
	keys    []adminclient.Key
	tested  []adminclient.KeyCheck
	listed  []int
	body    string
	whole   adminclient.Verification
}

func (v *vault) VerifyHome(context.Context) (adminclient.Verification, error) { return v.whole, nil }

func (v *vault) AgentStatus(context.Context) (adminclient.AgentStatus, error) { return v.status, nil }

func (v *vault) Keys(context.Context) ([]adminclient.Key, error) { return v.keys, v.keysErr }

func (v *vault) TestKeys(context.Context) ([]adminclient.KeyCheck, error) { return v.tested, nil }

func (v *vault) List(_ context.Context, f client.Filter) (client.Page[client.Certificate], error) {
	v.listed = append(v.listed, f.Page)
	p := client.Page[client.Certificate]{Meta: client.Meta{LastPage: max(1, len(v.pages))}}
	if f.Page <= len(v.pages) {
		p.Data = v.pages[f.Page-1]
	}
	return p, v.listErr
}

func (v *vault) Download(_ context.Context, _ string, w io.Writer) (int64, error) {
	n, err := io.WriteString(w, v.body)
	return int64(n), err
}

func approved(body string, at time.Time) client.Certificate {
	sum := sha256.Sum256([]byte(body))
	return client.Certificate{UUID: "u", ReferenceID: "VEC-IC-1", Status: client.Status{Value: "approved"},
		Verified: &client.Verified{SHA256: hex.EncodeToString(sum[:])}, CreatedAt: at}
}

// well is a patient with whom nothing is wrong.
func well(t *testing.T) (doctor.Target, *vault) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	v := &vault{status: adminclient.AgentStatus{TimeZone: "Europe/Warsaw"}, body: "pdf",
		pages: [][]client.Certificate{{approved("pdf", now.Add(-time.Hour))}}}
	return doctor.Target{
		Home: dir, Secrets: []string{dir, filepath.Join(dir, "missing")}, Drop: filepath.Join(dir, "drop"),
		Keys: []string{key(t, dir, 10, now)}, BaseURL: "https://example.com", Default: "http://127.0.0.1:7780",
		DiskOf: func(string) (doctor.Disk, error) {
			return doctor.Disk{Free: 10 << 30, Total: 20 << 30, Kind: "ext4"}, nil
		},
		Transport: elsewhere{server}, Now: func() time.Time { return now }, Vault: v, Running: true,
	}, v
}

// elsewhere sends all calls to a server, which has a certificate for example.com.
type elsewhere struct{ server *httptest.Server }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	to := r.Clone(r.Context())
	to.URL.Host = e.server.Listener.Addr().String()
	to.Host = r.URL.Host
	return e.server.Client().Transport.RoundTrip(to)
}

func key(t *testing.T, dir string, years int, at time.Time) string {
	t.Helper()
	k, c, err := pdf.NewSelfSigned(rand.Reader, "X", at, years)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "signing.pem")
	if err := os.WriteFile(path, append(k, c...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingIsWrong(t *testing.T) {
	p, _ := well(t)
	found := p.Run(t.Context())
	if !doctor.Healthy(found) {
		t.Errorf("found %+v", found)
	}
	entries, err := os.ReadDir(p.Home)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A link says 0777 on Linux, and means nothing by it.
func TestALinkedFolderIsNotOpenToOthers(t *testing.T) {
	p, _ := well(t)
	link := filepath.Join(t.TempDir(), "keys")
	if err := os.Symlink(p.Home, link); err != nil {
		t.Skip("no links here:", err)
	}
	p.Secrets = append(p.Secrets, link)
	if found := p.Run(t.Context()); !doctor.Healthy(found) {
		t.Errorf("found %+v", found)
	}
}

func TestFindings(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, p *doctor.Target, v *vault)
		check string
		level doctor.Level
		words string
	}{
		"an open home": {func(t *testing.T, p *doctor.Target, _ *vault) {
			if runtime.GOOS == "windows" {
				t.Skip("no permissions of this kind")
			}
			if err := os.Chmod(p.Home, 0o750); err != nil {
				t.Fatal(err)
			}
		}, "permissions", doctor.Wrong, "0750"},
		"what root left behind": {func(t *testing.T, p *doctor.Target, _ *vault) {
			if os.Getuid() != 0 {
				t.Skip("only root can give files away")
			}
			folder := filepath.Join(p.Home, "verified", "batch")
			if err := errors.Join(os.MkdirAll(folder, 0o700), os.Chown(p.Home, 65534, -1), os.Chown(filepath.Dir(folder), 65534, -1)); err != nil {
				t.Fatal(err)
			}
		}, "owner", doctor.Wrong, "belongs to the user root"},
		"little room": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.DiskOf = func(string) (doctor.Disk, error) { return doctor.Disk{Free: 100 << 20, Total: 20 << 30}, nil }
		}, "space", doctor.Wrong, "0.1 GB of 20.0 GB"},
		"a network share": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.DiskOf = func(string) (doctor.Disk, error) {
				return doctor.Disk{Free: 9 << 30, Total: 20 << 30, Kind: "nfs", Network: true}, nil
			}
		}, "disk", doctor.Wrong, "nfs"},
		"a disk that whose free space cannot be read": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.DiskOf = func(string) (doctor.Disk, error) { return doctor.Disk{}, errors.ErrUnsupported }
		}, "disk", doctor.Note, "cannot be read"},
		"a drop folder on a share": {func(t *testing.T, p *doctor.Target, _ *vault) {
			p.Drop = t.TempDir()
			p.DiskOf = func(folder string) (doctor.Disk, error) {
				return doctor.Disk{Free: 9 << 30, Total: 20 << 30, Network: folder == p.Drop}, nil
			}
		}, "drop", doctor.Wrong, "network share"},
		"a drop folder that others can write": {func(t *testing.T, p *doctor.Target, _ *vault) {
			p.Drop = t.TempDir()
			if err := os.Chmod(p.Drop, 0o777); err != nil {
				t.Fatal(err)
			}
		}, "drop", doctor.Note, "every user of this machine can write"},
		"a drop folder that its group can write": {func(t *testing.T, p *doctor.Target, _ *vault) {
			p.Drop = t.TempDir()
			if err := os.Chmod(p.Drop, 0o770); err != nil {
				t.Fatal(err)
			}
		}, "drop", doctor.Note, "every member of its group can write"},
		"a drop folder beside nothing": {func(t *testing.T, p *doctor.Target, _ *vault) {
			p.Drop = filepath.Join(t.TempDir(), "a", "b")
		}, "drop", doctor.Note, "could not be tried"},
		"a key that ends": {func(t *testing.T, p *doctor.Target, _ *vault) {
			p.Keys = []string{key(t, p.Home, 1, now.AddDate(-1, 0, 30))}
		}, "signing-key", doctor.Wrong, "in 30 days"},
		"a key that has ended": {func(t *testing.T, p *doctor.Target, _ *vault) {
			p.Keys = []string{key(t, p.Home, 1, now.AddDate(-2, 0, 0))}
		}, "signing-key", doctor.Wrong, "has ended"},
		"a damaged key": {func(t *testing.T, p *doctor.Target, _ *vault) {
			if err := os.WriteFile(p.Keys[0], []byte("-----BEGIN"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "signing-key", doctor.Wrong, "is damaged"},
		"a signer that does not sign": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.keys = []adminclient.Key{{What: adminclient.InstitutionKey, Location: "exec:/usr/bin/helper"}}
			v.tested = []adminclient.KeyCheck{{Of: "Law", Location: adminclient.InFile, Problem: "told elsewhere"}, {Of: "Medicine", Location: "exec:/usr/bin/helper", Problem: "the token is gone"}}
		}, "signer", doctor.Wrong, "the signing key of Medicine does not sign: the token is gone"},
		"a signer that signs": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.keys = []adminclient.Key{{What: adminclient.InstitutionKey, Location: "exec:/usr/bin/helper"}}
			v.tested = []adminclient.KeyCheck{{Of: "Medicine", Location: "exec:/usr/bin/helper"}}
		}, "signer", doctor.OK, "the signing key of Medicine signs, in exec:/usr/bin/helper"},
		"no key": {func(_ *testing.T, p *doctor.Target, _ *vault) { p.Keys = nil }, "signing-key", doctor.Note, "no signing key"},
		"no base URL": {func(_ *testing.T, p *doctor.Target, _ *vault) { p.BaseURL = p.Default },
			"base-url", doctor.Wrong, "no base URL is set"},
		"a base URL of this machine": {func(_ *testing.T, p *doctor.Target, _ *vault) { p.BaseURL = "https://localhost" },
			"base-url", doctor.Wrong, "this machine alone"},
		"no TLS": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.BaseURL, p.Transport = "http://example.com", refuse{fs.ErrNotExist}
		}, "tls", doctor.Wrong, "without TLS"},
		"nobody there": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.Transport = refuse{errors.New("connection refused")}
		},
			"base-url", doctor.Wrong, "connection refused"},
		"a certificate that nobody vouches for": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			e, _ := p.Transport.(elsewhere)
			p.Transport = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, e.server.Listener.Addr().String())
			}}
		}, "tls", doctor.Wrong, "browsers will refuse"},
		"a certificate that ends": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.Now = func() time.Time { return time.Date(2084, 1, 20, 0, 0, 0, 0, time.UTC) }
		}, "tls", doctor.Wrong, "ends on"},
		"a time zone that is not known": {func(_ *testing.T, _ *doctor.Target, v *vault) { v.status.TimeZone = "Mars/Olympus" },
			"time-zone", doctor.Wrong, "Mars/Olympus"},
		"UTC": {func(_ *testing.T, _ *doctor.Target, v *vault) { v.status.TimeZone = "UTC" }, "time-zone", doctor.Note, "UTC"},
		"a clock that stands at the epoch": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.Now = func() time.Time { return time.Unix(0, 0).UTC() }
		}, "clock", doctor.Wrong, "1970"},
		"a clock behind the newest certificate": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.pages[0][0].CreatedAt = now.Add(time.Hour)
		}, "clock", doctor.Wrong, "was issued at"},
		"a clock that the agent finds wrong": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.status.Problems = []adminclient.Problem{{Kind: adminclient.ClockProblem, Message: "the clock is an hour off"}}
		}, "clock", doctor.Wrong, "an hour off"},
		"a damaged record": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.listErr = fault.New(fault.Damaged, "a record of the database is damaged")
		}, "database", doctor.Wrong, "a record of the database is damaged"},
		"a damaged document": {func(_ *testing.T, _ *doctor.Target, v *vault) { v.body = "another" },
			"database", doctor.Wrong, "VEC-IC-1 is not what was signed"},
		"the key of secrets is lost": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.keysErr = fault.New(fault.Damaged, "keys/secrets.key is missing")
		}, "keys", doctor.Wrong, "secrets.key is missing"},
		"what the agent says": {func(_ *testing.T, _ *doctor.Target, v *vault) {
			v.status.Problems = []adminclient.Problem{{Kind: "disk", Message: "the disk is full"}}
		}, "disk", doctor.Wrong, "the disk is full"},
		"letters that no font holds": {func(_ *testing.T, p *doctor.Target, v *vault) {
			v.pages[0][0].Name, v.pages[0][0].Title = "홍길동", "Diploma"
			p.MissingCharacters = func(texts []string) ([]string, error) {
				if strings.Join(texts, "|") != "홍길동|Diploma" {
					return nil, errors.New("asked for " + strings.Join(texts, "|"))
				}
				return []string{"길", "동", "홍"}, nil
			}
		}, "fonts", doctor.Note, "no font here holds 길 동 홍"},
		"no agent": {func(_ *testing.T, p *doctor.Target, _ *vault) { p.Running = false }, "agent", doctor.Note, "no agent runs"},
		"a vault that cannot be asked": {func(_ *testing.T, p *doctor.Target, _ *vault) {
			p.Vault, p.OpenFailure = nil, &doctor.Finding{Check: "database", Level: doctor.Wrong, Message: "it is damaged"}
		}, "database", doctor.Wrong, "it is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			p, v := well(t)
			test.spoil(t, &p, v)
			found := p.Run(t.Context())
			for _, f := range found {
				if f.Check == test.check && f.Level == test.level && strings.Contains(f.Message, test.words) {
					if f.Level == doctor.Wrong && f.Fix == "" && p.Vault != nil {
						t.Errorf("it does not say how to fix it: %+v", f)
					}
					if doctor.Healthy(found) != (test.level != doctor.Wrong) {
						t.Errorf("healthy is %v with %+v", doctor.Healthy(found), found)
					}
					return
				}
			}
			t.Errorf("found %+v", found)
		})
	}
}

type refuse struct{ err error }

func (r refuse) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

func TestTheWholeDatabaseIsSampled(t *testing.T) {
	p, v := well(t)
	v.pages = make([][]client.Certificate, 50)
	for i := range v.pages {
		v.pages[i] = []client.Certificate{approved("pdf", now)}
	}
	if found := p.Run(t.Context()); !doctor.Healthy(found) {
		t.Fatalf("found %+v", found)
	}
	if n := len(v.listed); n < 5 || v.listed[0] != 1 || v.listed[n-1] != 50 {
		t.Errorf("looked at pages %v of 50", v.listed)
	}
	v.pages, v.listed = v.pages[:2], nil
	p.Run(t.Context())
	if len(v.listed) != 2 {
		t.Errorf("looked at pages %v of 2", v.listed)
	}
}
