package institutions

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// FuzzLogo holds that a logo that is taken is a picture within its bounds.
func FuzzLogo(f *testing.F) {
	dot := image.NewGray(image.Rect(0, 0, 3, 2))
	for _, encode := range []func(*bytes.Buffer) error{
		func(b *bytes.Buffer) error { return png.Encode(b, dot) },
		func(b *bytes.Buffer) error { return jpeg.Encode(b, dot, nil) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var i vault.Institution
		if err := applyBranding(&i, adminclient.Settings{Logo: &data}); err != nil {
			if !fault.Is(err, fault.Invalid) || i.Logo != nil {
				t.Errorf("%v, %v", i.Logo, err)
			}
			return
		}
		if len(data) == 0 {
			return
		}
		size, format, err := image.DecodeConfig(bytes.NewReader(i.Logo.Data))
		if err != nil || i.Logo.Type != "image/"+format || max(size.Width, size.Height) > maxLogoWidth || len(i.Logo.Data) > vault.MaxLogo {
			t.Errorf("%s of %+v, %v", i.Logo.Type, size, err)
		}
	})
}
