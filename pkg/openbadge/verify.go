package openbadge

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Verdict says in a word what a credential counts for.
type Verdict string

// clockSlack is how far an issuer's clock may be ahead of ours: a status list that is made while a
// badge is checked begins a moment after the check did.
const clockSlack = 5 * time.Minute

// The verdicts that there are.
const (
	VerdictValid       Verdict = "valid"
	VerdictAltered     Verdict = "altered"       // the signature does not hold
	VerdictForeignKey  Verdict = "foreign_key"   // signed with a key that is not the issuer's
	VerdictRevoked     Verdict = "revoked"       // its bit in the status list is set
	VerdictExpired     Verdict = "expired"       // its last moment has passed
	VerdictNotYetValid Verdict = "not_yet_valid" // its first moment has not come
	VerdictNotSigned   Verdict = "not_signed"    // it has no proof
	VerdictNotKnown    Verdict = "not_known"     // its signature could not be checked
)

// Source gives a verifier what lies outside a credential: documents by their addresses. One that
// cannot be had is Unavailable, one that does not exist NotFound.
type Source interface {
	Document(ctx context.Context, address string) ([]byte, error)
}

// Offline is a source that has nothing.
type Offline struct{}

// Document implements Source.
func (Offline) Document(_ context.Context, address string) ([]byte, error) {
	return nil, fault.Newf(fault.Unavailable, "%s was not asked", address)
}

// Verification is what was found out about a credential.
type Verification struct {
	Verdict  Verdict
	Form     string // "json" or "jwt"
	Picture  string // that it is baked into: "png", "svg", or ""
	ID       string
	Title    string
	Name     string // of the recipient; "" where the credential does not say
	Issuer   string // identifier
	IssuedBy string // name, as the credential says it
	Key      string // that signed it
	Evidence string // address of a page about the award

	ValidFrom, ValidUntil time.Time
	// Unknown says in sentences what was not found out, and why.
	Unknown []string
	// Reason says in a sentence why it is not valid.
	Reason string
}

// Verifier checks credentials.
type Verifier struct {
	Source Source
	Now    time.Time
	canonicaliser
}

// largestCredential is more than any credential has bytes.
const largestCredential = 4 << 20

// IsBadge reports whether a file may be a credential or a picture with one, by its beginning.
func IsBadge(head []byte) bool {
	trimmed := bytes.TrimLeft(head, " \t\r\n\ufeff")
	return bytes.HasPrefix(head, []byte(pngSignature)) || bytes.HasPrefix(trimmed, []byte("{")) ||
		bytes.HasPrefix(trimmed, []byte("eyJ")) || bytes.HasPrefix(trimmed, []byte("<svg")) || bytes.HasPrefix(trimmed, []byte("<?xml"))
}

// Verify checks a credential as JSON, as a token, or baked into a picture. An error is about a file
// that cannot be read as one: NotFound where a picture holds none.
func (v *Verifier) Verify(ctx context.Context, file []byte) (Verification, error) {
	found := Verification{}
	credential := strings.TrimSpace(strings.TrimPrefix(string(file), "\ufeff"))
	var err error
	switch {
	case bytes.HasPrefix(file, []byte(pngSignature)):
		found.Picture = "png"
		credential, err = unbakePNG(file)
	case strings.HasPrefix(credential, "<"):
		found.Picture = "svg"
		credential, err = unbakeSVG(file)
	}
	if err != nil {
		return found, err
	}
	if len(credential) > largestCredential {
		return found, fault.New(fault.Invalid, "the credential is too large")
	}
	if strings.HasPrefix(credential, "{") {
		err = v.verifyJSON(ctx, credential, &found)
	} else {
		err = v.verifyJWT(ctx, credential, &found)
	}
	return found, err
}

// describe notes what a credential says.
func (found *Verification) describe(c map[string]any) error {
	found.ID, found.Issuer, found.IssuedBy = text(c, "id"), issuerOf(c), text(c, "issuer", "name")
	found.Title, found.Evidence = text(c, "credentialSubject", "achievement", "name"), text(c, "evidence", "id")
	if found.Title == "" {
		found.Title = text(c, "name")
	}
	if subject := objects(c["credentialSubject"]); len(subject) > 0 {
		for _, one := range objects(subject[0]["identifier"]) {
			if text(one, "identityType") == "name" && one["hashed"] == false {
				found.Name = text(one, "identityHash")
			}
		}
	}
	var err error
	if found.ValidFrom, err = moment(c, "validFrom", "issuanceDate"); err == nil {
		found.ValidUntil, err = moment(c, "validUntil", "expirationDate")
	}
	if found.Issuer == "" || err != nil {
		return fault.New(fault.Invalid, "the document is no credential: it has no issuer, or dates that are none")
	}
	return nil
}

