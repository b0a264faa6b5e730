package openbadge

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// SignJWT returns a credential as a JSON Web Token. Its payload is the credential itself, with the
// registered claims beside its members.
func (s *Signer) SignJWT(credential map[string]any) (string, error) {
	claims := maps.Clone(credential)
	claims["iss"], claims["jti"] = s.issuer, credential["id"]
	if subject := text(credential, "credentialSubject", "id"); subject != "" {
		claims["sub"] = subject
	}
	for claim, name := range map[string]string{"nbf": "validFrom", "exp": "validUntil"} {
		if at, err := moment(credential, name); err != nil {
			return "", err
		} else if !at.IsZero() {
			claims[claim] = at.Unix()
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("writing a token: %w", err)
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", s.method())
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: s.key.private}, options)
	if err != nil {
		return "", fmt.Errorf("preparing a token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}

// tokenAlgorithms are those of tokens that are read: the ones of Open Badges 3.0.
func tokenAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.ES384, jose.RS256}
}

// claimProblem says where a token's registered claims contradict the credential in it; "" where
// they do not.
func claimProblem(claims map[string]any) string {
	if iss := text(claims, "iss"); iss != "" && iss != issuerOf(claims) {
		return fmt.Sprintf("the token names %s as its issuer, and the credential in it %s", iss, issuerOf(claims))
	}
	if jti := text(claims, "jti"); jti != "" && text(claims, "id") != "" && jti != text(claims, "id") {
		return "the token and the credential in it have different identifiers"
	}
	for claim, name := range map[string]string{"nbf": "validFrom", "exp": "validUntil"} {
		number, ok := claims[claim].(float64)
		at, err := moment(claims, name)
		if ok && (err != nil || !at.IsZero() && at.Unix() != time.Unix(int64(number), 0).Unix()) {
			return fmt.Sprintf("the token's %s and the credential's %s differ", claim, name)
		}
	}
	return ""
}
