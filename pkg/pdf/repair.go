package pdf

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// rewriteBrokenStreams writes content streams with a wrong length anew: with a tail
// behind the file, readers would look for their ends elsewhere than before.
func (u *updateWriter) rewriteBrokenStreams() error {
	if !u.inContent {
		return nil
	}
	for _, s := range u.content.WrongLength {
		data, err := u.f.Raw(s)
		if err != nil {
			return err
		}
		u.w.Begin(s.Owner)
		u.w.Raw("<<")
		if err := u.w.CopyEntries(s, []string{"Length"}); err != nil {
			return err
		}
		u.w.Data(data)
		u.w.End()
	}
	return nil
}

// writeKids makes a page an object of its own that stood in its parent's list,
// and repairs a list that keeps viewers from finding the page.
func (u *updateWriter) writeKids() error {
	if u.page.Ref.Num != 0 && (!u.page.MalformedKids || !u.inContent) {
		return nil
	}
	w, parent := u.w, u.page.Parent
	if parent.Owner.Num == 0 || u.f.Object(parent.Owner).Pos != parent.Pos {
		return reject.New(reject.Damaged, "The document's page tree is not made of objects")
	}
	w.Begin(parent.Owner)
	w.Raw("<<")
	if err := w.CopyEntries(parent, []string{"Kids"}); err != nil {
		return err
	}
	w.Raw("/Kids[")
	kids := u.f.Get(parent, "Kids")
	if kids.Kind() == object.Dict {
		w.Ref(u.pageRef)
	}
	i := -1
	for e := range kids.Parts() {
		if i++; i < u.page.KidIndex && u.f.Resolve(e).Kind() != object.Dict {
			continue // a hole
		}
		if i == u.page.KidIndex {
			w.Ref(u.pageRef)
		} else if err := w.Copy(e); err != nil {
			return err
		}
	}
	w.Raw("]>>")
	w.End()
	return nil
}
