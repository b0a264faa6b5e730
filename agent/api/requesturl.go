package api

import (
	"net/http"
	"net/url"
	"strings"
)

// requestURL is where the caller found what a request asks for. Behind a proxy the
// scheme is in the request's URL. Where the base URL has a path, a proxy may have
// taken it away: that the request came below it is seen by the host then.
func (a *API) requestURL(r *http.Request) string {
	scheme := r.URL.Scheme
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	above := ""
	if base, err := url.Parse(a.Institutions.BaseURL()); err == nil {
		path := strings.TrimRight(base.EscapedPath(), "/")
		if strings.EqualFold(r.Host, base.Host) || strings.HasPrefix(r.RequestURI, path+"/") {
			above = path
		}
	}
	return scheme + "://" + r.Host + above + r.URL.EscapedPath()
}
