package service

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"github.com/vecctl/vecctl/authority"
)

// verificationTags lists what the verification tags in a page's head say. Its body does not
// count: there, visitors may be let write.
func verificationTags(page []byte) (found []string) {
	z := html.NewTokenizer(bytes.NewReader(page))
	z.SetMaxBuf(PageSize)
	for {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if !inHead(t.Data) {
				return found
			}
			if content, ok := tagContent(t); ok {
				found = append(found, content)
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "head" {
				return found
			}
		case html.TextToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

// inHead reports whether an element can stand in a page's head. The first one that
// cannot begins the body, whether or not its tag is written.
func inHead(name string) bool {
	switch name {
	case "html", "head", "meta", "title", "link", "script", "style", "base":
		return true
	}
	return false
}

func tagContent(t html.Token) (content string, ok bool) {
	if t.Data != "meta" {
		return "", false
	}
	for _, a := range t.Attr {
		switch a.Key {
		case "name":
			ok = strings.EqualFold(strings.TrimSpace(a.Val), authority.TagName)
		case "content":
			content = strings.TrimSpace(a.Val)
		}
	}
	return content, ok
}
