# A policy is named by a reference.
hostname = "mx.test"

policy "inbound" {}

listener "a" {
  address = ":25"
  policy  = policy.inbuond # ERROR: Did you mean "inbound"?
}
