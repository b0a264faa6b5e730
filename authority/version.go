package authority

import (
	"strings"

	"golang.org/x/mod/semver"
)

// DefaultMinSDK is the lowest SDK version that is certified unless the operator
// says otherwise.
const DefaultMinSDK = "1.0.0"

const maxVersion = 64

// validVersion reports whether a text is a semantic version: three numbers, and
// perhaps a pre-release and a build behind them.
func validVersion(v string) bool {
	core, _, _ := strings.Cut(v, "-")
	core, _, _ = strings.Cut(core, "+")
	return len(v) <= maxVersion && semver.IsValid("v"+v) && strings.Count(core, ".") == 2
}

// CheckSDK refuses an SDK version below the minimum, and what is no version.
func CheckSDK(version, lowest string) error {
	switch {
	case !validVersion(version):
		return NewContractError(SDKOutdated, "SDK version is not a semantic version such as "+lowest+"; update the SDK")
	case semver.Compare("v"+version, "v"+lowest) < 0:
		return NewContractError(SDKOutdated, "SDK version "+version+" is below the minimum "+lowest+"; update the SDK")
	}
	return nil
}
