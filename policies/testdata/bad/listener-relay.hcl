# Networks that may relay are addresses, not names.
hostname = "mx.test"

listener "a" {
  address    = ":25"
  relay_from = ["ex1.int.test"] # ERROR: not an IP address or network
}
