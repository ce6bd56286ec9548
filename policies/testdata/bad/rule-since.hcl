# A trial begins at a date.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when  = mail.null
      mode  = shadow
      since = "yesterday" # ERROR: is no date
      text  = "5.7.1 x"
    }
  }
}
