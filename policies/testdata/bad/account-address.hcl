# An account is an address of a domain here.
hostname = "mx.test"

account "bob" { # ERROR: is no mail address
  password = secret("x") # WARNING: FP0004
}
