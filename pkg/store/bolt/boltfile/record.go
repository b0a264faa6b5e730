package boltfile

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"

	"github.com/vecctl/vecctl/pkg/fault"
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// AddChecksum puts a checksum in front of a record. The key is part of the sum, so that
// a record that turns up in another's place is found too.
func AddChecksum(key, body []byte) []byte {
	out := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(out, checksum(key, body))
	return append(out, body...)
}

func checksum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, crcTable), crcTable, body)
}

// VerifyChecksum returns a record's body, which is valid only inside the transaction.
func VerifyChecksum(key, value []byte) ([]byte, error) {
	if len(value) < 4 || binary.BigEndian.Uint32(value) != checksum(key, value[4:]) {
		return nil, fault.Newf(fault.Damaged,
			"a record of the database is damaged (key %x); restore the home from a backup", key)
	}
	return value[4:], nil
}

// StripChecksum is the body of a sealed record that was found sound before.
func StripChecksum(value []byte) []byte { return value[4:] }

// Encode makes a record, and seals it.
func Encode(key []byte, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	return AddChecksum(key, body), nil
}

// Decode reads a record.
func Decode(key, value []byte, v any) error {
	body, err := VerifyChecksum(key, value)
	if err != nil {
		return err
	}
	// It reads as encoding/json does, in half the time.
	if err := jsonv1.Unmarshal(body, v); err != nil {
		return fault.Wrap(fault.Damaged, err, "a record of the database cannot be read; restore the home from a backup")
	}
	return nil
}

// IndexDamaged is the error of an index entry that leads to another's record.
func IndexDamaged(index, key []byte) error {
	return fault.Newf(fault.Damaged, "an index of the database is damaged (%s, key %x); restore the home from a backup", index, key)
}

// U64 is a number in a key.
func U64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// U32 is a number in a key.
func U32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// LastID is the certificate or job ID at the end of an index key.
func LastID(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

// JoinKey makes a key of its parts.
func JoinKey(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	key := make([]byte, 0, n)
	for _, p := range parts {
		key = append(key, p...)
	}
	return key
}

// TerminatedText is a text inside a key: it ends with a zero byte, which no kept text holds.
func TerminatedText(s string) []byte { return append([]byte(s), 0) }

// UUID is a UUID's 16 bytes, or nil for what is none.
func UUID(s string) []byte {
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return nil
	}
	return id[:]
}
