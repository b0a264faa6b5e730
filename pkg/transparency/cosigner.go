package transparency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Cosigner is a witness that is asked for cosignatures.
type Cosigner struct {
	Key      string // public: NAME+HASH+KEY
	URL      string // below which add-checkpoint is
	verifier *torchwood.CosignatureVerifier
}

// ParseCosigner reads a witness's public key and, behind a space, its address; without an address
// it is only good for checking.
func ParseCosigner(text string) (Cosigner, error) {
	key, address, _ := strings.Cut(strings.TrimSpace(text), " ")
	c := Cosigner{Key: key, URL: strings.TrimSuffix(strings.TrimSpace(address), "/")}
	var err error
	if c.verifier, err = torchwood.NewCosignatureVerifier(key); err != nil {
		return c, fault.Newf(fault.Invalid, "%q is no public key of a witness; it looks like NAME+HASH+KEY, as \"vecctl tlog witness\" prints it", key)
	}
	if c.URL == "" {
		return c, nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return c, fault.Newf(fault.Invalid, "%q is no address of a witness; it begins with http:// or https://", c.URL)
	}
	return c, nil
}

// Name is the witness's name.
func (c Cosigner) Name() string { return c.verifier.Name() }

// StaleError is a witness's answer that it knows another size of the log.
type StaleError struct{ Known int64 }

func (e *StaleError) Error() string {
	return fmt.Sprintf("the witness knows the log with %d entries", e.Known)
}

// ErrNotContinued is a witness's answer that a checkpoint does not continue the last one that it
// knows.
var ErrNotContinued = errors.New("the witness knows another history of the log")

// Ask asks for a cosignature of a checkpoint, with the proof that it continues the one of an old
// size. It returns the lines of the cosignature, which it has checked.
func (c Cosigner) Ask(ctx context.Context, transport http.RoundTripper, old int64, proof []Hash, checkpoint []byte) ([]byte, error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&body, "%s\n", h)
	}
	body.WriteByte('\n')
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	body.Write(checkpoint)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/add-checkpoint", &body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s is no address", c.URL))
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the witness %s cannot be reached: %v", c.Name(), err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxWitnessBody))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the answer of the witness %s cannot be read", c.Name()))
	}
	switch response.StatusCode {
	case http.StatusOK:
		return c.check(string(text)+"\n", answer)
	case http.StatusConflict:
		known, err := strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64)
		if err != nil || known < 0 {
			return nil, ErrNotContinued
		}
		return nil, &StaleError{known}
	case http.StatusUnprocessableEntity:
		return nil, ErrNotContinued
	}
	return nil, fault.Newf(fault.Unavailable, "the witness %s answers with status %d", c.Name(), response.StatusCode)
}

// check returns the lines of an answer that are a cosignature of the witness.
func (c Cosigner) check(text string, answer []byte) ([]byte, error) {
	n, err := note.Open(slices.Concat([]byte(text), []byte("\n"), answer), note.VerifierList(c.verifier))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the witness %s does not answer with a cosignature under its key", c.Name()))
	}
	var lines []byte
	for _, s := range n.Sigs {
		lines = fmt.Appendf(lines, "\u2014 %s %s\n", s.Name, s.Base64)
	}
	return lines, nil
}

// Cosignature is a witness's signature under a checkpoint.
type Cosignature struct {
	Name string
	At   time.Time
}

// Cosignatures returns those of the given witnesses that a signed checkpoint has.
func Cosignatures(signed []byte, from []Cosigner) []Cosignature {
	verifiers := make([]note.Verifier, len(from))
	for i, c := range from {
		verifiers[i] = c.verifier
	}
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return nil
	}
	var all []Cosignature
	for _, s := range n.Sigs {
		at, err := torchwood.CosignatureTimestamp(s)
		if err == nil {
			all = append(all, Cosignature{s.Name, time.Unix(at, 0).UTC()})
		}
	}
	return all
}

// ProveGrowth returns the proof that a tree of a size continues that of an old size.
func ProveGrowth(size, old int64, r HashReader) ([]Hash, error) {
	if old == 0 || old == size {
		return nil, nil
	}
	proof, err := tlog.ProveTree(size, old, r)
	if err != nil {
		return nil, fmt.Errorf("prove that the log continues: %w", err)
	}
	return proof, nil
}
