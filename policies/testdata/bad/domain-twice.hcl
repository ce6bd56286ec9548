# The case of a name makes no other domain.
hostname = "mx.test"

domain "a.test" {
  route = route.mx
}

domain "A.test" { # ERROR: a.test is declared already
  route = route.mx
}
