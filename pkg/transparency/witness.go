package transparency

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Witness cosigns the checkpoints of logs, each only when it continues the one before
// (c2sp.org/tlog-witness). So nobody can show one history to some and another one to others.
// It keeps the last checkpoint of each log before it signs.
type Witness struct {
	folder string
	signer *torchwood.CosignatureSigner
	logs   map[string]note.Verifier // by origin

	mu sync.Mutex
}

// witnessKeyFile is the file of a witness's key in its folder.
const witnessKeyFile = "witness.key"

// OpenWitness opens the witness in a folder for the logs with public keys. Where the folder has
// no key, one is drawn for the name.
func OpenWitness(folder, name string, random io.Reader, logs []string) (*Witness, error) {
	w := &Witness{folder: folder, logs: map[string]note.Verifier{}}
	for _, public := range logs {
		v, err := note.NewVerifier(public)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%q is no public key of a log; it looks like ORIGIN+HASH+KEY", public))
		}
		w.logs[v.Name()] = v
	}
	path := filepath.Join(folder, witnessKeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = drawWitnessKey(path, name, random)
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "reading the key of the witness")
	}
	known, seed, err := splitPrivateKey(string(text))
	if err != nil {
		return nil, err
	}
	if name != "" && name != known {
		return nil, fault.Newf(fault.Invalid, "the witness in %s is called %s; name another folder for another witness", folder, known)
	}
	if w.signer, err = torchwood.NewCosignatureSigner(known, ed25519.NewKeyFromSeed(seed)); err != nil {
		return nil, fmt.Errorf("the key of the witness: %w", err)
	}
	return w, nil
}

// drawWitnessKey draws a key and keeps it.
func drawWitnessKey(path, name string, random io.Reader) ([]byte, error) {
	if name == "" || strings.ContainsAny(name, "+ \t\n") {
		return nil, fault.New(fault.Invalid, "a new witness needs a name without spaces and plus signs, such as archive.example.edu")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	private, _, err := note.GenerateKey(random, name)
	if err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	return []byte(private), fsutil.ReplaceFile(path, []byte(private+"\n"))
}

// splitPrivateKey returns the name and the seed of a private key of signed notes.
func splitPrivateKey(text string) (name string, seed []byte, err error) {
	parts := strings.SplitN(strings.TrimSpace(text), "+", 5) // PRIVATE+KEY+name+hash+base64
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 5 || len(raw) != 1+ed25519.SeedSize {
		return "", nil, fault.New(fault.Damaged, "the key of the witness cannot be read; restore it")
	}
	return parts[2], raw[1:], nil
}

// PublicKey is the key with which cosignatures are checked (c2sp.org/tlog-cosignature).
func (w *Witness) PublicKey() string { return w.signer.Verifier().String() }

// refusal is why a witness does not cosign, as the specification answers it.
type refusal struct {
	status  int
	known   int64 // the size that is known, of a conflict
	message string
}

func (r *refusal) Error() string { return r.message }

// maxWitnessBody bounds a request: 63 hashes and a checkpoint.
const maxWitnessBody = 64 << 10

// ServeHTTP answers POST /add-checkpoint.
func (w *Witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasSuffix(r.URL.Path, "/add-checkpoint"):
		http.NotFound(out, r)
		return
	case r.Method != http.MethodPost:
		out.Header().Set("Allow", http.MethodPost)
		http.Error(out, "only POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxWitnessBody))
	if err != nil {
		http.Error(out, "the request cannot be read", http.StatusBadRequest)
		return
	}
	cosignatures, err := w.AddCheckpoint(body)
	if no, ok := errors.AsType[*refusal](err); ok {
		if no.status == http.StatusConflict {
			out.Header().Set("Content-Type", "text/x.tlog.size")
			out.WriteHeader(no.status)
			fmt.Fprintf(out, "%d\n", no.known)
			return
		}
		http.Error(out, no.message, no.status)
		return
	}
	if err != nil {
		http.Error(out, "the checkpoint cannot be kept", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = out.Write(cosignatures) // a client who has gone does not wait for it
}

// AddCheckpoint judges a request and returns the lines of the cosignature.
func (w *Witness) AddCheckpoint(body []byte) ([]byte, error) {
	old, proof, signed, err := parseAddCheckpoint(body)
	if err != nil {
		return nil, err
	}
	origin, _, _ := strings.Cut(string(signed), "\n")
	v := w.logs[origin]
	if v == nil {
		return nil, &refusal{status: http.StatusNotFound, message: "this witness does not know the log"}
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return nil, &refusal{status: http.StatusForbidden, message: "the checkpoint is not signed by the log's key"}
	}
	c, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil || c.Origin != origin || old > c.N {
		return nil, &refusal{status: http.StatusBadRequest, message: "the request is no checkpoint that follows an older one"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.follow(c, old, proof); err != nil {
		return nil, err
	}
	cosigned, err := note.Sign(&note.Note{Text: n.Text}, w.signer)
	if err != nil {
		return nil, fmt.Errorf("cosign a checkpoint: %w", err)
	}
	_, lines, _ := bytes.Cut(cosigned, []byte("\n\n"))
	return lines, nil
}

// follow checks that a checkpoint continues the one before, and keeps it.
func (w *Witness) follow(c torchwood.Checkpoint, old int64, proof tlog.TreeProof) error {
	last, err := w.last(c.Origin)
	if err != nil {
		return err
	}
	conflict := &refusal{status: http.StatusConflict, known: last.Size, message: "the last checkpoint that is known has another size"}
	switch {
	case old != last.Size:
		return conflict
	case c.N == last.Size && last.Size > 0:
		if c.Hash != last.Root {
			return conflict // another history of the same size
		}
		return nil
	case last.Size == 0:
		if len(proof) > 0 {
			return &refusal{status: http.StatusBadRequest, message: "a first checkpoint has no consistency proof"}
		}
	case tlog.CheckTree(proof, c.N, c.Hash, last.Size, last.Root) != nil:
		return &refusal{status: http.StatusUnprocessableEntity, message: "the checkpoint does not continue the last one that is known"}
	}
	data, err := json.Marshal(Checkpoint{Origin: c.Origin, Size: c.N, Root: c.Hash})
	if err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	return fsutil.ReplaceFile(w.path(c.Origin), append(data, '\n'))
}

// path is the file of the last checkpoint of a log, whose name may hold any letters.
func (w *Witness) path(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(w.folder, hex.EncodeToString(sum[:16])+".json")
}

// last is the last checkpoint of a log; of size 0 where there is none.
func (w *Witness) last(origin string) (c Checkpoint, err error) {
	data, err := os.ReadFile(w.path(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fsutil.DiskError(err, "reading the last checkpoint")
	}
	if err := json.Unmarshal(data, &c); err != nil || c.Origin != origin {
		return c, fault.Newf(fault.Damaged, "%s is damaged; restore it: without it, the witness could sign another history", w.path(origin))
	}
	return c, nil
}

// parseAddCheckpoint splits a request: "old SIZE", the lines of the consistency proof, an empty
// line, and the checkpoint.
func parseAddCheckpoint(body []byte) (old int64, proof tlog.TreeProof, signed []byte, err error) {
	bad := &refusal{status: http.StatusBadRequest, message: "the request is not of the form of c2sp.org/tlog-witness"}
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	number, isOld := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(number, 10, 64)
	const maxProof = 63
	if !ok || !isOld || err != nil || old < 0 || strconv.FormatInt(old, 10) != number || len(lines)-1 > maxProof {
		return 0, nil, nil, bad
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, nil, bad
		}
		proof = append(proof, h)
	}
	return old, proof, signed, nil
}
