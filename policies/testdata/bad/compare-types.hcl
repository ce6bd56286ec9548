# Unlike things are not compared.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = mail.size == "big" # ERROR: FP0202
      text = "5.7.1 x"
    }
  }
}
