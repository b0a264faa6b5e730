package openbadge

import (
	"bytes"
	"crypto/ed25519"
	"math/big"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// base58Digits are those of Bitcoin's alphabet, which multibase calls z.
const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// encodeMultibase writes bytes as multibase base58btc.
func encodeMultibase(data []byte) string {
	n, base, rest := new(big.Int).SetBytes(data), big.NewInt(int64(len(base58Digits))), new(big.Int)
	var digits []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, rest)
		digits = append(digits, base58Digits[rest.Int64()])
	}
	for _, b := range data {
		if b != 0 {
			break
		}
		digits = append(digits, base58Digits[0])
	}
	for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
		digits[i], digits[j] = digits[j], digits[i]
	}
	return "z" + string(digits)
}

// decodeMultibase reads multibase base58btc.
func decodeMultibase(text string) ([]byte, error) {
	const longest = 200
	digits, ok := strings.CutPrefix(text, "z")
	if !ok || digits == "" || len(digits) > longest {
		return nil, fault.New(fault.Invalid, "it is not in multibase base58btc")
	}
	n, base := new(big.Int), big.NewInt(int64(len(base58Digits)))
	zeros := 0
	for i := range len(digits) {
		at := strings.IndexByte(base58Digits, digits[i])
		if at < 0 {
			return nil, fault.New(fault.Invalid, "it is not in multibase base58btc")
		}
		if at == 0 && n.Sign() == 0 {
			zeros++
		}
		n.Mul(n, base).Add(n, big.NewInt(int64(at)))
	}
	return append(make([]byte, zeros), n.Bytes()...), nil
}

// ed25519Code is the multicodec of an Ed25519 public key.
const ed25519Code = "\xed\x01"

// encodeKey writes a public key as a Multikey does.
func encodeKey(key ed25519.PublicKey) string {
	return encodeMultibase(append([]byte(ed25519Code), key...))
}

// decodeKey reads the Ed25519 public key of a Multikey.
func decodeKey(text string) (ed25519.PublicKey, error) {
	data, err := decodeMultibase(text)
	if err != nil {
		return nil, err
	}
	key, ok := bytes.CutPrefix(data, []byte(ed25519Code))
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, fault.New(fault.Invalid, "the key is not an Ed25519 key")
	}
	return ed25519.PublicKey(key), nil
}
