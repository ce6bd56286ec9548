# A field has a name without blanks.
hostname = "mx.test"

policy "p" {
  data {
    modify "a" {
      add_header = { "X Mark" = "y" } # ERROR: is no name of a header field
    }
  }
}
