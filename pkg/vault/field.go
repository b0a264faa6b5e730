package vault

import (
	"strings"
)

// FieldID is a field's place in the table of fields.
type FieldID int

// The fields of Content.
const (
	FieldTitle FieldID = iota
	FieldName
	FieldEmail
	FieldIssueDate
	FieldDetails
	FieldExternalID
	FieldExpiryDate
)

// FieldCount is the number of fields.
const FieldCount = len(fields)

// FieldKind is what a field holds.
type FieldKind int

// The kinds of fields.
const (
	LineField  FieldKind = iota // text of one line
	LinesField                  // text of any number of lines
	EmailField                  // an e-mail address
	DateField                   // YYYY-MM-DD
)

// Field describes one field of Content for everything that reads, checks, compares,
// shows, searches or erases fields.
type Field struct {
	ID       FieldID
	Key      string   // in requests and answers, manifests, tables and templates
	Label    string   // where people read what a certificate says
	Flag     string   // of the command line
	Usage    string   // of the flag
	Headings []string // of manifests that mean the field: small letters and digits only
	Sample   string   // for previews of templates
	Kind     FieldKind
	Limit    int // characters after trimming; 0 is none

	Required   bool
	Unique     bool // it is part of the uniqueness key
	Printed    bool // documents that templates make usually show it
	Searchable bool // a substring search looks at it
	Personal   bool // it is destroyed with the recipient's data
	Public     bool // everyone who checks the certificate sees it
	// Later is set for a field that homes of earlier versions do not have. It stands
	// behind all other columns of tables, and a certificate without it differs from no
	// draft that has it: what was issued before it was known can be asked for again.
	Later bool
}

var fields = [...]Field{
	{
		ID: FieldTitle, Key: "certificate_title", Label: "title", Flag: "title", Usage: "`TITLE` of the certificate",
		Headings: []string{"certificatetitle", "title", "certificate", "certificatename", "titleofcertificate", "titleofthecertificate", "award", "awardtitle"},
		Sample:   "Bachelor of Science in Mathematics", Limit: MaxTitle,
		Required: true, Unique: true, Printed: true, Searchable: true, Personal: true, Public: true,
	},
	{
		ID: FieldName, Key: "full_name", Label: "name", Flag: "name", Usage: "full `NAME` of the recipient",
		Headings: []string{"fullname", "name", "studentname", "student", "recipient", "recipientname", "nameofrecipient", "nameofstudent",
			"holder", "holdername", "graduate", "graduatename", "participant", "participantname", "applicant", "applicantname", "learner", "learnername"},
		Sample: "Maximiliane Sample", Limit: MaxName,
		Required: true, Printed: true, Searchable: true, Personal: true, Public: true,
	},
	{
		ID: FieldEmail, Key: "applicant_email", Label: "e-mail", Flag: "email", Usage: "`ADDRESS` of the recipient",
		Headings: []string{"applicantemail", "email", "mail", "emailaddress", "mailaddress", "studentemail", "recipientemail", "participantemail", "learneremail", "emailid"},
		Sample:   "maximiliane@example.org", Kind: EmailField, Limit: MaxEmail,
		Required: true, Unique: true, Searchable: true, Personal: true,
	},
	{
		ID: FieldIssueDate, Key: "issue_date", Label: "issued", Flag: "date", Usage: "issue `DATE` as YYYY-MM-DD (default: today)",
		Headings: []string{"issuedate", "date", "issued", "issuedon", "dateofissue", "dateissued", "issueddate", "awarddate", "certificatedate", "dateofaward"},
		Sample:   "2026-05-31", Kind: DateField,
		Unique: true, Printed: true, Public: true,
	},
	{
		ID: FieldDetails, Key: "details", Label: "details", Flag: "details", Usage: "more information, as `TEXT`",
		Headings: []string{"details", "detail", "description", "notes", "note", "remarks", "comment", "comments", "additionaldetails"},
		Sample:   "with distinction", Kind: LinesField, Limit: MaxDetails,
		Printed: true, Personal: true,
	},
	{
		ID: FieldExternalID, Key: "external_id", Label: "external ID", Flag: "external-id",
		Usage:    "`ID` of the recipient in your own system, such as a student number",
		Headings: []string{"externalid"},
		Sample:   "S-20260417", Limit: 64,
		Searchable: true, Personal: true, Later: true,
	},
	{
		ID: FieldExpiryDate, Key: "expiry_date", Label: "valid until", Flag: "expiry-date",
		Usage:    "last `DATE` of validity, as YYYY-MM-DD (default: no end)",
		Headings: []string{"expirydate", "expiry", "expires", "expireson", "expiresat", "expirationdate", "dateofexpiry", "validuntil", "validto", "validthrough"},
		Sample:   "2028-05-31", Kind: DateField,
		Printed: true, Public: true, Later: true,
	},
}

// Fields describes the fields, in the order in which they are read and shown.
func Fields() [FieldCount]Field { return fields }

// Field describes the field.
func (f FieldID) Field() Field { return fields[f] }

// Get returns what a content says in the field.
func (f FieldID) Get(c Content) string { return *c.at(f) }

// Set has a content say something in the field.
func (f FieldID) Set(c *Content, text string) { *c.at(f) = text }

// Get returns what a content says in the field.
func (f Field) Get(c Content) string { return f.ID.Get(c) }

// Set has a content say something in the field.
func (f Field) Set(c *Content, text string) { f.ID.Set(c, text) }

// Changeable reports whether a correction can change the field.
func (f Field) Changeable() bool { return new(Changes).at(f.ID) != nil }

// problem says what is wrong with a text of the field, "" where nothing is.
func (f Field) problem(text string) string {
	unfit := unfitForLine
	if f.Kind == LinesField {
		unfit = ForbiddenRune
	}
	return checkText(strings.ReplaceAll(f.Key, "_", " "), text, f.Required, f.Limit, unfit)
}

// SearchedTexts names what a substring search looks at, for a sentence.
func SearchedTexts() string {
	var labels []string
	for _, f := range fields {
		if f.Searchable {
			labels = append(labels, f.Label)
		}
	}
	return strings.Join(labels, ", ") + " or reference ID"
}

// Keys returns the keys of all fields.
func Keys() []string {
	keys := make([]string, len(fields))
	for i := range fields {
		keys[i] = fields[i].Key
	}
	return keys
}

// LaterKeys returns the keys of the later fields: the last columns of a table.
func LaterKeys() (keys []string) {
	for _, f := range fields {
		if f.Later {
			keys = append(keys, f.Key)
		}
	}
	return keys
}
