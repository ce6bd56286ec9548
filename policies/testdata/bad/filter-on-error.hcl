# What becomes of mail that could not be judged.
hostname = "mx.test"

filter "dnsbl" "z" {
  zone     = "z.test"
  on_error = reject # ERROR: is not a word for on_error
}
