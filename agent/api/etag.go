package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// writeTagged answers a call that reads with an ETag, and with 304 and no body where the client has
// the same answer already. It saves programs that poll the transfer, and tells them that nothing
// happened.
func writeTagged(w http.ResponseWriter, r *http.Request, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache") // kept by the client alone, and asked for again
	if matchesTag(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeRawJSON(w, http.StatusOK, raw)
	return nil
}

// matchesTag reports whether a tag is among those that a client has (RFC 9110, section 13.1.2).
func matchesTag(given []string, tag string) bool {
	for one := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
