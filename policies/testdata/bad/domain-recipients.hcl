# A list is named by a reference.
hostname = "mx.test"

domain "a.test" {
  route      = route.mx
  recipients = list.nobody # ERROR: There is no list "nobody"
}
