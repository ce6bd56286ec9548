# quarantine above reject is never reached.
hostname = "mx.test"

quarantine "spam" {}

domain "a.test" {
  route      = route.mx
  thresholds = { quarantine = 9, reject = 5 } # ERROR: quarantine is not below reject
}
