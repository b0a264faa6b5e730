package admin

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// exportPage is how many records are read at a time.
const exportPage = 1000

// recipientExport gathers what the home knows of one person.
type recipientExport struct {
	*Service
	email, folded string
	person        string // of several at the address; "" for all that is about the address
	forStaff      bool   // else for the person, who does not learn which of the staff did what
	data          adminclient.PersonalData
	files         []exportedFile

	references map[string]bool // of the person's certificates, in audit entries
	pseudonyms map[string]bool
}

// RecipientExport is everything that the home knows of one person, ready to be written.
type RecipientExport struct{ gathered *recipientExport }

// ExportRecipient gathers what the institution of the context, else every institution of the
// home, knows of an address; where several people share it, of one of them, by name or
// external ID. It is NotFound where nothing is known.
func (s *Service) ExportRecipient(ctx context.Context, email, person string) (*RecipientExport, error) {
	email = vault.Clean(email)
	if !vault.ValidEmail(email) {
		return nil, fault.Newf(fault.Invalid, "%q is not an e-mail address", email)
	}
	e := s.newRecipientExport(email, person, true)
	scope := s.institutions.All()
	if at := s.institutions.Acting(ctx); at.ID != 0 {
		scope = []vault.Institution{at}
		if err := s.nameRecipient(ctx, at.ID, email); err != nil {
			return nil, err
		}
	} else if err := s.nameRecipient(ctx, 0, email); err != nil {
		return nil, err
	}
	known, err := e.gather(ctx, scope)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, s.unknownRecipient(ctx, scope, email)
	}
	return &RecipientExport{e}, nil
}

// ExportAccount writes what every institution of the home knows of the holder of an account, as
// a zip. Nothing is written where gathering fails.
func (s *Service) ExportAccount(ctx context.Context, who vault.Account, w io.Writer) error {
	e := s.newRecipientExport(who.Email, "", false)
	if _, err := e.gather(ctx, s.institutions.All()); err != nil {
		return err
	}
	x := RecipientExport{e}
	return x.WriteZip(ctx, w)
}

func (s *Service) newRecipientExport(email, person string, forStaff bool) *recipientExport {
	return &recipientExport{Service: s, email: email, folded: vault.FoldEmail(email), person: person, forStaff: forStaff,
		references: map[string]bool{}, pseudonyms: map[string]bool{},
		data: adminclient.PersonalData{Address: email, Person: person, MadeAt: s.now().UTC(), Institutions: []adminclient.InstitutionData{}, Received: []adminclient.ReceivedEvent{},
			Missing: []string{}, NotIncluded: []string{
				"backups of the home, and copies that were written outside of it",
				"answers to calls of the API, which are kept for a day and repeat what is listed here",
				"log files, which have no names of people, except where a disk failed on a dropped file that is called after one",
			}}}
}

// unknownRecipient is the error for an address that nothing is known of where it was looked for.
func (s *Service) unknownRecipient(ctx context.Context, scope []vault.Institution, email string) error {
	others, err := s.issuersTo(ctx, email)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return fault.Newf(fault.NotFound, "%s knows nothing of %s; these institutions do: %s; name one with --institution", scope[0].Name, email, strings.Join(others, ", "))
	}
	return fault.Newf(fault.NotFound, "nothing is known of %s; check its spelling", email)
}

// gather collects everything, and reports whether there is anything.
func (e *recipientExport) gather(ctx context.Context, scope []vault.Institution) (known bool, err error) {
	if err := e.addPseudonym(0); err != nil {
		return false, err
	}
	for _, at := range scope {
		about, err := e.institutionData(ctx, at)
		if err != nil {
			return false, err
		}
		if about == nil {
			continue
		}
		if err := e.addPseudonym(at.ID); err != nil {
			return false, err
		}
		e.data.Institutions = append(e.data.Institutions, *about)
		known = true
	}
	if e.person == "" {
		if err := e.gatherOfAddress(ctx); err != nil {
			return false, err
		}
		known = known || e.data.Account != nil || len(e.data.Received) > 0
	}
	return known, e.gatherAudit(ctx)
}

// gatherOfAddress collects what is known of the address and belongs to no institution.
func (e *recipientExport) gatherOfAddress(ctx context.Context) error {
	account, err := e.store.AccountByEmail(ctx, e.email)
	switch {
	case err == nil:
		e.data.Account = &account
	case !fault.Is(err, fault.NotFound):
		return err
	}
	for before := uint64(0); ; {
		found, err := e.store.InboundEvents(ctx, before, exportPage)
		if err != nil {
			return err
		}
		for _, one := range found {
			before = one.Seq
			if one.Names(e.folded) {
				e.data.Received = append(e.data.Received, adminclient.ReceivedEvent{Number: one.Seq, Identity: one.Identity, At: one.At.UTC(), Event: one.Event, UUID: one.Subject, Payload: one.Body})
			}
		}
		if len(found) < exportPage {
			return nil
		}
	}
}

