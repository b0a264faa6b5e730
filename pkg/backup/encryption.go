package backup

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Encryption is who can open a backup: the zero value is everybody. A passphrase stands
// alone.
type Encryption struct {
	Passphrase string
	Recipients []string // age public keys, "age1..."
	// WorkFactor is the logarithm of the work that a passphrase costs; 0 is age's default,
	// about a second.
	WorkFactor int
}

// IsNone reports whether everybody can read a backup.
func (l Encryption) IsNone() bool { return l.Passphrase == "" && len(l.Recipients) == 0 }

// Encrypt returns where a backup is written to so that it comes encrypted to w; to be
// closed in the end, which does not close w.
func (l Encryption) Encrypt(w io.Writer) (io.WriteCloser, error) {
	if l.IsNone() {
		return nopCloser{w}, nil
	}
	to, err := l.recipients()
	if err != nil {
		return nil, err
	}
	sealed, err := age.Encrypt(w, to...)
	return sealed, fault.Wrap(fault.Internal, err, "the backup cannot be encrypted")
}

// nopCloser is a writer whose end means nothing.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func (l Encryption) recipients() ([]age.Recipient, error) {
	if l.Passphrase != "" {
		if len(l.Recipients) > 0 {
			return nil, fault.New(fault.Invalid, "a backup has a passphrase or recipients, not both")
		}
		r, err := age.NewScryptRecipient(l.Passphrase)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "that passphrase cannot be used; choose another")
		}
		if l.WorkFactor > 0 {
			r.SetWorkFactor(l.WorkFactor)
		}
		return []age.Recipient{r}, nil
	}
	var all []age.Recipient
	for _, name := range l.Recipients {
		found, err := age.ParseRecipients(strings.NewReader(name))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "a recipient of a backup is an age public key, such as age1...; age-keygen makes one")
		}
		all = append(all, found...)
	}
	return all, nil
}

// Keys open an encrypted backup.
type Keys struct {
	Passphrase string
	Identities string // the text of an age identity file
}

// ageMagic begins every encrypted file (age-encryption.org/v1).
const ageMagic = "age-encryption.org/"

// Decrypt returns a backup's archive as it is written. One that is not encrypted
// needs no keys.
func (k Keys) Decrypt(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, copySize)
	start, err := in.Peek(len(ageMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(start) != ageMagic {
		return in, nil
	}
	var identities []age.Identity
	if k.Passphrase != "" {
		i, err := age.NewScryptIdentity(k.Passphrase)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "that passphrase cannot be used")
		}
		i.SetMaxWorkFactor(maxWorkFactor)
		identities = append(identities, i)
	}
	if k.Identities != "" {
		found, err := age.ParseIdentities(strings.NewReader(k.Identities))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the identity file holds no age identity (AGE-SECRET-KEY-1...)")
		}
		identities = append(identities, found...)
	}
	if len(identities) == 0 {
		return nil, fault.New(fault.Invalid, "the backup is encrypted; give its --passphrase-file or --identity")
	}
	out, err := age.Decrypt(in, identities...)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, fault.Wrap(fault.Invalid, err, "the backup cannot be opened with that passphrase or identity")
	}
	if err != nil {
		return nil, damagedError(err)
	}
	return decryptReader{out}, nil
}

// maxWorkFactor bounds what a made-up file can ask of the reader.
const maxWorkFactor = 22

// decryptReader gives what is wrong with an encrypted stream its kind.
type decryptReader struct{ io.Reader }

func (s decryptReader) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError(err)
	}
	return n, err
}
