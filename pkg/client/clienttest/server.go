// Package clienttest has two vaults for tests of clients: Guide speaks what the guide
// shows and nothing else, Reference what VEC.digital's published reference says. Both can
// be told to do what the two documents allow and clients stumble over.
package clienttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Token is the one that a server accepts.
const Token = "vec_test"

// Faults are the switches of a server. A number counts down: so many times it happens.
type Faults struct {
	// LoseBulk and LoseUpload count answers that are lost after the commit. They break off,
	// or are a 500 where LoseWith says so.
	LoseBulk, LoseUpload int
	LoseWith             int
	// LoseFiles counts the bulk calls before which the server forgets all uploaded files.
	LoseFiles int
	// OneDuplicate names the first duplicate of a refused call alone; BareDuplicate names
	// none, the answer has a message only.
	OneDuplicate, BareDuplicate bool
	// StringErrors answers errors as one string, where the dialect has an object or an array.
	StringErrors bool
	// NoBatch leaves the batch ID out of every answer and does not know it as a filter.
	NoBatch bool
	// NoDates has null for issue_date in the objects of Reference. Those of Guide have no
	// issue_date, as in the guide's example, unless Dates is set.
	NoDates, Dates bool
	// PlainLists answers lists as bare arrays, without meta and links.
	PlainLists bool
	// OldestFirst turns the lists round.
	OldestFirst bool
	// HideFor is after how many further list calls a new certificate is listed; ProcessFor
	// is for how many more it is being processed.
	HideFor, ProcessFor int
	// FailFor is the recipient whose certificates fail.
	FailFor string
	// On restricts Hang, Busy, Broken and Refuse to calls such as "POST /business/certificate-vault/bulk";
	// "" is all calls.
	On string
	// Hang counts calls that are never answered; Busy those answered 429, with RetryAfter;
	// Broken those answered 500; Refuse those answered 507, which nobody repeats.
	Hang, Busy, Broken, Refuse int
	RetryAfter                 string
	// CutLists counts list answers that break off.
	CutLists int
	// InsertWhileReading adds somebody else's certificate before each page but the first.
	InsertWhileReading bool
}

// Server is a vault for tests.
type Server struct {
	*httptest.Server
	dialect dialect

	mu     sync.Mutex
	faults Faults
	calls  map[string]int
	files  map[string]string // file name by file ID
	all    []*record         // oldest first
	keys   map[vault.Key]bool
	made   int // objects so far
}

// dialect is what the two documents say differently.
type dialect interface {
	certificate(r *record, f Faults, single bool) map[string]any
	anyCertificate(r *record, f Faults) map[string]any
	list(path string, page, perPage, total int, data []any) any
	entryErrors(found []entryError) any
	templates() any
	batch(id string, all []*record, f Faults) map[string]any
	finished() string
	filtersBatch() bool
	retried() string
}

// entryError is what is wrong with one entry of a bulk call.
type entryError struct {
	entry       int
	field, text string
}

// record is a certificate.
type record struct {
	id                                int
	uuid, ref                         string
	title, name, email, date, details string
	batch, file                       string
	failed, revoked                   bool
	hide, process                     int
}

func (r *record) status(finished string) string {
	switch {
	case r.revoked:
		return "revoked"
	case r.process > 0:
		return "processing"
	case r.failed:
		return "failed"
	}
	return finished
}

func start(t testing.TB, d dialect) *Server {
	t.Helper()
	s := &Server{dialect: d, calls: map[string]int{}, files: map[string]string{}, keys: map[vault.Key]bool{}}
	s.Server = httptest.NewServer(s.handler())
	t.Cleanup(func() {
		s.CloseClientConnections() // some may wait for an answer that never comes
		s.Close()
	})
	return s
}

// Set sets the switches.
func (s *Server) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Calls returns how many calls there were, by method and path; those of lists under "list".
func (s *Server) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// Issue adds finished certificates, as if somebody else had uploaded them.
func (s *Server) Issue(all ...vault.Content) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range all {
		s.add(c, "")
	}
}

// Issued returns the content of all certificates, oldest first.
func (s *Server) Issued() []vault.Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []vault.Content
	for _, r := range s.all {
		all = append(all, vault.Content{Title: r.title, Name: r.name, Email: r.email, IssueDate: vault.Date(r.date), Details: r.details})
	}
	return all
}

