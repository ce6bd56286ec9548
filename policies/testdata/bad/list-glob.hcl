# A regular expression that is none.
hostname = "mx.test"

list "a" {
  type  = regex
  items = ["("] # ERROR: list a
}
