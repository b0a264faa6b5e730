package client

import (
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Certificate is the API's one shape of a certificate: the guide's fields (step 4)
// and what its users need besides.
type Certificate struct {
	ID          uint64 `json:"id,omitzero"` // 0 where the server has UUIDs only
	UUID        string `json:"uuid"`
	ReferenceID string `json:"reference_id"`
	Content

	Source Source `json:"source"`
	Status Status `json:"status"`

	BatchID   *string    `json:"batch_id"`
	File      File       `json:"file"`
	QR        *Placement `json:"qr,omitempty"` // the requested place of the code; nil if none was requested
	Verified  *Verified  `json:"verified"`
	VerifyURL string     `json:"verify_url"` // where the QR code leads
	// ShareURL is the page that a recipient passes on; "" for a token that may not download.
	ShareURL      string      `json:"share_url,omitempty"`
	FailureReason *string     `json:"failure_reason"`
	Supersedes    *string     `json:"supersedes"`    // UUID
	SupersededBy  *string     `json:"superseded_by"` // UUID
	Revocation    *Revocation `json:"revocation"`
	// RejectionReason is why an application was rejected.
	RejectionReason *string `json:"rejection_reason"`
	// Undelivered is set while the recipient is known not to have been reached.
	Undelivered *Undelivered `json:"undelivered"`
	ErasedAt    *time.Time   `json:"erased_at"` // when the recipient's data were destroyed
	// Remote is set where another vault issues the certificate, in front of which this one stands.
	Remote *Remote `json:"remote,omitempty"`

	// CreatedAt and UpdatedAt are the zero time where the server does not say.
	CreatedAt  time.Time  `json:"created_at,omitzero"`
	UpdatedAt  time.Time  `json:"updated_at,omitzero"`
	ApprovedAt *time.Time `json:"approved_at"`
	// ExpiresAt is the last second of validity; nil where there is no end.
	ExpiresAt *time.Time `json:"expires_at"`

	// What VEC.digital's reference has besides; nil and empty where the server does not say.
	InstitutionName string         `json:"institution_name,omitempty"`
	Documents       []DocumentPath `json:"documents"`
	QRCodePath      *string        `json:"qrcode_path"`  // a picture of the QR code
	GeneratedAt     *time.Time     `json:"generated_at"` // the same as ApprovedAt
	AssignedAt      *time.Time     `json:"assigned_at"`  // when the recipient's account got it
}

// Expired reports whether the certificate's last day has passed.
func (c Certificate) Expired(now time.Time) bool {
	return c.ExpiresAt != nil && now.After(*c.ExpiresAt)
}

// DocumentPath is where the API has a document of a certificate.
type DocumentPath struct {
	ID   AnyID  `json:"id"`
	Type string `json:"type"` // "verified_pdf"
	Path string `json:"path"`
}

// Source says who began a certificate.
type Source struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Status is where a certificate stands.
type Status struct {
	// Value is pending, in_review, processing, approved, failed, rejected or revoked. The
	// reference's "generated" is read as approved.
	Value       string `json:"value"`
	Label       string `json:"label"`
	Description string `json:"description"`
}

// Is reports whether it is one of some states.
func (s Status) Is(some ...vault.Status) bool { return slices.Contains(some, vault.Status(s.Value)) }

// File is the submitted document.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Verified is the verified PDF.
type Verified struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// TimestampOwed says that the file lacks its time stamp, which is added later.
	TimestampOwed bool `json:"timestamp_owed,omitempty"`
	// Level is how far the file is made to last: "B-B", "B-T", "B-LT" or "B-LTA"; "" where the
	// server does not say. LevelOwed is the level that it gets later.
	Level     string `json:"level,omitempty"`
	LevelOwed string `json:"level_owed,omitempty"`
	// LevelProblem says why the file was given up on its way to a level.
	LevelProblem string `json:"level_problem,omitempty"`
	// TimestampUntil is when the certificate of its newest time stamp ends.
	TimestampUntil *time.Time `json:"timestamp_until,omitempty"`
	// Earlier are the SHA-256 of genuine files that were issued before the time stamp was added.
	Earlier []string `json:"earlier_sha256,omitempty"`
}

// Is reports whether a file with a SHA-256 is or was the verified PDF.
func (v Verified) Is(sum string) bool { return v.SHA256 == sum || slices.Contains(v.Earlier, sum) }

// Revocation says when and why a certificate was taken back.
type Revocation struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Remote is a certificate as the vault knows it that issues it.
type Remote struct {
	Vault string `json:"vault"` // its base URL
	// UUID and ReferenceID are "" until the vault lists the certificate. The document shows this
	// reference ID.
	UUID        string     `json:"uuid,omitempty"`
	ReferenceID string     `json:"reference_id,omitempty"`
	SentAt      time.Time  `json:"sent_at"`
	FetchedAt   *time.Time `json:"fetched_at"` // when its verified PDF was kept here
}

// Undelivered says why the mail to a recipient did not arrive.
type Undelivered struct {
	Address string    `json:"address"`
	Code    string    `json:"code"` // "5.1.1"; "" where the server said none
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Page is a page of a list, in the shape that Laravel gives it.
type Page[T any] struct {
	Data  []T   `json:"data"`
	Links Links `json:"links"`
	Meta  Meta  `json:"meta"`
}

// Links are a page's neighbours; null where there is none.
type Links struct {
	First *string `json:"first"`
	Last  *string `json:"last"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
}

// Meta is a page's place in the list. From and To count entries from 1 and are
// null on an empty page.
type Meta struct {
	CurrentPage int    `json:"current_page"`
	From        *int   `json:"from"`
	LastPage    int    `json:"last_page"`
	Path        string `json:"path"`
	PerPage     int    `json:"per_page"`
	To          *int   `json:"to"`
	Total       int    `json:"total"`
	// Links are the pages around this one, as Laravel lists them.
	Links []PageLink `json:"links,omitempty"`
}

// PageLink leads to a page; URL is null where there is none.
type PageLink struct {
	URL    *string `json:"url"`
	Label  string  `json:"label"`
	Active bool    `json:"active"` // it is this page
}

// Filter selects certificates; empty fields do not restrict.
type Filter struct {
	Status, Email, Search, Batch string
	From, To                     string // issue date, YYYY-MM-DD
	EndsFrom, EndsTo             string // last day of validity, YYYY-MM-DD
	Page, PerPage                int    // 0: the first page, 15 entries
}

// TimeOrNull is a moment in UTC, or nil for the zero time.
func TimeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
