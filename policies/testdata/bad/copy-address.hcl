# A copy goes to an address.
hostname = "mx.test"

policy "p" {
  data {
    copy "a" {
      to = ["journal"] # ERROR: is no mail address
    }
  }
}
