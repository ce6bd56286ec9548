# Texts have no order.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = mail.domain > "m" # ERROR: FP0202
      text = "5.7.1 x"
    }
  }
}
