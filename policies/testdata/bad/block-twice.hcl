# Two blocks of one name.
hostname = "mx.test"

route "a" {
  to = mx
}

route "a" { # ERROR: It stands in line 4
  to = mx
}

domain "a.test" {
  route = route.a
}
