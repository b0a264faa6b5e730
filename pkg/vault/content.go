package vault

// Content is what a certificate says of its recipient and of what is certified.
type Content struct {
	Title     string `json:"title"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Details   string `json:"details,omitempty"`
	IssueDate Date   `json:"issue_date,omitempty"`
}
