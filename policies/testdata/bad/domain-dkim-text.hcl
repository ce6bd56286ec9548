# Keys are objects.
hostname = "mx.test"

domain "a.test" {
  route = route.store
  dkim  = "fp1" # ERROR: dkim
}
