# A selector that no domain has.
hostname = "mx.test"

domain "a.test" {
  route = route.store
  dkim  = [{ selector = "fp1", key = "x" }]
}

policy "p" {
  data {
    sign "a" {
      key = "fp2" # ERROR: Did you mean "fp1"?
    }
  }
}
