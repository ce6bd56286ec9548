# Blocks of other programs.
hostname = "mx.test"

server "x" { # ERROR: There is no block "server"
}
