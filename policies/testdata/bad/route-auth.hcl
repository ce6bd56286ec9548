# A login has two parts.
hostname = "mx.test"

route "a" {
  to   = ["a.test:587"]
  auth = { user = "u" } # ERROR: needs password
}

domain "a.test" {
  route = route.a
}
