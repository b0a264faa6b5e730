package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"slices"
)

// hash is algorithm 2.B of ISO 32000-2 for an empty password; revision 5 stops
// after the first sum. user is the U entry for an owner's password, else nil.
func (d *params) hash(salt, user []byte) []byte {
	sum := sha256.Sum256(slices.Concat(salt, user))
	k := sum[:]
	if d.r == 5 {
		return k
	}
	for round := 0; ; round++ {
		k1 := bytes.Repeat(slices.Concat(k, user), 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil // 16 bytes are always a key
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(k1, k1)
		rest := 0
		for _, b := range k1[:16] {
			rest += int(b)
		}
		switch rest % 3 {
		case 0:
			s := sha256.Sum256(k1)
			k = s[:]
		case 1:
			s := sha512.Sum384(k1)
			k = s[:]
		default:
			s := sha512.Sum512(k1)
			k = s[:]
		}
		if round >= 63 && int(k1[len(k1)-1]) <= round-31 {
			return k[:32]
		}
	}
}