// institutionData collects what one institution knows; nil where that is nothing.
func (e *recipientExport) institutionData(ctx context.Context, at vault.Institution) (*adminclient.InstitutionData, error) {
	all, err := e.issuedTo(ctx, at.ID, e.email)
	if err != nil {
		return nil, err
	}
	if e.forStaff {
		chosen, only, err := selectPerson(all, e.email, e.person)
		switch {
		case err == nil:
			all = chosen
		case e.person == "" || !fault.Is(err, fault.NotFound):
			return nil, err
		default: // another institution of the home may know the person
			return nil, nil //nolint:nilnil // nothing is known, which is no error
		}
		if e.person != "" && only == nil {
			return nil, nil //nolint:nilnil // as above
		}
	}
	about := adminclient.InstitutionData{Institution: at.Slug, Name: at.Name, Certificates: []adminclient.CertificateData{}, Unconfirmed: []vault.UnconfirmedApplication{},
		Mails: []vault.Mail{}, Rejected: []vault.RejectedRow{}, Refused: []adminclient.RefusedFile{}, Audit: []adminclient.AuditRecord{}}
	own := map[uint64]bool{}
	for _, c := range all {
		one, err := e.certificateData(ctx, c)
		if err != nil {
			return nil, err
		}
		about.Certificates = append(about.Certificates, one)
		own[c.ID], e.references["certificate "+c.Reference] = true, true
		if c.Batch != "" {
			e.references["batch "+c.Batch] = true
		}
	}
	if err := e.addCertificateRecords(ctx, at.ID, &about); err != nil {
		return nil, err
	}
	if err := e.addMails(ctx, at, own, &about); err != nil {
		return nil, err
	}
	if err := e.addUnissued(ctx, at, all, &about); err != nil {
		return nil, err
	}
	if e.person == "" {
		erased, ok, err := e.erasures.Find(at.ID, e.email)
		if err != nil {
			return nil, err
		}
		if ok {
			about.ErasedAt = &erased
		}
	}
	if len(about.Certificates)+len(about.Mails)+len(about.Unconfirmed)+len(about.Rejected)+len(about.Refused) == 0 && about.ErasedAt == nil {
		return nil, nil //nolint:nilnil // nothing is known, which is no error
	}
	return &about, nil
}

func (e *recipientExport) certificateData(ctx context.Context, c vault.Certificate) (adminclient.CertificateData, error) {
	shown := e.toAPI(c)
	one := adminclient.CertificateData{Record: c, ShareURL: shown.ShareURL, VerifyURL: shown.VerifyURL, Files: []string{}, Corrections: []vault.CorrectionRequest{}, Deliveries: []adminclient.WebhookDelivery{}}
	var err error
	if one.Events, err = e.store.Events(ctx, c.ID); err != nil {
		return one, err
	}
	if !e.forStaff && c.Application != nil {
		one.Record.Application = withoutStaff(*c.Application)
	}
	one.Files = e.addDocuments(c)
	return one, nil
}

// withoutStaff is an application without who of the staff decided it.
func withoutStaff(a vault.Application) *vault.Application {
	if a.By != "" {
		a.By = staffActor
	}
	if a.Review != nil {
		a.Review = &vault.Review{By: staffActor, At: a.Review.At}
	}
	if a.Decision != nil {
		a.Decision = &vault.Decision{By: staffActor, At: a.Decision.At, Reason: a.Decision.Reason}
	}
	return &a
}

// staffActor is what a person is told of who of the staff acted.
const staffActor = "staff"

// addCertificateRecords adds the requests for correction and the deliveries of webhooks that
// are about certificates.
func (e *recipientExport) addCertificateRecords(ctx context.Context, institution uint32, about *adminclient.InstitutionData) error {
	if len(about.Certificates) == 0 {
		return nil
	}
	at := map[string]*adminclient.CertificateData{}
	for i := range about.Certificates {
		at[about.Certificates[i].Record.UUID] = &about.Certificates[i]
	}
	corrections, err := e.store.Corrections(ctx, institution, true)
	if err != nil {
		return err
	}
	for _, c := range corrections {
		if one := at[c.Certificate]; one != nil {
			one.Corrections = append(one.Corrections, c)
		}
	}
	for filter := (webhook.Filter{Institution: institution}); ; {
		found, err := e.store.Deliveries(ctx, filter, exportPage)
		if err != nil {
			return err
		}
		for _, d := range found {
			filter.Before = d.ID
			one := at[d.Subject]
			if one == nil {
				continue
			}
			whole, err := e.store.Delivery(ctx, institution, d.UUID)
			if err != nil {
				return err
			}
			shown := deliveryToAPI(whole.Delivery, whole.Body)
			if !e.forStaff {
				for i := range shown.Attempts {
					shown.Attempts[i].Error, shown.Attempts[i].Response = "", "" // they are about other people's servers
				}
			}
			one.Deliveries = append(one.Deliveries, shown)
		}
		if len(found) < exportPage {
			return nil
		}
	}
}

