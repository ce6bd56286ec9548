# A secret is a name, no path.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = mail.domain == secret("../x") # ERROR: without a directory
      text = "5.7.1 x"
    }
  }
}