func (v *Verifier) verifyJSON(ctx context.Context, credential string, found *Verification) error {
	found.Form = "json"
	var c map[string]any
	if err := json.Unmarshal([]byte(credential), &c); err != nil {
		return fault.New(fault.Invalid, "the credential is not JSON")
	}
	if err := found.describe(c); err != nil {
		return err
	}
	proofs := objects(c["proof"])
	if len(proofs) == 0 {
		found.Verdict, found.Reason = VerdictNotSigned, "it has no proof, and anyone can write one like it"
		return nil
	}
	for _, proof := range proofs {
		if text(proof, "type") == proofType && text(proof, "cryptosuite") == cryptosuite {
			return v.judgeProof(ctx, c, proof, found)
		}
	}
	found.Verdict = VerdictNotKnown
	found.unknown("its signature is of the kind %s %s, which is not known here", text(proofs[0], "type"), text(proofs[0], "cryptosuite"))
	return nil
}

func (found *Verification) unknown(format string, args ...any) {
	found.Unknown = append(found.Unknown, fmt.Sprintf(format, args...))
}

// judgeProof checks a Data Integrity proof, and then what the credential says.
func (v *Verifier) judgeProof(ctx context.Context, c, proof map[string]any, found *Verification) error {
	found.Key = text(proof, "verificationMethod")
	key, ok := v.issuerKey(ctx, found)
	if !ok {
		return nil
	}
	public, isEd25519 := key.(ed25519.PublicKey)
	if purpose := text(proof, "proofPurpose"); !isEd25519 || purpose != assertion {
		found.Verdict, found.Reason = VerdictAltered, "its proof is not one that vouches for a credential"
		return nil
	}
	holds, err := v.verifyProof(c, proof, public)
	if err != nil {
		message, _ := fault.Message(err)
		found.Verdict = VerdictNotKnown
		found.unknown("its signature could not be checked: %s", message)
		return nil
	}
	v.judge(ctx, c, holds, found)
	return nil
}

// issuerKey finds the key that a credential says it was signed with. Where it is not known, or not
// the issuer's, the verdict is given and ok is false.
func (v *Verifier) issuerKey(ctx context.Context, found *Verification) (key crypto.PublicKey, ok bool) {
	did, _, _ := strings.Cut(found.Key, "#")
	if did != found.Issuer {
		found.Verdict = VerdictForeignKey
		found.Reason = fmt.Sprintf("it was signed with the key %s, which is not one of its issuer %s", found.Key, found.Issuer)
		return nil, false
	}
	var err error
	if strings.HasPrefix(did, "did:key:") {
		key, err = keyOfDIDKey(did)
	} else {
		key, err = v.listedKey(ctx, did, found.Key)
	}
	switch {
	case err == nil:
		return key, true
	case fault.Is(err, fault.NotFound):
		found.Verdict = VerdictForeignKey
		found.Reason = fmt.Sprintf("it was signed with the key %s, which its issuer does not list", found.Key)
	default:
		message, _ := fault.Message(err)
		found.Verdict = VerdictNotKnown
		found.unknown("the issuer's key is not known, so that the signature was not checked: %s", message)
	}
	return nil, false
}

// listedKey reads a key of the document of a did:web identifier, or of an address.
func (v *Verifier) listedKey(ctx context.Context, did, method string) (crypto.PublicKey, error) {
	if !strings.HasPrefix(did, "did:web:") {
		return nil, fault.Newf(fault.Unavailable, "issuers such as %s are not known here", did)
	}
	address, err := DIDDocumentURL(did)
	if err != nil {
		return nil, err
	}
	document, err := v.Source.Document(ctx, address)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.Newf(fault.Unavailable, "there is nothing at %s", address)
		}
		return nil, err
	}
	return keyIn(document, did, method)
}

func (v *Verifier) verifyJWT(ctx context.Context, token string, found *Verification) error {
	found.Form = "jwt"
	signed, err := jose.ParseSignedCompact(token, tokenAlgorithms())
	if err != nil || len(signed.Signatures) != 1 {
		return fault.New(fault.Invalid, "the file is neither a credential as JSON nor as a token that can be read")
	}
	var c map[string]any
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c); err != nil {
		return fault.New(fault.Invalid, "the token holds no JSON")
	}
	if inner, ok := c["vc"].(map[string]any); ok { // the form of version 1.1
		inner["iss"], inner["jti"] = c["iss"], c["jti"]
		c = inner
	}
	if err := found.describe(c); err != nil {
		return err
	}
	header := signed.Signatures[0].Header
	key, ok := v.tokenKey(ctx, header, found)
	if !ok {
		return nil
	}
	_, err = signed.Verify(key)
	holds := err == nil
	if problem := claimProblem(c); holds && problem != "" {
		found.Verdict, found.Reason = VerdictAltered, problem
		return nil
	}
	v.judge(ctx, c, holds, found)
	return nil
}

