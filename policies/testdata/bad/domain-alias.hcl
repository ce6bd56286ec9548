# An alias leads to an address.
hostname = "mx.test"

domain "a.test" {
  route   = route.store
  aliases = { info = "two words" } # ERROR: is no mail address
}
