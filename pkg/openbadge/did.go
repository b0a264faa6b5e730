package openbadge

import (
	"crypto"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/vecctl/vecctl/pkg/fault"
)

// DIDWeb returns the did:web identifier of an address, with further parts of the path. A port is
// written with an escape, as the method says.
func DIDWeb(base string, parts ...string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return "", fault.Newf(fault.Invalid, "%q is no address of a server", base)
	}
	all := []string{"did", "web", strings.ReplaceAll(strings.ToLower(u.Host), ":", "%3A")}
	for segment := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		if segment != "" {
			all = append(all, segment)
		}
	}
	for _, part := range parts {
		all = append(all, url.PathEscape(part))
	}
	return strings.Join(all, ":"), nil
}

// DIDDocumentURL returns the address of the document of a did:web identifier.
func DIDDocumentURL(did string) (string, error) {
	rest, ok := strings.CutPrefix(did, "did:web:")
	parts := strings.Split(rest, ":")
	host, err := url.PathUnescape(parts[0])
	if !ok || err != nil || host == "" || strings.ContainsAny(host, "/?#@ ") || slices.Contains(parts, "") || strings.ContainsAny(rest, "/?#") {
		return "", fault.Newf(fault.Invalid, "%q is no did:web identifier", did)
	}
	if len(parts) == 1 {
		return "https://" + host + "/.well-known/did.json", nil
	}
	return "https://" + host + "/" + strings.Join(parts[1:], "/") + "/did.json", nil
}

// DIDDocument writes the document of an issuer: its keys, of which those that were replaced stay,
// since what they signed stays valid.
func DIDDocument(did string, keys []SigningKey) ([]byte, error) {
	methods, ids := []any{}, []any{}
	for _, k := range keys {
		id := did + "#" + k.ID
		ids = append(ids, id)
		methods = append(methods, map[string]any{"id": id, "type": "Multikey", "controller": did, "publicKeyMultibase": encodeKey(k.Public())})
	}
	document, err := json.MarshalIndent(map[string]any{
		"@context": []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"},
		"id":       did, "verificationMethod": methods, "assertionMethod": ids,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing a DID document: %w", err)
	}
	return append(document, '\n'), nil
}

// keyIn finds a key in a DID document, by its DID URL. A key that the document does not list for
// assertions is NotFound.
func keyIn(document []byte, did, method string) (crypto.PublicKey, error) {
	var d map[string]any
	if err := json.Unmarshal(document, &d); err != nil || text(d, "id") != did {
		return nil, fault.Newf(fault.Unavailable, "the document at the issuer's address is not that of %s", did)
	}
	absolute := func(id string) string {
		if strings.HasPrefix(id, "#") {
			return did + id
		}
		return id
	}
	may := false
	candidates := objects(d["verificationMethod"])
	listed, _ := d["assertionMethod"].([]any)
	for _, one := range listed {
		switch v := one.(type) {
		case string:
			may = may || absolute(v) == method
		case map[string]any:
			candidates, may = append(candidates, v), may || absolute(text(v, "id")) == method
		}
	}
	for _, m := range candidates {
		if absolute(text(m, "id")) == method && may {
			return methodKey(m)
		}
	}
	return nil, fault.Newf(fault.NotFound, "%s does not list the key %s", did, method)
}

// methodKey reads the key of a verification method.
func methodKey(m map[string]any) (crypto.PublicKey, error) {
	if multibase := text(m, "publicKeyMultibase"); multibase != "" {
		return decodeKey(multibase)
	}
	if m["publicKeyJwk"] == nil {
		return nil, fault.New(fault.Unavailable, "the issuer's key is of a kind that is not known here")
	}
	return parseJWK(m["publicKeyJwk"])
}

// parseJWK reads a public key in the form of JSON Web Keys.
func parseJWK(value any) (crypto.PublicKey, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(data); err != nil || !key.IsPublic() {
		return nil, fault.New(fault.Unavailable, "the issuer's key is of a kind that is not known here")
	}
	return key.Key, nil
}

// keyOfDIDKey returns the key that a did:key identifier is itself.
func keyOfDIDKey(did string) (crypto.PublicKey, error) {
	return decodeKey(strings.TrimPrefix(did, "did:key:"))
}
