module github.com/wrouesnel/go.connect-proxy-scheme

go 1.26

require golang.org/x/net v0.40.0
