# A password in the file is told.
hostname = "mx.test"

route "a" {
  to   = ["a.test:587"]
  auth = { user = "u", password = "hunter2" } # WARNING: FP0307
}

domain "a.test" {
  route = route.a
}
