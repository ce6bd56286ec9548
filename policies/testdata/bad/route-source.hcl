# An address of this host, no name.
hostname = "mx.test"

route "a" {
  to     = mx
  source = "eth0" # ERROR: is no address to connect from
}

domain "a.test" {
  route = route.a
}
