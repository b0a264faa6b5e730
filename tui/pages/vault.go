package pages

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// Vault has the calls that the screen makes. *adminclient.Client implements it.
type Vault interface {
	AgentStatus(ctx context.Context) (adminclient.AgentStatus, error)

	// Batches.
	Batches(ctx context.Context, page, perPage int) (client.Page[client.Batch], error)
	ActOnBatch(ctx context.Context, id string, act adminclient.BatchAction) (client.Batch, error)
	RetryAll(ctx context.Context, batch string) (int, error)

	// Certificates.
	List(ctx context.Context, f client.Filter) (client.Page[client.Certificate], error)
	Certificate(ctx context.Context, name string) (client.Certificate, error)
	History(ctx context.Context, name string) (adminclient.CertificateHistory, error)
	Mails(ctx context.Context, f adminclient.MailFilter) ([]adminclient.Mail, error)
	Download(ctx context.Context, name string, w io.Writer) (int64, error)
	Retry(ctx context.Context, name string) (client.Certificate, error)
	RetrySelected(ctx context.Context, s adminclient.Selection) (adminclient.RetryReport, error)
	Revoke(ctx context.Context, name, reason string) (client.Certificate, error)

	// Failed certificates, grouped by cause.
	Failures(ctx context.Context, batch string) ([]adminclient.FailureGroup, error)
	FailedFor(ctx context.Context, code, after string, page, perPage int) (client.Page[client.Certificate], error)

	// Applications.
	Applications(ctx context.Context, f adminclient.ApplicationFilter) (client.Page[adminclient.Application], error)
	Application(ctx context.Context, name string) (adminclient.Application, error)
	ApplicationEvidence(ctx context.Context, name string, w io.Writer) (int64, error)
	ReviewApplication(ctx context.Context, name string) (adminclient.Application, error)
	ApproveApplication(ctx context.Context, name string, a adminclient.ApplicationApproval) (adminclient.Application, error)
	RejectApplication(ctx context.Context, name, reason string) (adminclient.Application, error)
	Templates(ctx context.Context) ([]client.Template, error)

	// LatestAudit returns entries of the audit trail before one, the latest first; 0 is the end.
	LatestAudit(ctx context.Context, before uint64) ([]audit.Entry, error)

	// Webhooks.
	Webhooks(ctx context.Context) ([]adminclient.Webhook, error)
	Deliveries(ctx context.Context, f adminclient.DeliveryFilter) ([]adminclient.WebhookDelivery, error)
	Delivery(ctx context.Context, id string) (adminclient.WebhookDelivery, error)
	TestWebhook(ctx context.Context, id string) (adminclient.WebhookDelivery, error)
	Redeliver(ctx context.Context, r adminclient.Redelivery) (int, error)

	// The certification authority.
	Stores(ctx context.Context) ([]adminclient.Store, error)
	StoreCertifications(ctx context.Context, store string) ([]adminclient.StoreCertification, error)
	DecideRequest(ctx context.Context, id, act, reason string) (adminclient.StoreCertification, error)
	RevokeCertification(ctx context.Context, hash, reason string) (adminclient.StoreCertification, error)
}
