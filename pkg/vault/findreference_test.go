package vault_test

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestFindReference(t *testing.T) {
	t.Parallel()
	const want = "VEC-IC-20260A1B2C3D4E5F6"
	for _, typed := range []string{
		want, "vec-ic-20260a1b2c3d4e5f6", "  VEC-IC-20260A1B2C3D4E5F6\n", "VEC IC 2026 0A1B 2C3D 4E5F 6", "VECIC20260A1B2C3D4E5F6",
		"VEC–IC–20260A1B2C3D4E5F6", "VEC—IC—20260A1B2C3D4E5F6", "VEC\u2011IC\u201120260A1B2C3D4E5F6", "VEC−IC−20260A1B2C3D4E5F6", "VEC_IC_20260A1B2C3D4E5F6",
		"VEC-IC-2O26OA1B2C3D4E5F6", "VEC-IC-2o26oalb2c3d4e5f6", "VEC-IC-20260AIB2C3D4E5F6", "VEC-1C-20260A1B2C3D4E5F6", "VEC-lC-20260A1B2C3D4E5F6",
		"20260A1B2C3D4E5F6", "2026-0A1B2C3D4E5F6", "ＶＥＣ－ＩＣ－２０２６０Ａ１Ｂ２Ｃ３Ｄ４Ｅ５Ｆ６", "VEC\u200b-IC\u00ad-20260A1B2C3D4E5F6", "VEC-IC-20260A1B\u00a02C3D4E5F6",
		"https://vec.example.edu/v/VEC-IC-20260A1B2C3D4E5F6", "HTTPS://VEC.EXAMPLE.EDU/V/VEC-IC-20260A1B2C3D4E5F6", "vec.example.edu/base/v/vec-ic-20260a1b2c3d4e5f6/?lang=de#top",
		"https://vec.example.edu/v/VEC%2DIC%2D20260A1B2C3D4E5F6", "Reference ID: VEC-IC-20260A1B2C3D4E5F6.", "(VEC-IC-20260A1B2C3D4E5F6)",
	} {
		if got, ok := vault.FindReference(typed); got != want || !ok {
			t.Errorf("%q is %q, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{
		"", "VEC-IC-", "VEC-IC-20260A1B2C3D4E5F", "VEC-IC-20260A1B2C3D4E5F66", "VEC-IC-20260A1B2C3D4E5FG", "020260A1B2C3D4E5F6", "a/b?c", "https://vec.example.edu/",
		"ABC-IC-20260A1B2C3D4E5F6", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "VEC-IC-20260Ä1B2C3D4E5F6", "/v/%zz",
		"VEC-IC-20260A1B2C3D4E5F6 for Ada",
	} {
		if got, ok := vault.FindReference(typed); ok {
			t.Errorf("%q is %q", typed, got)
		}
	}
}
