# A domain is a name of the DNS.
hostname = "mx.test"

domain "not a domain" { # ERROR: is no domain
  route = route.mx
}
