package transparency

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Key signs the checkpoints of one log. It is an Ed25519 key of its own, used for nothing else.
type Key struct {
	signer note.Signer
	public string
	text   string
}

// NewKey draws a key for a new log. The origin is the log's name for good: it is made of a
// name that people know and a part that no other log has.
func NewKey(random io.Reader, institution string) (*Key, error) {
	id := make([]byte, 8)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("name a log: %w", err)
	}
	origin := originName(institution) + "/log/" + hex.EncodeToString(id)
	private, _, err := note.GenerateKey(random, origin)
	if err != nil {
		return nil, fmt.Errorf("make a log's key: %w", err)
	}
	return ParseKey(private)
}

// originName reduces an institution's name to the letters and digits of an origin, which has
// neither spaces nor plus signs.
func originName(institution string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(institution) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
		default:
			dash = true
		}
		if b.Len() > 40 {
			break
		}
	}
	if b.Len() == 0 {
		return "institution"
	}
	return b.String()
}

// ParseKey reads a key as String wrote it.
func ParseKey(text string) (*Key, error) {
	signer, err := note.NewSigner(strings.TrimSpace(text))
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the log's key cannot be read; restore it from a backup")
	}
	// PRIVATE+KEY+name+hash+base64 of the algorithm's byte and the seed
	parts := strings.SplitN(strings.TrimSpace(text), "+", 5)
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, fault.New(fault.Damaged, "the log's key is of a kind that is not known here; restore it from a backup")
	}
	public, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, fault.New(fault.Damaged, "the log's key is no Ed25519 key")
	}
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return nil, fmt.Errorf("the log's public key: %w", err)
	}
	return &Key{signer: signer, public: verifier, text: strings.TrimSpace(text)}, nil
}

// String is the private key, in the form of signed notes (c2sp.org/signed-note).
func (k *Key) String() string { return k.text }

// Public is the public key with the origin, "ORIGIN+HASH+KEY", as verifiers of signed notes
// take it.
func (k *Key) Public() string { return k.public }

// Origin is the log's name.
func (k *Key) Origin() string { return k.signer.Name() }
