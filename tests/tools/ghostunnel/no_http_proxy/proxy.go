// Package connectproxy takes the place of a dependency that only HTTP proxies need.
package connectproxy

import (
	"errors"
	"net/url"

	"golang.org/x/net/proxy"
)

// ConnectProxy refuses: this Ghostunnel is built without HTTP proxies.
func ConnectProxy(*url.URL, proxy.Dialer) (proxy.Dialer, error) {
	return nil, errors.New("this Ghostunnel is built without HTTP proxies")
}
