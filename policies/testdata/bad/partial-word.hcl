# What becomes of those that reject.
hostname = "mx.test"

policy "p" {
  partial = reject # ERROR: is not a word for partial
}
