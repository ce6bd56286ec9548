# Retries wait longer each time.
hostname = "mx.test"

route "a" {
  to    = mx
  retry = { first = "soon", factor = 0.5 } # ERROR: is no duration AND factor is between 1 and 10
}

domain "a.test" {
  route = route.a
}
