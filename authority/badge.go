package authority

import "slices"

// Badge is a step of the ladder; "" is none.
type Badge string

// The ladder, from the bottom. Each step needs all below it.
const (
	Base      Badge = "VW-CERT-BASE"
	Reference Badge = "VW-CERT-REF"
	Governed  Badge = "VW-CERT-GOV"
	Financial Badge = "VW-CERT-FIN"
	Currency  Badge = "VW-CERT-CUR"
)

// Badges lists the badges from the bottom.
func Badges() []Badge { return []Badge{Base, Reference, Governed, Financial, Currency} }

// Rank counts the steps from the bottom: 1 to 5, 0 for none.
func (b Badge) Rank() int { return slices.Index(Badges(), b) + 1 }

// Name is the badge's name for people.
func (b Badge) Name() string {
	switch b {
	case Base:
		return "Base Certified"
	case Reference:
		return "Reference Certified"
	case Governed:
		return "Governance Certified"
	case Financial:
		return "Financial Certified"
	case Currency:
		return "Currency Certified"
	}
	return ""
}

// Features are the names of what the badge stands for, as answers list them. The
// contract's examples leave the reference mode out from the third step up.
func (b Badge) Features() []string {
	switch b {
	case Reference:
		return []string{"reference_strict"}
	case Governed:
		return []string{"reference_governance"}
	case Financial:
		return []string{"reference_governance", "financial_reconciliation"}
	case Currency:
		return []string{"reference_governance", "financial_reconciliation", "multi_currency"}
	case Base:
	}
	return []string{}
}

// Snapshot is what a store's SDK says of itself (contract, "Request
// Certification"). What is left out counts as false.
type Snapshot struct {
	SDKVersion string `json:"sdk_version"`
	// QualifiedBadge is what the SDK believes to have earned; it is not relied on.
	QualifiedBadge string   `json:"qualified_badge,omitempty"`
	Features       Features `json:"features"`
	Services       Services `json:"services"`
	Config         Config   `json:"config"`
	Timestamp      string   `json:"timestamp,omitempty"` // the store's clock, not relied on
}

// Features are the SDK's parts that are switched on.
type Features struct {
	Base            bool `json:"base"`
	ReferenceStrict bool `json:"reference_strict"`
	Governance      bool `json:"governance"`
	Financial       bool `json:"financial"`
	Currency        bool `json:"currency"`
}

// Services are the SDK's services that are there.
type Services struct {
	TransactionVerifier    bool `json:"transaction_verifier"`
	ReferenceGovernor      bool `json:"reference_governor"`
	FinancialRecordManager bool `json:"financial_record_manager"`
	CurrencyNormalizer     bool `json:"currency_normalizer"`
}

// Config is how the store set the SDK up.
type Config struct {
	APIKeySet                      bool `json:"api_key_set"`
	StoreSlugSet                   bool `json:"store_slug_set"`
	ReferenceStrictMode            bool `json:"reference_strict_mode"`
	ReferenceGovernanceEnabled     bool `json:"reference_governance_enabled"`
	FinancialReconciliationEnabled bool `json:"financial_reconciliation_enabled"`
	BaseCurrencySet                bool `json:"base_currency_set"`
}

// Same reports whether two snapshots say the same, their time aside.
func (s Snapshot) Same(other Snapshot) bool {
	s.Timestamp, other.Timestamp = "", ""
	return s == other
}

// Requirement is one thing that a step of the ladder needs.
type Requirement struct {
	Badge   Badge
	Field   string // of the snapshot, such as features.base
	Message string // what to say when it is missing
	met     func(Snapshot) bool
}

// Requirements lists what each step needs besides the steps below it.
func Requirements() []Requirement {
	return []Requirement{
		{Base, "config.api_key_set", "API key not set", func(s Snapshot) bool { return s.Config.APIKeySet }},
		{Base, "config.store_slug_set", "Store slug not set", func(s Snapshot) bool { return s.Config.StoreSlugSet }},
		{Base, "services.transaction_verifier", "Transaction verifier not detected", func(s Snapshot) bool { return s.Services.TransactionVerifier }},
		{Base, "features.base", "Base integration not active", func(s Snapshot) bool { return s.Features.Base }},
		{Reference, "features.reference_strict", "Strict reference feature not active", func(s Snapshot) bool { return s.Features.ReferenceStrict }},
		{Reference, "config.reference_strict_mode", "Reference strict mode not enabled", func(s Snapshot) bool { return s.Config.ReferenceStrictMode }},
		{Governed, "features.governance", "Reference governance feature not active", func(s Snapshot) bool { return s.Features.Governance }},
		{Governed, "config.reference_governance_enabled", "Reference governance not enabled", func(s Snapshot) bool { return s.Config.ReferenceGovernanceEnabled }},
		{Governed, "services.reference_governor", "Reference governor not detected", func(s Snapshot) bool { return s.Services.ReferenceGovernor }},
		{Financial, "features.financial", "Financial feature not active", func(s Snapshot) bool { return s.Features.Financial }},
		{Financial, "config.financial_reconciliation_enabled", "Financial reconciliation not enabled", func(s Snapshot) bool { return s.Config.FinancialReconciliationEnabled }},
		{Financial, "services.financial_record_manager", "Financial reconciliation table not detected", func(s Snapshot) bool { return s.Services.FinancialRecordManager }},
		{Currency, "features.currency", "Currency feature not active", func(s Snapshot) bool { return s.Features.Currency }},
		{Currency, "config.base_currency_set", "Base currency not set", func(s Snapshot) bool { return s.Config.BaseCurrencySet }},
		{Currency, "services.currency_normalizer", "Currency normalizer not detected", func(s Snapshot) bool { return s.Services.CurrencyNormalizer }},
	}
}

// Qualify finds the highest badge that a snapshot earns, "" for none.
func Qualify(s Snapshot) Badge {
	var earned Badge
	for _, b := range Badges() {
		if len(Missing(s, b)) > 0 {
			return earned
		}
		earned = b
	}
	return earned
}

// Missing lists what a snapshot lacks for a badge, the steps below it included.
func Missing(s Snapshot, b Badge) []Requirement {
	var lacks []Requirement
	for _, r := range Requirements() {
		if r.Badge.Rank() <= b.Rank() && !r.met(s) {
			lacks = append(lacks, r)
		}
	}
	return lacks
}

// Next is the step above a badge, "" above the top one.
func (b Badge) Next() Badge {
	if b.Rank() == len(Badges()) {
		return ""
	}
	return Badges()[b.Rank()]
}
