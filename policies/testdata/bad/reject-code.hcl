# The verb decides the class of the code.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      code = 421 # ERROR: reject gives 5xx codes
      text = "5.7.1 x"
    }
  }
}
