package main

import (
	"os"
	"path/filepath"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/spf13/cobra"
)

// Where things are unless the command line says otherwise.
const (
	defaultConfig = "/etc/forepost/forepost.hcl"
	defaultData   = "/var/lib/forepost"
	runtimeSocket = "/run/forepost/control.sock"
	socketName    = "control.sock" // in the data directory
)

// place is where the running gateway is to be found.
type place struct{ data, socket string }

// flags puts --data and --socket on a command.
func (p *place) flags(c *cobra.Command) {
	c.PersistentFlags().StringVar(&p.data, "data", "", "the data directory of the gateway to talk to")
	c.PersistentFlags().StringVar(&p.socket, "socket", "", "its control socket, if that is elsewhere")
}

// path is the control socket: the one named, the one in the data directory
// named, the environment's, the packaged one.
func (p *place) path() string {
	switch {
	case p.socket != "":
		return p.socket
	case p.data != "":
		return filepath.Join(p.data, socketName)
	case os.Getenv("FOREPOST_SOCKET") != "":
		return os.Getenv("FOREPOST_SOCKET")
	}
	if _, err := os.Stat(runtimeSocket); err == nil {
		return runtimeSocket
	}
	return filepath.Join(defaultData, socketName)
}

func (p *place) client() *admin.Client { return admin.Dial(p.path()) }
