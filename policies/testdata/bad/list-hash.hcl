# A hash is hexadecimal.
hostname = "mx.test"

list "a" {
  type  = ip
  items = ["10.0.0.0/40"] # ERROR: list a
}
