package vault

import (
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Identity is what names one certificate to the outside: a UUID in the API's
// addresses, a reference ID on the document, and a token in the address of its
// view-and-share page.
type Identity struct {
	UUID       string
	Reference  string
	ShareToken string
}

// NewIdentity draws an identity. The UUID is of version 7, so that certificates
// of one batch lie side by side in an index; the reference ID is VEC-IC-, the
// year, and 13 random upper-case hexadecimal digits, which nobody can count on
// from one to the next.
func NewIdentity(random io.Reader, now time.Time, year int) (Identity, error) {
	id, err := NewUUID(random, now)
	if err != nil {
		return Identity{}, err
	}
	var b [7]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Identity{}, fmt.Errorf("drawing a reference ID: %w", err)
	}
	digits := strings.ToUpper(hex.EncodeToString(b[:]))[:13]
	token, err := NewShareToken(random)
	if err != nil {
		return Identity{}, err
	}
	return Identity{UUID: id, Reference: fmt.Sprintf("VEC-IC-%04d%s", year, digits), ShareToken: token}, nil
}

// RetryOnCollision has something with drawn identities kept, and drawn anew where one of them is
// taken, which keeping says with a Conflict. That is a matter of 1 in 10^9 at worst, so
// what is taken three times in a row is not chance.
func RetryOnCollision(drawAndKeep func() error) error {
	const draws = 3
	for try := 1; ; try++ {
		if err := drawAndKeep(); !fault.Is(err, fault.Conflict) || try == draws {
			return err
		}
	}
}

// NewShareToken draws the unguessable part of a view-and-share page's address:
// 160 bits as 32 small letters and digits, which survive every mail program.
func NewShareToken(random io.Reader) (string, error) {
	var b [20]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("drawing a share token: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:])), nil
}

// NewUUID draws a version 7 UUID (RFC 9562, section 5.7): 48 bits of time in
// milliseconds, the rest random.
func NewUUID(random io.Reader, now time.Time) (string, error) {
	var id uuid.UUID
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return "", fmt.Errorf("drawing a UUID: %w", err)
	}
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String(), nil
}

// IsUUID reports whether a text is a UUID in its usual form.
func IsUUID(s string) bool {
	const length = 36
	return len(s) == length && uuid.Validate(s) == nil
}

// IsReference reports whether a text has the form of a reference ID. Case does
// not matter, since links are printed in either.
func IsReference(s string) bool {
	const prefix = "VEC-IC-"
	if len(s) != len(prefix)+4+13 || !strings.EqualFold(s[:len(prefix)], prefix) {
		return false
	}
	for _, c := range s[len(prefix):] {
		if !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}
