# A route without servers.
hostname = "mx.test"

route "a" { # ERROR: needs to
  tls = may
}

domain "a.test" {
  route = route.a
}