// Reference returns the reference ID of a recipient's latest certificate; "" if there is none.
func (s *Server) Reference(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.all) {
		if r.email == email {
			return r.ref
		}
	}
	return ""
}

// Revoke takes a recipient's certificates back.
func (s *Server) Revoke(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.all {
		r.revoked = r.revoked || r.email == email
	}
}

// Finish ends the waiting and the processing of every certificate.
func (s *Server) Finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.all {
		r.hide, r.process = 0, 0
	}
}

func (s *Server) add(c vault.Content, batch string) *record {
	s.made++
	r := &record{id: s.made, uuid: s.newUUID(), ref: fmt.Sprintf("VEC-IC-2026%013X", s.made),
		title: c.Title, name: c.Name, email: c.Email, date: string(c.IssueDate), details: c.Details, batch: batch}
	s.all = append(s.all, r)
	s.keys[c.Key()] = true
	return r
}

// newUUID returns one of its own for each call; the lock is held.
func (s *Server) newUUID() string {
	s.made++
	return fmt.Sprintf("9e7860f0-05d1-4fd0-b3e0-%012x", s.made)
}

// take uses up one of a switch's number.
func take(n *int) bool {
	if *n == 0 {
		return false
	}
	*n--
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // a mistake of this package
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

func message(text string) map[string]any { return map[string]any{"message": text} }

// handler answers the calls of both documents.
func (s *Server) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+Token {
			answer(w, http.StatusUnauthorized, message("Unauthorized - Invalid API token"))
			return
		}
		if !s.interferes(w, r) {
			s.dispatch(w, r)
		}
	})
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	const vaultPath = "/business/certificate-vault"
	switch r.Method + " " + r.URL.Path {
	case "GET " + vaultPath:
		s.listVault(w, r)
	case "POST " + vaultPath:
		s.upload(w, r)
	case "POST " + vaultPath + "/upload-file":
		s.uploadFile(w, r)
	case "POST " + vaultPath + "/bulk":
		s.bulk(w, r)
	case "GET /business/certificate-templates":
		answer(w, http.StatusOK, s.dialect.templates())
	case "GET /business/batches":
		s.listBatches(w, r)
	case "GET /business/certificates":
		s.listAll(w, r)
	default:
		uuid, act, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, vaultPath+"/"), "/")
		switch r.Method + " " + act {
		case "GET ":
			s.view(w, uuid)
		case "GET download":
			s.download(w, uuid)
		case "POST retry":
			s.retry(w, uuid)
		default:
			answer(w, http.StatusNotFound, message("The route could not be found."))
		}
	}
}

// interferes counts a call, and answers it, or does not, where a switch says so.
func (s *Server) interferes(w http.ResponseWriter, r *http.Request) bool {
	name := r.Method + " " + r.URL.Path
	s.mu.Lock()
	s.calls[name]++
	f := &s.faults
	concerned := f.On == "" || f.On == name
	hang := concerned && take(&f.Hang)
	busy := concerned && !hang && take(&f.Busy)
	broken := concerned && !hang && !busy && take(&f.Broken)
	refuse := concerned && !hang && !busy && !broken && take(&f.Refuse)
	pause := f.RetryAfter
	s.mu.Unlock()
	switch {
	case hang:
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the caller is gone
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case busy:
		if pause != "" {
			w.Header().Set("Retry-After", pause)
		}
		answer(w, http.StatusTooManyRequests, message("Too Many Attempts."))
	case refuse:
		answer(w, http.StatusInsufficientStorage, message("The storage is full."))
	case broken:
		answer(w, http.StatusInternalServerError, map[string]any{
			"message": "An unexpected error occurred. Our team has been notified.", "error_code": "SERVER_ERROR"})
	}
	return busy || broken || refuse
}

// lose loses an answer after the commit.
func lose(w http.ResponseWriter, with int) {
	if with == 0 {
		panic(http.ErrAbortHandler)
	}
	answer(w, with, message("An unexpected error occurred. Our team has been notified."))
}

// number reads a parameter; below 1 or above most it is an error.
func number(r *http.Request, name string, standard, most int) (int, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return standard, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= most
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
