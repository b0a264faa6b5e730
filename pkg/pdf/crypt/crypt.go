// Package crypt is the standard security handler of PDF for documents that
// open without a password (ISO 32000-1, 7.6; ISO 32000-2 for revision 6).
package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

// The ways in which a document does not open.
var (
	ErrPassword = errors.New("the document needs a password")
	ErrHandler  = errors.New("the encryption is of an unknown kind")
)

type method uint8

const (
	identity method = iota
	rc4Method
	aes128
	aes256
)

// Handler decrypts and encrypts the strings and streams of one document.
type Handler struct {
	key             []byte
	streams         method
	strings         method
	permissions     uint32
	encryptMetadata bool
}

// Open makes the handler of an encryption dictionary for the empty user
// password. resolve follows references; id is the first part of the file
// identifier.
func Open(dict object.Object, resolve func(object.Object) object.Object, id []byte) (*Handler, error) {
	get := func(key string) object.Object { return resolve(dict.Get(key)) }
	if !get("Filter").Is("Standard") {
		return nil, fmt.Errorf("%w: %.40s", ErrHandler, get("Filter").Text())
	}
	d := params{o: get("O").Bytes(), u: get("U").Bytes(), oe: get("OE").Bytes(), ue: get("UE").Bytes(), id: id, metadata: true}
	v, _ := get("V").Int()
	r, _ := get("R").Int()
	p, _ := get("P").Int()
	d.r, d.p = int(r), uint32(p)
	if string(get("EncryptMetadata")) == "false" {
		d.metadata = false
	}
	bits, ok := get("Length").Int()
	if !ok {
		bits = 40
	}
	h := &Handler{permissions: d.p, encryptMetadata: d.metadata}
	switch v {
	case 1:
		bits = 40
		h.streams, h.strings = rc4Method, rc4Method
	case 2, 3:
		h.streams, h.strings = rc4Method, rc4Method
	case 4, 5:
		filters := resolve(dict.Get("CF"))
		var err error
		var len1, len2 int64
		if h.streams, len1, err = filterMethod(filters, get("StmF"), resolve); err != nil {
			return nil, err
		}
		if h.strings, len2, err = filterMethod(filters, get("StrF"), resolve); err != nil {
			return nil, err
		}
		bits = max(len1, len2, 0)
		if bits == 0 {
			bits = 128
		}
	default:
		return nil, fmt.Errorf("%w: version %d", ErrHandler, v)
	}
	if bits < 40 && bits >= 5 { // given in bytes, as is met in the wild
		bits *= 8
	}
	if bits < 40 || bits > 256 || bits%8 != 0 {
		return nil, fmt.Errorf("%w: a key of %d bits", ErrHandler, bits)
	}
	d.n = min(int(bits/8), 16)
	var err error
	if h.key, err = d.key(); errors.Is(err, ErrPassword) {
		// Some programs leave the owner's password empty and not the user's.
		// Anyone who opens a document as its owner may do everything.
		h.key, err = d.ownerKey()
		h.permissions = 0xFFFFFFFF
	}
	return h, err
}

func filterMethod(filters, name object.Object, resolve func(object.Object) object.Object) (method, int64, error) {
	if name.IsNull() || name.Is("Identity") {
		return identity, 0, nil
	}
	cf := resolve(filters.Get(name.Text()))
	switch cfm := resolve(cf.Get("CFM")); {
	case cfm.IsNull(), cfm.Is("None"):
		return identity, 0, nil
	case cfm.Is("V2"):
		n, _ := resolve(cf.Get("Length")).Int()
		if n > 0 && n < 40 {
			n *= 8
		}
		return rc4Method, n, nil
	case cfm.Is("AESV2"):
		return aes128, 128, nil
	case cfm.Is("AESV3"):
		return aes256, 256, nil
	default:
		return identity, 0, fmt.Errorf("%w: crypt filter %.40s", ErrHandler, cfm.Text())
	}
}

// MayModify reports whether the permissions let a reader change pages (bit 4 of
// ISO 32000-1, table 22).
func (h *Handler) MayModify() bool { return h.permissions&8 != 0 }

// EncryptsMetadata reports whether metadata streams are encrypted like others.
func (h *Handler) EncryptsMetadata() bool { return h.encryptMetadata }

// DecryptString decrypts a string of the object ref.
func (h *Handler) DecryptString(ref object.Ref, data []byte) ([]byte, error) {
	return h.decrypt(h.strings, ref, data)
}

// DecryptStream decrypts a stream's data.
func (h *Handler) DecryptStream(ref object.Ref, data []byte) ([]byte, error) {
	return h.decrypt(h.streams, ref, data)
}

// EncryptString encrypts a string of the object ref; rand makes the
// initialization vectors.
func (h *Handler) EncryptString(rand io.Reader, ref object.Ref, data []byte) ([]byte, error) {
	return h.encrypt(h.strings, rand, ref, data)
}

// EncryptStream encrypts a stream's data.
func (h *Handler) EncryptStream(rand io.Reader, ref object.Ref, data []byte) ([]byte, error) {
	return h.encrypt(h.streams, rand, ref, data)
}

// objectKey is algorithm 1 of ISO 32000-1, 7.6.2.
func (h *Handler) objectKey(m method, ref object.Ref) []byte {
	if m == aes256 {
		return h.key
	}
	b := make([]byte, 0, 32)
	b = append(b, h.key...)
	b = append(b, byte(ref.Num), byte(ref.Num>>8), byte(ref.Num>>16), byte(ref.Gen), byte(ref.Gen>>8))
	if m == aes128 {
		b = append(b, "sAlT"...)
	}
	sum := md5.Sum(b)
	return sum[:min(len(h.key)+5, 16)]
}

func (h *Handler) decrypt(m method, ref object.Ref, data []byte) ([]byte, error) {
	if m == identity {
		return data, nil
	}
	key := h.objectKey(m, ref)
	if m == rc4Method {
		return rc4Apply(key, data)
	}
	if len(data) < 2*aes.BlockSize {
		return nil, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	n := len(data) / aes.BlockSize * aes.BlockSize
	out := make([]byte, n-aes.BlockSize)
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(out, data[aes.BlockSize:n])
	if pad := int(out[len(out)-1]); pad >= 1 && pad <= aes.BlockSize {
		out = out[:len(out)-pad]
	}
	return out, nil
}

func (h *Handler) encrypt(m method, rand io.Reader, ref object.Ref, data []byte) ([]byte, error) {
	if m == identity {
		return data, nil
	}
	key := h.objectKey(m, ref)
	if m == rc4Method {
		return rc4Apply(key, data)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	pad := aes.BlockSize - len(data)%aes.BlockSize
	out := make([]byte, aes.BlockSize+len(data)+pad)
	if _, err := io.ReadFull(rand, out[:aes.BlockSize]); err != nil {
		return nil, fmt.Errorf("encrypt: random bytes: %w", err)
	}
	body := out[aes.BlockSize:]
	for i := copy(body, data); i < len(body); i++ {
		body[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(body, body)
	return out, nil
}

func rc4Apply(key, data []byte) ([]byte, error) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("RC4: %w", err)
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out, nil
}
