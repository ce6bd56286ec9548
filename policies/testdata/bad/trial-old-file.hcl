# Without a date the age of the file counts.
hostname = "mx.test"

# FILE /etc/main.hcl 90d
policy "p" {
  rcpt {
    reject "a" {
      when = mail.null
      mode = shadow # WARNING: on trial for 90 days
      text = "5.7.1 x"
    }
  }
}
