package openbadge

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// StatusList is a Bitstring Status List: one bit for each credential, set for one that counts no
// more.
type StatusList struct{ bits []byte }

// NewStatusList returns a list in which no bit is set.
func NewStatusList() *StatusList { return &StatusList{make([]byte, StatusListLength/8)} }

// Set sets the bit of an index.
func (l *StatusList) Set(index int) { l.bits[index/8] |= 0x80 >> (index % 8) }

// Has reports whether the bit of an index is set.
func (l *StatusList) Has(index int) bool {
	return index >= 0 && index/8 < len(l.bits) && l.bits[index/8]&(0x80>>(index%8)) != 0
}

// Equal reports whether two lists have the same bits set.
func (l *StatusList) Equal(other *StatusList) bool {
	return other != nil && bytes.Equal(l.bits, other.bits)
}

// encode compresses the list and writes it in multibase base64url.
func (l *StatusList) encode() (string, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(l.bits); err != nil {
		return "", fmt.Errorf("compressing a status list: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("compressing a status list: %w", err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(out.Bytes()), nil
}

// decodeStatusList reads a list. Its size is bounded: a few bytes can unpack to gigabytes.
func decodeStatusList(encoded string) (*StatusList, error) {
	const largest = 16 << 20
	broken := fault.New(fault.Invalid, "the status list cannot be read")
	packed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(encoded, "u"))
	if err != nil {
		return nil, broken
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, broken
	}
	bits, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err != nil || len(bits) > largest {
		return nil, broken
	}
	return &StatusList{bits}, nil
}

// Credential returns the list as an unsigned credential of an issuer, good until a moment.
func (l *StatusList) Credential(issuer, address string, from, until time.Time) (map[string]any, error) {
	encoded, err := l.encode()
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"@context": []any{contextVC}, "id": address, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"},
		"issuer": issuer, "validFrom": from.UTC().Format(time.RFC3339), "validUntil": until.UTC().Format(time.RFC3339),
		"credentialSubject": map[string]any{"id": address + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": encoded},
	}, nil
}

// statusIndex reads the index of a credential's status entry.
func statusIndex(entry map[string]any) (int, error) {
	given := text(entry, "statusListIndex")
	if n, ok := entry["statusListIndex"].(float64); ok {
		given = strconv.FormatFloat(n, 'f', -1, 64)
	}
	index, err := strconv.Atoi(given)
	if err != nil || index < 0 {
		return 0, fault.Newf(fault.Invalid, "the status entry has the index %q", given)
	}
	return index, nil
}
