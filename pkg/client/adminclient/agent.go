package adminclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// AgentStatus says what an agent's home holds and what waits in it.
type AgentStatus struct {
	Home         string           `json:"home"`
	HomeID       string           `json:"home_id"` // stays with the home, wherever it is restored
	Institution  string           `json:"institution"`
	Slug         string           `json:"institution_slug"`
	Institutions int              `json:"institutions"` // how many the home has
	TimeZone     string           `json:"time_zone"`
	Sender       string           `json:"sender"`
	BaseURL      string           `json:"base_url"`
	Relay        string           `json:"relay,omitempty"` // the vault that issues in the home's place; "" for none
	Certificates map[string]int   `json:"certificates"`    // by state
	Jobs         map[string]Queue `json:"jobs"`            // by kind
	DatabaseSize int64            `json:"database_size"`
	Corrections  int              `json:"corrections_open"` // requested and not done yet
	Problems     []Problem        `json:"problems"`         // what is wrong now
	Drop         *DropFolder      `json:"drop"`             // null where none is watched
}

// DropFolder is how a drop folder is.
type DropFolder struct {
	Folder  string     `json:"folder"`
	Watch   string     `json:"watch"` // "events" or "polling"
	Trouble string     `json:"trouble,omitempty"`
	Total   int        `json:"total"`   // files in the folder, without those that are ignored
	Waiting []DropFile `json:"waiting"` // the first thousand, by name
}

// DropFile is a file that waits in the drop folder.
type DropFile struct {
	Name  string    `json:"name"` // relative to the folder, with slashes
	Size  int64     `json:"size"`
	Since time.Time `json:"since"` // when it was first seen as it is
	State string    `json:"state"` // arriving, waiting, named, loose, unusable
	Note  string    `json:"note,omitempty"`
}

// Settings are what an institution decides about its home; an empty one stays
// as it is.
type Settings struct {
	Institution string `json:"institution,omitempty"` // name
	Slug        string `json:"slug,omitempty"`        // of a new institution
	TimeZone    string `json:"time_zone,omitempty"`   // IANA name
	Sender      string `json:"sender,omitempty"`      // address that mails come from
	BaseURL     string `json:"base_url,omitempty"`
	// MailServer and Listen are mail.smtp_url and listen in config.yaml. An agent goes
	// by them from its next start on.
	MailServer string `json:"mail_server,omitempty"`
	Listen     string `json:"listen,omitempty"`
	// Logo is a PNG or JPEG for the public's pages; an empty one that is not nil
	// takes the logo away.
	Logo *[]byte `json:"logo,omitempty"`
	// PartialNames says whether verification pages show recipients' names in part.
	PartialNames *bool `json:"partial_names,omitempty"`
	// SharedAddresses says whether several people may have one address, title and issue
	// date.
	SharedAddresses *bool `json:"shared_addresses,omitempty"`
	// ApplicationPolicy replaces what people may apply for.
	ApplicationPolicy *ApplicationPolicy `json:"applying,omitempty"`
}

// OfHomeAlone reports whether the settings are the home's, so that none is of an
// institution.
func (s Settings) OfHomeAlone() bool {
	s.BaseURL, s.MailServer, s.Listen = "", "", ""
	return s == Settings{}
}

// Configure changes an agent's settings.
func (c *Client) Configure(ctx context.Context, s Settings) (AgentStatus, error) {
	var after AgentStatus
	err := c.Post(ctx, "/panel/settings", s, &after)
	return after, err
}

// Queue counts jobs of one kind.
type Queue struct {
	Waiting int `json:"waiting"`
	Later   int `json:"later"`
}

// AgentStatus asks an agent how it is.
func (c *Client) AgentStatus(ctx context.Context) (AgentStatus, error) {
	var s AgentStatus
	err := c.Call(ctx, http.MethodGet, "/panel/status", nil, &s)
	return s, err
}

// RetryAll sends every failed certificate, or those of one batch, through
// processing again and returns how many.
func (c *Client) RetryAll(ctx context.Context, batch string) (int, error) {
	var answer struct{ Retried int }
	err := c.Post(ctx, "/panel/retry", map[string]string{"batch_id": batch}, &answer)
	return answer.Retried, err
}

// Bulk has an agent issue a manifest. Progress is told as it comes.
func (c *Client) Bulk(ctx context.Context, request BulkRequest, progress func(client.Progress)) (client.BulkReport, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return client.BulkReport{}, fmt.Errorf("sending a manifest: %w", err)
	}
	return stream[client.BulkReport](ctx, c, "/panel/bulk", body, progress)
}

// stream makes a call that answers with progress, then with its report or an error.
func stream[T any](ctx context.Context, c *Client, path string, body []byte, progress func(client.Progress)) (none T, err error) {
	resp, err := c.Send(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return none, err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(bufio.NewReader(resp.Body))
	for {
		var event StreamEvent[T]
		if err := lines.Decode(&event); err != nil {
			if ctx.Err() != nil {
				return none, ctx.Err()
			}
			return none, fault.Wrap(fault.Unavailable, err, "the connection to the agent broke; run the same command again to continue")
		}
		switch {
		case event.Progress != nil:
			progress(*event.Progress)
		case event.Report != nil:
			return *event.Report, nil
		case event.Error != nil && ctx.Err() != nil:
			return none, ctx.Err() // that is why the agent stopped
		case event.Error != nil:
			return none, event.Error.err()
		}
	}
}

// NewProblem puts an error on the wire. What is not meant for people stays here.
func NewProblem(err error) *Problem {
	// A reader that is still connected sees that the agent ended.
	if errors.Is(err, context.Canceled) {
		return &Problem{Kind: fault.Unavailable.String(), Message: "the agent was stopped; run the same command again to continue"}
	}
	message, ok := fault.Message(err)
	if !ok {
		message = "an internal error; see the agent's log"
	}
	return &Problem{Kind: fault.KindOf(err).String(), Message: message}
}

func (p *Problem) err() error {
	for k := fault.Internal; k <= fault.Damaged; k++ {
		if k.String() == p.Kind {
			return fault.New(k, p.Message)
		}
	}
	return fault.New(fault.Internal, p.Message)
}
