# A trial that nobody looked at.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when  = mail.null
      mode  = shadow # WARNING: on trial for 83 days
      since = "2026-09-01"
      text  = "5.7.1 x"
    }

    reject "b" {
      when  = auth.ok
      mode  = shadow
      since = "2026-11-01"
      text  = "5.7.1 x"
    }
  }
}
