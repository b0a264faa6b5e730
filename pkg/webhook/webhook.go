// Package webhook speaks the webhooks of a certificate vault: it signs and
// verifies deliveries, describes their payload, and wraps a handler that takes them.
// Other people's programs may use it; it needs nothing but the standard library.
//
// A delivery is an HTTP POST of JSON. Two signatures vouch for it, both made with
// the endpoint's signing secret:
//
//   - X-Webhook-Signature, the lower-case hex of HMAC-SHA256 over the exact bytes of
//     the body (Certificate Vault guide, step 9), and
//   - webhook-signature, that of the Standard Webhooks specification, which covers
//     webhook-id and webhook-timestamp too and therefore also stops old deliveries
//     from being played again.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Headers of a delivery. The first four are the guide's (step 9, "Delivery
// Headers"), the others those of Standard Webhooks.
const (
	HeaderSignature = "X-Webhook-Signature"
	HeaderEvent     = "X-Webhook-Event"
	HeaderID        = "X-Webhook-ID"
	HeaderTimestamp = "X-Webhook-Timestamp"

	HeaderStandardID        = "Webhook-Id"
	HeaderStandardTimestamp = "Webhook-Timestamp"
	HeaderStandardSignature = "Webhook-Signature"
)

// Events of a certificate (guide, "Available Webhook Events").
const (
	EventCreated    = "certificate_application.created"
	EventProcessing = "certificate_application.processing"
	EventApproved   = "certificate_application.approved"
	EventRejected   = "certificate_application.rejected"
	EventFailed     = "certificate_application.failed"
	EventRetried    = "certificate_application.retried"
)

// Events that the guide does not have. A vault of this program sends them to endpoints that
// subscribe to them by name: a certificate was revoked, or replaced by a corrected one.
const (
	EventRevoked    = "certificate_application.revoked"
	EventSuperseded = "certificate_application.superseded"
)

// Payload is the body of a delivery about a certificate (guide, "Webhook
// Payload").
type Payload struct {
	Event            string    `json:"event"`      // one of the Event names
	WebhookID        string    `json:"webhook_id"` // UUID of the endpoint
	Timestamp        time.Time `json:"timestamp"`  // when it happened, UTC, to the second
	ApplicationID    uint64    `json:"application_id"`
	UUID             string    `json:"uuid"`
	CertificateTitle string    `json:"certificate_title"`
	ApplicantEmail   string    `json:"applicant_email"`
	Source           string    `json:"source"`          // "vault"
	TriggerContext   string    `json:"trigger_context"` // "single_upload", "bulk_upload", "retry", ...
	// DeliveryID is the same in all attempts at one delivery. Not every sender
	// gives one; Identity always does.
	DeliveryID string `json:"delivery_id,omitempty"`
}

// SecretPrefix begins a signing secret that other Standard Webhooks libraries
// take too: base64 of the key stands behind it.
const SecretPrefix = "whsec_"

// Sign makes the guide's signature of a body: 64 lower-case hex digits. The key is
// the secret as it was shown, prefix and all.
func Sign(secret string, body []byte) string {
	return hex.EncodeToString(hmacSHA256([]byte(secret), body))
}

// SignStandard makes the signature of Standard Webhooks: "v1," and base64. The key
// is what stands base64-encoded behind SecretPrefix.
func SignStandard(secret, id string, at time.Time, body []byte) string {
	return "v1," + base64.StdEncoding.EncodeToString(standardSum(secret, id, strconv.FormatInt(at.Unix(), 10), body))
}

func standardSum(secret, id, timestamp string, body []byte) []byte {
	return hmacSHA256(standardKey(secret), []byte(id), []byte("."), []byte(timestamp), []byte("."), body)
}

// standardKey is the key inside a secret. A secret of another form is itself the key.
func standardKey(secret string) []byte {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, SecretPrefix))
	if err != nil || len(key) == 0 {
		return []byte(secret)
	}
	return key
}

func hmacSHA256(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}
