# A route leads somewhere.
hostname = "mx.test"

route "a" {
  to = [] # ERROR: The route leads nowhere
}

domain "a.test" {
  route = route.a
}
