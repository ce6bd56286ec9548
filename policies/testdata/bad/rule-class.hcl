# A class that is not declared would never be skipped.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when  = mail.null
      class = "sapm" # ERROR: Did you mean "spam"?
      text  = "5.7.1 x"
    }
  }
}
