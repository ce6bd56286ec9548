# A time that is none.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = days_since("last week") > 5 # ERROR: is no time
      text = "5.7.1 x"
    }
  }
}
