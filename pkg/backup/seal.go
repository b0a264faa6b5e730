package backup

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Lock is who can open a backup: the zero value is everybody. A passphrase stands
// alone.
type Lock struct {
	Passphrase string
	Recipients []string // age public keys, "age1..."
	// Work is the logarithm of the work that a passphrase costs; 0 is age's default,
	// about a second.
	Work int
}

// IsOpen tells whether everybody can read a backup.
func (l Lock) IsOpen() bool { return l.Passphrase == "" && len(l.Recipients) == 0 }

// Seal returns where a backup is written to so that it comes encrypted to w; to be
// closed in the end, which does not close w.
func (l Lock) Seal(w io.Writer) (io.WriteCloser, error) {
	if l.IsOpen() {
		return open{w}, nil
	}
	to, err := l.recipients()
	if err != nil {
		return nil, err
	}
	sealed, err := age.Encrypt(w, to...)
	return sealed, fault.Wrap(fault.Internal, err, "the backup cannot be encrypted")
}

// open is a writer whose end means nothing.
type open struct{ io.Writer }

func (open) Close() error { return nil }

func (l Lock) recipients() ([]age.Recipient, error) {
	if l.Passphrase != "" {
		if len(l.Recipients) > 0 {
			return nil, fault.New(fault.Invalid, "a backup has a passphrase or recipients, not both")
		}
		r, err := age.NewScryptRecipient(l.Passphrase)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "that passphrase cannot be used; choose another")
		}
		if l.Work > 0 {
			r.SetWorkFactor(l.Work)
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

// ageMark begins every encrypted file (age-encryption.org/v1).
const ageMark = "age-encryption.org/"

// Unseal returns a backup's archive as it is written. One that is not encrypted
// needs no keys.
func (k Keys) Unseal(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, copySize)
	start, err := in.Peek(len(ageMark))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(start) != ageMark {
		return in, nil
	}
	var identities []age.Identity
	if k.Passphrase != "" {
		i, err := age.NewScryptIdentity(k.Passphrase)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "that passphrase cannot be used")
		}
		i.SetMaxWorkFactor(mostWork)
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
		return nil, damaged(err)
	}
	return sealed{out}, nil
}

// mostWork bounds what a made-up file can ask of the reader.
const mostWork = 22

// sealed gives what is wrong with an encrypted stream its kind.
type sealed struct{ io.Reader }

func (s sealed) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError(err)
	}
	return n, err
}
