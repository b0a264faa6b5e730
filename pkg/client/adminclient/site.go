package adminclient

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/vecctl/vecctl/pkg/fault"
)

// SiteManifest is the file of a static site that lists all others.
const SiteManifest = "files.json"

// Site hands on the files of the home's static site, the list of all last. It returns the names
// that the list has.
func (c *Client) Site(ctx context.Context, each func(name string, content []byte) error) ([]string, error) {
	answer, err := c.Send(ctx, http.MethodGet, "/panel/site", nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var list struct {
		Files []string `json:"files"`
	}
	whole := false
	for files := tar.NewReader(answer.Body); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) && whole {
			return list.Files, nil
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(files)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the agent ended the site early; its log says why, and the same command continues")
		}
		if header.Name == SiteManifest {
			if err := json.Unmarshal(content, &list); err != nil {
				return nil, fault.Wrap(fault.Damaged, err, "the list of the site's files cannot be read")
			}
			whole = true
		}
		if err := each(header.Name, content); err != nil {
			return nil, err
		}
	}
}
