# A list that nothing asks.
hostname = "mx.test"

list "a" { # WARNING: Nothing refers to list.a
  type  = word
  items = ["x"]
}
