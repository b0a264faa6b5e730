package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// params are the entries of an encryption dictionary that make the key.
type params struct {
	r, n     int
	p        uint32
	o, u     []byte
	oe, ue   []byte
	id       []byte
	metadata bool
}

var padding = [32]byte{0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08,
	0x2E, 0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A}

// key is the file's key for the empty user password.
func (d *params) key() ([]byte, error) {
	switch d.r {
	case 2, 3, 4:
		if len(d.o) < 32 || len(d.u) < 32 {
			return nil, fmt.Errorf("%w: its entries are too short", ErrHandler)
		}
		if d.r == 2 {
			d.n = 5
		}
		return d.keyRC4(padding[:])
	case 5, 6:
		if len(d.u) < 48 || len(d.ue) < 32 {
			return nil, fmt.Errorf("%w: its entries are too short", ErrHandler)
		}
		return d.keyAES256(d.u, nil, d.ue)
	}
	return nil, fmt.Errorf("%w: revision %d", ErrHandler, d.r)
}

// ownerKey is the file's key for the empty owner password.
func (d *params) ownerKey() ([]byte, error) {
	if d.r < 5 {
		return d.keyRC4(d.userPassword())
	}
	if len(d.o) < 48 || len(d.oe) < 32 {
		return nil, ErrPassword
	}
	return d.keyAES256(d.o, d.u[:48], d.oe)
}

// userPassword is algorithm 7 (ISO 32000-1, 7.6.3.4): the user's password,
// padded, out of the empty owner password.
func (d *params) userPassword() []byte {
	sum := md5.Sum(padding[:])
	rounds := 1
	if d.r >= 3 {
		for range 50 {
			sum = md5.Sum(sum[:])
		}
		rounds = 20
	}
	out := d.o[:32]
	for i := rounds - 1; i >= 0; i-- {
		out, _ = rc4Apply(xorKey(sum[:d.n], byte(i)), out) // the key's length is right
	}
	return out
}

// xorKey is a key with every byte combined with the round's number.
func xorKey(key []byte, round byte) []byte {
	out := make([]byte, len(key))
	for i := range key {
		out[i] = key[i] ^ round
	}
	return out
}

// keyRC4 is algorithm 2, checked by algorithm 6 (ISO 32000-1, 7.6.3), for a
// padded password.
func (d *params) keyRC4(password []byte) ([]byte, error) {
	m := md5.New()
	m.Write(password)
	m.Write(d.o[:32])
	m.Write(binary.LittleEndian.AppendUint32(nil, d.p))
	m.Write(d.id)
	if d.r >= 4 && !d.metadata {
		m.Write([]byte{255, 255, 255, 255})
	}
	key := m.Sum(nil)
	if d.r >= 3 {
		for range 50 {
			sum := md5.Sum(key[:d.n])
			copy(key, sum[:])
		}
	}
	key = key[:d.n]
	check, n := padding[:], 32
	if d.r >= 3 {
		sum := md5.Sum(append(append([]byte{}, padding[:]...), d.id...))
		check, n = sum[:], 16
	}
	for i := range 20 {
		if i > 0 && d.r == 2 {
			break
		}
		var err error
		if check, err = rc4Apply(xorKey(key, byte(i)), check); err != nil {
			return nil, err
		}
	}
	if subtle.ConstantTimeCompare(check[:n], d.u[:n]) != 1 {
		return nil, ErrPassword
	}
	return key, nil
}

// keyAES256 is algorithm 2.A of ISO 32000-2 for an empty password: entry is U or
// O, user what an owner's sums take in besides, sealed the key as encrypted.
func (d *params) keyAES256(entry, user, sealed []byte) ([]byte, error) {
	if sum := d.hash(entry[32:40], user); subtle.ConstantTimeCompare(sum, entry[:32]) != 1 {
		return nil, ErrPassword
	}
	block, err := aes.NewCipher(d.hash(entry[40:48], user))
	if err != nil {
		return nil, fmt.Errorf("file key: %w", err)
	}
	key := make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(key, sealed[:32])
	return key, nil
}
