# Servers that clients cannot talk to as they are used to.
hostname = "mx.test"

domain "mx.test" {
  route = route.store
}

listener "submissions" {
  address = ":465" # WARNING: begin TLS at once
  auth    = accounts
}

listener "submission" {
  address = ":587"
  auth    = accounts
  tls     = implicit # WARNING: begin in the clear
}

listener "clear" {
  address = "10.0.0.1:2587"
  auth    = accounts
  tls     = off # WARNING: nobody else can log in to listener "clear"
}

listener "local" {
  address = "127.0.0.1:2587"
  auth    = accounts
  tls     = off
}

listener "edge" {
  address = ":25"
  tls     = off
}

imap "tls" {
  address = ":993"
  tls     = off # WARNING: Clients of port 993 begin TLS at once AND nobody else can log in to imap "tls"
}

imap "behind" {
  address         = "10.0.0.1:143"
  tls             = off
  allow_cleartext = true
}

pop3 "tls" {
  address = "[::1]:995" # WARNING: begin TLS at once
}

pop3 "socket" {
  address = "unix:/run/pop3.sock"
  tls     = off
}
