package home

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Endpoint is where an agent answers its staff: a unix socket in the home, or,
// where one cannot serve, a loopback port with a key that only the home's owner
// can read.
type Endpoint struct {
	Network string `json:"network"` // "unix" or "tcp"
	Address string `json:"address"`
	Key     string `json:"key,omitempty"` // sent as KeyHeader over tcp
}

// KeyHeader carries an endpoint's key.
const KeyHeader = "X-Vecctl-Key"

// maxSocketPath is the length of a path that every system takes for a socket.
const maxSocketPath = 100

func (d Dir) socket() string { return d.join("agent.sock") }

// Listen opens the staff's door. The home must be held: a socket that lies there
// is then nobody's.
func (d Dir) Listen(random io.Reader) (net.Listener, Endpoint, error) {
	if runtime.GOOS == "windows" || len(d.socket()) > maxSocketPath {
		return listenLoopback(random)
	}
	if err := os.Remove(d.socket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, Endpoint{}, fsutil.DiskError(err, "removing an old socket")
	}
	// The home is closed to others, so nobody gets in before the chmod.
	l, err := net.Listen("unix", d.socket())
	if err != nil {
		return listenLoopback(random) // a file system without sockets
	}
	if err := os.Chmod(d.socket(), 0o600); err != nil {
		return nil, Endpoint{}, errors.Join(fsutil.DiskError(err, "closing the socket to others"), l.Close())
	}
	return l, Endpoint{Network: "unix", Address: d.socket()}, nil
}

func listenLoopback(random io.Reader) (net.Listener, Endpoint, error) {
	var bits [32]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return nil, Endpoint{}, fmt.Errorf("drawing a key: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, Endpoint{}, fmt.Errorf("listening for staff: %w", err)
	}
	key := base64.RawURLEncoding.EncodeToString(bits[:])
	return l, Endpoint{Network: "tcp", Address: l.Addr().String(), Key: key}, nil
}

// RequireKey lets only those in who know the endpoint's key.
func (e Endpoint) RequireKey(next http.Handler) http.Handler {
	if e.Key == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(KeyHeader)), []byte(e.Key)) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.Header.Del(KeyHeader)
		next.ServeHTTP(w, r)
	})
}

// Running finds the agent that answers for this home, if one does.
func (d Dir) Running() (Endpoint, bool) {
	const patience = time.Second
	h, ok := d.readLockInfo()
	if !ok || h.Endpoint == nil {
		return Endpoint{}, false
	}
	conn, err := net.DialTimeout(h.Endpoint.Network, h.Endpoint.Address, patience)
	if err != nil {
		return Endpoint{}, false
	}
	_ = conn.Close()
	return *h.Endpoint, true
}