// tokenKey finds the key of a token: by the issuer's DID, or at an address of the issuer's own site.
func (v *Verifier) tokenKey(ctx context.Context, header jose.Header, found *Verification) (crypto.PublicKey, bool) {
	found.Key = header.KeyID
	if strings.HasPrefix(found.Key, "#") {
		found.Key = found.Issuer + found.Key
	}
	if strings.HasPrefix(found.Issuer, "did:") {
		if strings.HasPrefix(found.Key, "did:") {
			return v.issuerKey(ctx, found)
		}
		found.Verdict = VerdictNotKnown
		found.unknown("the token does not say which of its issuer's keys signed it")
		return nil, false
	}
	keyURL, err := url.Parse(found.Key)
	issuer, err2 := url.Parse(found.Issuer)
	if err != nil || err2 != nil || keyURL.Host == "" || keyURL.Scheme != "https" || keyURL.Host != issuer.Host {
		found.Verdict = VerdictNotKnown
		found.unknown("nothing shows that the key of the token belongs to its issuer %s", found.Issuer)
		return nil, false
	}
	document, err := v.Source.Document(ctx, found.Key)
	var jwk any
	if err == nil && json.Unmarshal(document, &jwk) == nil {
		if key, err := parseJWK(jwk); err == nil {
			return key, true
		}
	}
	found.Verdict = VerdictNotKnown
	found.unknown("the issuer's key at %s is not known, so that the signature was not checked", found.Key)
	return nil, false
}

// judge gives the verdict on a credential whose signature was checked.
func (v *Verifier) judge(ctx context.Context, c map[string]any, holds bool, found *Verification) {
	if !holds {
		found.Verdict, found.Reason = VerdictAltered, "the signature does not hold: something in it was changed after it was signed, or another key signed it"
		return
	}
	found.Verdict = VerdictValid
	if revoked, err := v.revoked(ctx, c, found); err != nil {
		message, _ := fault.Message(err)
		found.unknown("whether it was revoked is not known: %s", message)
	} else if revoked {
		found.Verdict, found.Reason = VerdictRevoked, "its issuer has revoked it"
		return
	}
	switch {
	case !found.ValidUntil.IsZero() && v.Now.After(found.ValidUntil):
		found.Verdict, found.Reason = VerdictExpired, "it was valid until "+found.ValidUntil.UTC().Format(time.RFC3339)
	case v.Now.Add(clockSlack).Before(found.ValidFrom):
		found.Verdict, found.Reason = VerdictNotYetValid, "it is valid from "+found.ValidFrom.UTC().Format(time.RFC3339)+" on"
	}
}

// revoked reports whether an issuer's status list says that a credential counts no more.
func (v *Verifier) revoked(ctx context.Context, c map[string]any, found *Verification) (bool, error) {
	for _, entry := range objects(c["credentialStatus"]) {
		if kind := text(entry, "type"); kind != "BitstringStatusListEntry" {
			return false, fault.Newf(fault.Unavailable, "lists of the kind %s are not known here", kind)
		}
		purpose := text(entry, "statusPurpose")
		if purpose != "revocation" && purpose != "suspension" {
			continue
		}
		list, err := v.statusList(ctx, text(entry, "statusListCredential"), purpose, found)
		if err != nil {
			return false, err
		}
		index, err := statusIndex(entry)
		if err != nil {
			return false, err
		}
		if index/8 >= len(list.bits) {
			return false, fault.New(fault.Invalid, "the status list has no such entry")
		}
		if list.Has(index) {
			return true, nil
		}
	}
	return false, nil
}

// statusList reads a list and checks that the credential's issuer signed it.
func (v *Verifier) statusList(ctx context.Context, address, purpose string, of *Verification) (*StatusList, error) {
	document, err := v.Source.Document(ctx, address)
	if err != nil {
		return nil, err
	}
	list := Verification{}
	var c map[string]any
	if trimmed := strings.TrimSpace(string(document)); strings.HasPrefix(trimmed, "{") {
		if err := v.verifyListJSON(ctx, trimmed, &c, &list); err != nil {
			return nil, err
		}
	} else if err := v.verifyListJWT(ctx, trimmed, &c, &list); err != nil {
		return nil, err
	}
	switch {
	case list.Verdict != VerdictValid:
		return nil, fault.Newf(fault.Unavailable, "the status list at %s does not count (%s)", address, list.Verdict)
	case list.Issuer != of.Issuer:
		return nil, fault.Newf(fault.Unavailable, "the status list at %s is of another issuer, %s", address, list.Issuer)
	case text(c, "credentialSubject", "statusPurpose") != purpose:
		return nil, fault.Newf(fault.Unavailable, "the status list at %s serves another purpose", address)
	}
	return decodeStatusList(text(c, "credentialSubject", "encodedList"))
}

func (v *Verifier) verifyListJSON(ctx context.Context, document string, c *map[string]any, list *Verification) error {
	if err := json.Unmarshal([]byte(document), c); err != nil || (*c)["credentialStatus"] != nil {
		return fault.New(fault.Unavailable, "the status list is not JSON, or has a status of its own")
	}
	return v.verifyJSON(ctx, document, list)
}

func (v *Verifier) verifyListJWT(ctx context.Context, token string, c *map[string]any, list *Verification) error {
	signed, err := jose.ParseSignedCompact(token, tokenAlgorithms())
	if err != nil || json.Unmarshal(signed.UnsafePayloadWithoutVerification(), c) != nil {
		return fault.New(fault.Unavailable, "the status list cannot be read")
	}
	if (*c)["credentialStatus"] != nil {
		return fault.New(fault.Unavailable, "the status list has a status of its own")
	}
	return v.verifyJWT(ctx, token, list)
}
