package adminapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// backupWriteTimeout is how long one write of a backup may take. Who reads slower would
// keep the database from using room that it has freed.
const backupWriteTimeout = time.Minute

// serveBackup answers with the backup itself; what became of it stands behind its end.
func (p *Handler) serveBackup(w http.ResponseWriter, r *http.Request) {
	var q adminclient.BackupRequest
	if err := p.readJSON(r, &q); err != nil {
		p.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zstd")
	out := &deadlineWriter{w: w, control: http.NewResponseController(w)}
	result, err := p.Backups.Backup(r.Context(), q, out)
	if err != nil {
		if _, ok := fault.Message(err); !ok || fault.Is(err, fault.Internal) {
			p.logFailure(r, err)
		}
		if !out.started {
			p.Fail(w, r, err)
			return
		}
		result = adminclient.BackupResult{Error: adminclient.NewProblem(err)}
	}
	// Marshalling of strings and numbers does not fail.
	raw, _ := json.Marshal(result)
	w.Header().Set(http.TrailerPrefix+adminclient.BackupOutcome, url.QueryEscape(string(raw)))
}

// deadlineWriter gives each write its time.
type deadlineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	started bool
}

func (p *deadlineWriter) Write(b []byte) (int, error) {
	p.started = true
	// Not every transport knows deadlines; the network's does.
	_ = p.control.SetWriteDeadline(time.Now().Add(backupWriteTimeout))
	return p.w.Write(b)
}
