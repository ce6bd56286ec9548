# A selector is a label of the DNS.
hostname = "mx.test"

domain "a.test" {
  route = route.store
  dkim  = [{ selector = "two words", key = "x" }] # ERROR: is no selector
}
