# Thresholds are numbers.
hostname = "mx.test"

policy "p" {
  thresholds = { reject = "15" } # ERROR: reject is a number
}