// addMails adds the mails to the address and those about its certificates. The secret links of
// mails that wait are left out: they would let anyone with the export sign in.
func (e *recipientExport) addMails(ctx context.Context, at vault.Institution, own map[uint64]bool, about *adminclient.InstitutionData) error {
	return e.eachMail(ctx, at.ID, func(m vault.Mail) error {
		byAddress := e.person == "" && (vault.FoldEmail(m.To) == e.folded || vault.FoldEmail(m.From) == e.folded)
		if !own[m.Certificate] && !byAddress {
			return nil
		}
		if m.Link != "" {
			m.Link = "(secret)"
		} else {
			e.addSpooled(at, m)
		}
		about.Mails = append(about.Mails, m)
		e.references[fmt.Sprintf("mail %d", m.ID)] = true
		return nil
	})
}

// addUnissued adds what was never issued: applications whose address is not proven, refused
// rows and refused files.
func (e *recipientExport) addUnissued(ctx context.Context, at vault.Institution, issued []vault.Certificate, about *adminclient.InstitutionData) error {
	rows, err := e.batches.RejectedOf(ctx, at.ID, e.email, e.person)
	if err != nil {
		return err
	}
	about.Rejected = append(about.Rejected, rows...)
	if e.person != "" {
		return nil // what follows is found by the address, and may be about others who share it
	}
	waiting, err := e.store.UnconfirmedOf(ctx, at.ID, e.email)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		w.Hash = "(secret)"
		about.Unconfirmed = append(about.Unconfirmed, w)
		if w.Evidence != nil {
			e.addBlob(at.Slug+"/applications/"+fmt.Sprintf("unconfirmed-%d", len(about.Unconfirmed))+extension(*w.Evidence), w.Evidence.SHA256)
		}
	}
	return e.addRefused(at, issued, about)
}

func (e *recipientExport) addPseudonym(institution uint32) error {
	name, err := e.erasures.Pseudonym(institution, e.email)
	if err == nil && e.person == "" {
		e.pseudonyms[name] = true
	}
	return err
}

// gatherAudit sorts the audit entries that are about the person under their institutions.
func (e *recipientExport) gatherAudit(ctx context.Context) error {
	at := map[string]*adminclient.InstitutionData{}
	for i := range e.data.Institutions {
		at[e.data.Institutions[i].Institution] = &e.data.Institutions[i]
	}
	for after := uint64(0); ; {
		found, err := e.store.AuditEntries(ctx, after, auditPage)
		if err != nil || len(found) == 0 {
			return err
		}
		for _, entry := range found {
			after = entry.Seq
			record, ok := e.auditRecord(entry)
			if one := at[entry.Institution]; ok && one != nil {
				one.Audit = append(one.Audit, record)
			} else if ok && entry.Institution == "" {
				e.data.Audit = append(e.data.Audit, record)
			}
		}
	}
}

// auditRecord is an audit entry as far as it is about the person.
func (e *recipientExport) auditRecord(entry audit.Entry) (adminclient.AuditRecord, bool) {
	record := adminclient.AuditRecord{Seq: entry.Seq, At: entry.At, Actor: entry.Actor, Request: entry.Request, Object: entry.Object}
	var own []string
	list, _, _ := strings.Cut(entry.Object, " and ")
	for object := range strings.SplitSeq(list, ", ") {
		if e.references[object] {
			own = append(own, object)
		}
	}
	if !e.pseudonyms[entry.Person] && len(own) == 0 {
		return record, false
	}
	// Others' certificates are not the person's to know.
	if len(own) > 0 {
		record.Object = strings.Join(own, ", ")
	}
	if !e.forStaff {
		record.Actor, _, _ = strings.Cut(record.Actor, " (")
	}
	return record, true
}

// WriteZip writes the export as a zip: the files, then data.json, which says what could not be
// read. Entries have no times of their own.
func (x *RecipientExport) WriteZip(ctx context.Context, w io.Writer) error {
	out, e := zip.NewWriter(w), x.gathered
	for _, f := range e.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.writeFile(ctx, out, f); err != nil {
			return err
		}
	}
	slices.Sort(e.data.Missing)
	body, err := json.MarshalIndent(e.data, "", "  ")
	if err != nil {
		return fmt.Errorf("writing a person's data: %w", err)
	}
	entry, err := out.CreateHeader(&zip.FileHeader{Name: adminclient.PersonalDataFile, Method: zip.Deflate, Modified: e.data.MadeAt.Truncate(time.Second)})
	if err == nil {
		_, err = entry.Write(body)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return fmt.Errorf("writing a person's data: %w", err)
	}
	return nil
}
