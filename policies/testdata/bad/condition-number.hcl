# A number is no condition.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = mail.size # ERROR: Compare it: x > 0
      text = "5.7.1 x"
    }
  }
}
